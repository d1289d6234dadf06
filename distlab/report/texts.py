"""StudyTables in; every table as titled text out, not yet escaped: what all renderers lay out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from distlab.report.columns import (
    AGREEMENT_COLUMNS,
    DISAGREEMENT_COLUMNS,
    DROP_COLUMNS,
    DROP_GAP_COLUMNS,
    GAP_COLUMNS,
    Column,
    Row,
    arm_columns,
)
from distlab.report.control_columns import (
    ACCEPT_COLUMNS,
    CONTROL_COLUMNS,
    EXCESS_COLUMNS,
    GRID_COLUMNS,
    NULL_COLUMNS,
    OUTCOME_COLUMNS,
    PROMPT_COLUMNS,
    REASONED_GAP_COLUMNS,
    REASONING_COLUMNS,
    REPLICATION_COLUMNS,
    SCALE_COLUMNS,
    STRATUM_COLUMNS,
    TREND_COLUMNS,
    UNPAIRED_COLUMNS,
    curve_columns,
    winner_columns,
)
from distlab.report.figures import pass_label
from distlab.report.records import StudyTables


@dataclass(frozen=True, slots=True)
class TextTable:
    """One table as text; titles and cells are not escaped.

    Attributes:
        name: Name of its files in ``results/``.
        caption: What it shows, in one line.
        titles: One a column.
        numbers: Which columns hold figures: aligned to the right.
        rows: Cells, row by row.
    """

    name: str
    caption: str
    titles: tuple[str, ...]
    numbers: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


def lay(name: str, caption: str, columns: Sequence[Column[Row]], rows: Iterable[Row]) -> TextTable:
    """Write out every cell."""
    return TextTable(
        name=name,
        caption=caption,
        titles=tuple(column.title for column in columns),
        numbers=tuple(column.number for column in columns),
        rows=tuple(tuple(column.text(row) for column in columns) for row in rows),
    )


def lay_texts(
    name: str, caption: str, titles: Sequence[str], rows: Sequence[Sequence[str]]
) -> TextTable:
    """A table of what is text already."""
    plain = (False,) * len(titles)
    return TextTable(name, caption, tuple(titles), plain, tuple(tuple(row) for row in rows))


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
