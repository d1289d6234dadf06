"""StudyTables in; ``results/``: every table as Parquet, CSV, Markdown and LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from distlab.files import whole
from distlab.report.questions.decoding import CONTROL_COLUMNS, GRID_COLUMNS
from distlab.report.questions.drops import DROP_COLUMNS, DROP_GAP_COLUMNS, UNPAIRED_COLUMNS
from distlab.report.questions.ends import OUTCOME_COLUMNS, curve_columns, curve_record
from distlab.report.questions.gap import GAP_COLUMNS
from distlab.report.questions.guessing import (
    EXCESS_COLUMNS,
    NULL_COLUMNS,
    REASONED_GAP_COLUMNS,
    REASONING_COLUMNS,
)
from distlab.report.questions.judges import (
    ACCEPT_COLUMNS,
    AGREEMENT_COLUMNS,
    DISAGREEMENT_COLUMNS,
    winner_columns,
    winner_record,
)
from distlab.report.questions.paper import REPLICATION_COLUMNS
from distlab.report.questions.prompts import PROMPT_COLUMNS
from distlab.report.questions.scale import SCALE_COLUMNS, TREND_COLUMNS
from distlab.report.questions.scores import arm_columns
from distlab.report.questions.strata import STRATUM_COLUMNS
from distlab.report.records import StudyTables
from distlab.report.wording import pass_label
from distlab.tables.latex import latex_table
from distlab.tables.markdown import table
from distlab.tables.records import Record, csv_text, flatten
from distlab.tables.text import TextTable, lay


def write_results(folder: Path, study: StudyTables) -> None:
    """Write every table with rows, and remove those of an earlier report that have none now.

    Parquet and CSV hold plain numbers (shares, not per cent); Markdown and LaTeX hold the figures
    as people read them, ready for a paper. A CSV cell that a spreadsheet would run as a formula
    gets an apostrophe in front; Parquet holds the text as it is.

    Args:
        folder: The run's ``results/``; made if absent.
        study: The tables.
    """
    folder.mkdir(exist_ok=True)
    texts = text_tables(study)
    for name, rows in _tables(study).items():
        files = [folder / f"{name}.{kind}" for kind in ("parquet", "csv", "md", "tex")]
        if not rows:
            for file in files:
                file.unlink(missing_ok=True)
            continue
        parquet, *others = files
        with whole(parquet) as stream:
            pq.write_table(pa.Table.from_pylist(rows), stream)
        written = (csv_text(rows), table(texts[name]), latex_table(texts[name]))
        for file, text in zip(others, written, strict=True):
            with whole(file) as stream:
                stream.write(text.encode())


def _tables(study: StudyTables) -> Mapping[str, Sequence[Record]]:
    plain: Mapping[str, Sequence[Any]] = {
        "scores": study.arms,
        "outcomes": study.outcomes,
        "gaps": study.gaps,
        "drops": study.drops,
        "drop_differences": study.drop_gaps,
        "unpaired_drops": study.unpaired,
        "agreement": study.agreements,
        "accepts": study.accepts,
        "disagreements": study.disagreements,
        "controls": study.controls,
        "grid": study.grid,
        "reasoning": study.reasoning,
        "reasoned_gaps": study.reasoned_gaps,
        "nulls": study.nulls,
        "beyond_null": study.excesses,
        "prompts": study.prompts,
        "strata": study.strata,
        "scale": study.scale,
        "trends": study.trends,
        "paper": study.replications,
    }
    tables = {name: [flatten(row) for row in rows] for name, rows in plain.items()}
    return tables | {
        "curves": [row for curve in study.curves for row in curve_record(curve)],
        "winners": [row for winner in study.winners for row in winner_record(winner)],
    }


def text_tables(study: StudyTables) -> Mapping[str, TextTable]:
    """Every table by name, empty ones included."""
    label = pass_label({row.cell.n for row in study.arms})
    tables = (
        lay("scores", "Scores of every arm, per cent", arm_columns(label), study.arms),
        lay("outcomes", "Where samples end, per cent", OUTCOME_COLUMNS, study.outcomes),
        lay("curves", "pass@k, per cent", curve_columns(study.curves), study.curves),
        lay("gaps", "Gap, instruct − base, in points", GAP_COLUMNS, study.gaps),
        lay("strata", "Gap by kind of problem, in points", STRATUM_COLUMNS, study.strata),
        lay("controls", "The gap in parts, in points", CONTROL_COLUMNS, study.controls),
        lay("grid", "Every decoding that both variants have, in points", GRID_COLUMNS, study.grid),
        lay("nulls", "Solved without reading, per cent", NULL_COLUMNS, study.nulls),
        lay("beyond_null", "Arms beyond the null model", EXCESS_COLUMNS, study.excesses),
        lay("reasoning", "Pass@n of samples that reason", REASONING_COLUMNS, study.reasoning),
        lay(
            "reasoned_gaps",
            "Gap over samples that reason, in points",
            REASONED_GAP_COLUMNS,
            study.reasoned_gaps,
        ),
        lay("drops", "Perturbation drop, in points", DROP_COLUMNS, study.drops),
        lay(
            "drop_differences",
            "Drop of instruct − drop of base, in points",
            DROP_GAP_COLUMNS,
            study.drop_gaps,
        ),
        lay(
            "unpaired_drops",
            "Drop between whole sets, as papers give it, in points",
            UNPAIRED_COLUMNS,
            study.unpaired,
        ),
        lay("winners", "Winner under each judge", winner_columns(study.judges), study.winners),
        lay("agreement", "Graders and extractors, pairwise", AGREEMENT_COLUMNS, study.agreements),
        lay("accepts", "What one accepts and another rejects", ACCEPT_COLUMNS, study.accepts),
        lay(
            "disagreements",
            "Samples on which graders disagree",
            DISAGREEMENT_COLUMNS,
            study.disagreements,
        ),
        lay("prompts", "Change with the prompt, in points", PROMPT_COLUMNS, study.prompts),
        lay("scale", "Gap and size, in points", SCALE_COLUMNS, study.scale),
        lay(
            "trends", "Gap against log10 of the parameters, in points", TREND_COLUMNS, study.trends
        ),
        lay("paper", "The paper's figures beside ours", REPLICATION_COLUMNS, study.replications),
    )
    return {table.name: table for table in tables}
