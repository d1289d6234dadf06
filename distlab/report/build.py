"""A Study in; StudyTables out. Every figure is ``analysis``'s."""

from distlab.report.limits import doubts, limits
from distlab.report.questions.order import QUESTIONS
from distlab.report.table import ScoredStudy, StudyTables
from distlab.runs.pairing import ScoreMap, arm_pairs
from distlab.runs.scored import Judge, JudgedRuns
from distlab.runs.scores import problem_scores


def build_tables(study: JudgedRuns) -> StudyTables:
    """Compute every table of the report.

    Args:
        study: The run.

    Raises:
        UserError: A verdict file cannot be read again.
    """
    scored = _scored(study)
    return StudyTables(
        manifest=study.manifest,
        judges=scored.judges,
        headlines=_headlines(scored.scores),
        tables={table: scored.rows(table) for question in QUESTIONS for table in question.tables},
        cannot=tuple(limits(scored)),
        remarks=study.remarks,
        doubts=tuple(doubts(scored)),
    )


def _scored(study: JudgedRuns) -> ScoredStudy:
    scores = {
        (table.cell.key, Judge(table.extractor, table.grader)): problem_scores(table)
        for table in study.tables
    }
    return ScoredStudy(
        study=study,
        judges=tuple(dict.fromkeys(judge for _, judge in scores)),
        pairs=tuple(arm_pairs(study.manifest.cells)),
        scores=scores,
    )


def _headlines(scores: ScoreMap) -> dict[str, Judge]:
    """Cell key to the judge that scored the most of its problems."""
    most: dict[str, int] = {}
    headlines: dict[str, Judge] = {}
    for (key, judge), row in scores.items():
        scored = int(row.scored.sum())
        if scored > most.get(key, -1):
            most[key], headlines[key] = scored, judge
    return headlines
