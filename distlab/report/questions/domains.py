"""Is it so on every dataset?"""

from collections.abc import Iterator

from distlab.report.gap_table import GapRow, headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import StudyTables


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Who solves more on which dataset, by family and prompt."""
    groups: dict[tuple[str, str], list[GapRow]] = {}
    for row in headline_gaps(study):
        groups.setdefault((row.base.family, row.base.prompt), []).append(row)
    several = {key: rows for key, rows in groups.items() if len(rows) > 1}
    if not several:
        yield cannot_say("no family has a gap on two datasets; run with gsm8k and medcalc, say")
    for (family, prompt), rows in several.items():
        said = {-1: "base solves more", 1: "instruct solves more", 0: "neither is shown to"}
        listed = []
        for sign, who in said.items():
            sets = [row.base.dataset for row in rows if row.gap.difference.sign == sign]
            if sets:
                listed.append(f"{who} on {', '.join(sets)}")
        yield Statement(f"{family} ({prompt}): {'; '.join(listed)}.")


QUESTION = Question(
    name="domains",
    text="Is it so on every dataset?",
    tables=(),
    statements=_statements,
)
