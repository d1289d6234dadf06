"""Does the prompt matter?"""

from collections.abc import Iterator, Sequence

from distlab.analysis.gaps import paired_gap
from distlab.report.records import PromptRow, Statement, StudyTables
from distlab.report.wording import cannot_say, judge_name
from distlab.runs.pairing import ScoreMap, metrics
from distlab.runs.records import Judge
from distlab.store.cell import Cell
from distlab.tables.column import Column, label
from distlab.tables.numbers import p_value, percent, points_interval, points_range


def say_prompts(study: StudyTables) -> Iterator[Statement]:
    """What each arm changes with the prompt."""
    rows = [row for row in study.prompts if row.judge == study.headlines[row.first.key]]
    if not rows:
        yield cannot_say("every arm was run with one prompt; run with zero-shot and few-shot")
    yield from (_prompt(row) for row in rows)


def _prompt(row: PromptRow) -> Statement:
    said = {1: "solves more", -1: "solves less"}.get(row.change.sign, "is not shown to change")
    return Statement(
        f"{row.first.family} {row.first.arm} on {row.first.dataset}: {said} with "
        f"{row.second.prompt} than with {row.first.prompt}: {row.metric} "
        f"{points_range(row.change)} points over {row.problems} problems "
        f"({judge_name(row.judge)})."
    )


PROMPT_COLUMNS: tuple[Column[PromptRow], ...] = (
    label("family", lambda row: row.first.family),
    label("arm", lambda row: row.first.arm),
    label("dataset", lambda row: row.first.dataset),
    label("prompts", lambda row: f"{row.first.prompt} → {row.second.prompt}"),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.problems)),
    Column("first", lambda row: percent(row.before)),
    Column("second", lambda row: percent(row.after)),
    Column("change (95 %)", lambda row: points_interval(row.change)),
    Column("p", lambda row: p_value(row.p)),
)


def prompt_rows(
    cells: Sequence[Cell], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[PromptRow]:
    """Each arm's other prompts against its first one."""
    for judge in judges:
        firsts: dict[tuple[str, str, str], Cell] = {}
        for cell in cells:
            if (cell.key, judge) not in scores:
                continue
            first = firsts.setdefault((cell.family, cell.arm, cell.dataset), cell)
            if first is not cell:
                yield _prompt_row(first, cell, judge, scores)


def _prompt_row(first: Cell, second: Cell, judge: Judge, scores: ScoreMap) -> PromptRow:
    metric = metrics(min(first.n, second.n))[0]
    change = paired_gap(metric.of(scores[first.key, judge]), metric.of(scores[second.key, judge]))
    return PromptRow(
        first=first,
        second=second,
        judge=judge,
        metric=metric.name,
        problems=change.problems,
        before=change.base,
        after=change.instruct,
        change=change.difference,
        p=change.p,
    )
