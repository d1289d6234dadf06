"""A Study in; StudyTables out. Every figure is ``analysis``'s."""

from collections.abc import Sequence
from dataclasses import replace

from distlab.analysis.claims import MARGINS, Margins, decide
from distlab.prompts.prompt import Shown
from distlab.report.limits import doubts, limits
from distlab.report.questions.claims import CLAIMS, claim_rows
from distlab.report.questions.order import QUESTIONS
from distlab.report.sides import Sides
from distlab.report.table import ScoredRerun, ScoredStudy, StudyTables
from distlab.runs.manifest import PaperFamilies
from distlab.runs.pairing import ScoreMap, arm_pairs
from distlab.runs.scored import Judge, JudgedRuns, VerdictTable
from distlab.runs.scores import problem_scores
from distlab.store.cell import StagePair


def build_tables(
    study: JudgedRuns,
    margins: Margins = MARGINS,
    pairs: Sequence[StagePair] = (),
    paper: PaperFamilies | None = None,
) -> StudyTables:
    """Compute every table of the report, and decide what it asserts.

    Args:
        study: The run.
        margins: Differences that are taken for none.
        pairs: Stages to compare beside those that its config names.
        paper: Whose figures of the paper are drawn; None for what its config says.

    Raises:
        UserError: A verdict file cannot be read again.
    """
    scored = _scored(study, (*study.manifest.pairs, *pairs))
    tables = StudyTables(
        manifest=study.manifest,
        judges=scored.judges,
        headlines=scored.headlines,
        tables={table: scored.rows(table) for question in QUESTIONS for table in question.tables},
        cannot=tuple(limits(scored)),
        remarks=study.remarks,
        doubts=tuple(doubts(scored)),
        margins=margins,
        sides=Sides.of(scored.pairs),
        paper=paper or study.manifest.paper,
    )
    family = decide([claim for question in QUESTIONS for claim in question.claims(tables)])
    claimed = {**tables.tables, CLAIMS: tuple(claim_rows(family))}
    return replace(tables, family=family, tables=claimed)


def _scored(study: JudgedRuns, pairs: Sequence[StagePair]) -> ScoredStudy:
    manifest = study.manifest
    everything = _scores(study.tables)
    shown = {cell.key: manifest.shown(cell) for cell in manifest.cells}
    scores = {at: row for at, row in everything.items() if shown[at[0]] is Shown.QUESTION}
    asked = [cell for cell in manifest.cells if shown[cell.key] is Shown.QUESTION]
    return ScoredStudy(
        study=study,
        judges=tuple(dict.fromkeys(judge for _, judge in everything)),
        pairs=tuple(arm_pairs(asked, pairs)),
        scores=scores,
        headlines=_headlines(everything),
        probes={at: row for at, row in everything.items() if at not in scores},
        reruns=tuple(ScoredRerun(run.manifest, _scores(run.tables)) for run in study.reruns),
    )


def _scores(tables: Sequence[VerdictTable]) -> ScoreMap:
    return {
        (table.cell.key, Judge(table.extractor, table.grader)): problem_scores(table)
        for table in tables
    }


def _headlines(scores: ScoreMap) -> dict[str, Judge]:
    """Cell key to the judge that scored the most of its problems."""
    most: dict[str, int] = {}
    headlines: dict[str, Judge] = {}
    for (key, judge), row in scores.items():
        scored = int(row.scored.sum())
        if scored > most.get(key, -1):
            most[key], headlines[key] = scored, judge
    return headlines
