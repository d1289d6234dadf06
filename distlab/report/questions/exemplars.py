"""Which arm leans more on exemplars?"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.errors import counted
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import holm_note, judge_name
from distlab.runs.pairing import ArmPair, metrics
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.runs.styles import repeated_prompts
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, points_interval, points_range


@dataclass(frozen=True, slots=True)
class GainRow:
    """What exemplars give the study's two arms, paired by problem.

    Attributes:
        base: The study's base arm with fewer exemplars.
        instruct: The study's instruct arm with them.
        more: Name of the prompt with more exemplars.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        problems: Problems with a score in all four cells.
        base_gain: Base with more exemplars minus base with fewer.
        instruct_gain: The same of the instruct arm.
        difference: ``instruct_gain`` minus ``base_gain``.
    """

    base: Cell
    instruct: Cell
    more: str
    judge: Judge
    metric: str
    problems: int
    base_gain: Contrast
    instruct_gain: Contrast
    difference: Contrast

    @property
    def key(self) -> tuple[Cell, Cell, str, Judge]:
        """Under which it is claimed that one arm gains more."""
        return self.base, self.instruct, self.more, self.judge


def _rows(scored: ScoredStudy) -> Iterator[GainRow]:
    """Every two prompts of one setting whose numbers of exemplars differ, fewer first.

    Of a set of wordings or of draws of exemplars the first alone.
    """
    repeated = repeated_prompts(scored.study.manifest)
    shots = {
        cell.key: count
        for cell in scored.cells
        if (count := _shots(scored.study.manifest.fingerprints.get(cell.key, {}))) is not None
    }
    arms = [own for own in scored.own_arms() if own[0].base.key not in repeated]
    for pair, judge, base, instruct in arms:
        for other, second, more_base, more_instruct in arms:
            same = _setting(pair, judge) == _setting(other, second)
            fewer, more = shots.get(pair.base.key), shots.get(other.base.key)
            if same and fewer is not None and more is not None and fewer < more:
                yield _row(pair, judge, (base, instruct), (more_base, more_instruct))


def _shots(fingerprint: Mapping[str, Any]) -> int | None:
    """Exemplars of a cell's prompt; None where its samples were not drawn here."""
    shots = fingerprint.get("prompt", {}).get("shots")
    return None if shots is None else int(shots)


def _setting(pair: ArmPair, judge: Judge) -> tuple[object, ...]:
    return pair.base.family, pair.base.dataset, pair.base.arm, pair.instruct.arm, judge


def _row(
    pair: ArmPair,
    judge: Judge,
    fewer: tuple[ProblemScores, ProblemScores],
    more: tuple[ProblemScores, ProblemScores],
) -> GainRow:
    cells = [scores.table.cell for scores in (*fewer, *more)]
    until_solved = any(cell.until_solved for cell in cells)
    metric = metrics(min(cell.n for cell in cells), until_solved)[0]
    gains = [
        metric.of(after) - metric.of(before) for before, after in zip(fewer, more, strict=True)
    ]
    sources = fewer[0].table.sources
    both = gains[1] - gains[0]
    known = both - both
    return GainRow(
        base=pair.base,
        instruct=pair.instruct,
        more=more[0].table.cell.prompt,
        judge=judge,
        metric=metric.name,
        problems=int((known == 0).sum()),
        base_gain=contrast(Mean(gains[0] + known, sources)),
        instruct_gain=contrast(Mean(gains[1] + known, sources)),
        difference=contrast(Mean(both, sources, bound=2.0)),
    )


_COLUMNS: Columns[GainRow] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("base arm", lambda row: row.base.arm),
    label("instruct arm", lambda row: row.instruct.arm),
    label("prompts", lambda row: f"{row.base.prompt} → {row.more}"),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.problems)),
    Column("base gains (95 %)", lambda row: points_interval(row.base_gain.estimate)),
    Column("instruct gains (95 %)", lambda row: points_interval(row.instruct_gain.estimate)),
    Column("instruct − base (95 %)", lambda row: points_interval(row.difference.estimate)),
)
EXEMPLAR_GAINS = Table("exemplar_gains", "Gain from exemplars, in points", _rows, _COLUMNS)


def _headline_rows(study: StudyTables) -> list[GainRow]:
    return [
        row
        for row in study.rows(EXEMPLAR_GAINS)
        if study.is_headline(row.instruct, row.judge) and not math.isnan(row.difference.p)
    ]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That one arm gains more from exemplars."""
    for row in _headline_rows(study):
        margin = study.margins.equivalence
        yield differs(Kind.EXEMPLARS, row.key, _where(row), row.difference, margin)


def _where(row: GainRow) -> str:
    return f"{row.base.family} on {row.base.dataset}, {row.base.prompt} → {row.more}"


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Which arm leans more on exemplars."""
    rows = _headline_rows(study)
    if not rows:
        yield cannot_say(
            "no setting has both arms with more exemplars and with fewer; run with zero-shot and "
            "few-shot"
        )
    yield from (_statement(study, row) for row in rows)


def _statement(study: StudyTables, row: GainRow) -> Statement:
    decision = study.decision(Kind.EXEMPLARS, row.key)
    arms = row.base.variant, row.instruct.variant
    less, leans = arms if decision.direction > 0 else reversed(arms)
    said = {
        Answer.YES: f"{less} leans less on exemplars than {leans} ({holm_note(decision)})",
        Answer.NO: (
            "both arms gain as much from exemplars, within "
            f"{percent(study.margins.equivalence)} points"
        ),
        Answer.CANNOT_TELL: "which arm leans more on exemplars cannot be told here",
    }
    return Statement(
        f"{_where(row)}: {said[decision.answer]}. In {row.metric} {arms[0]} gains "
        f"{points_range(row.base_gain.estimate)} points and {arms[1]} "
        f"{points_range(row.instruct_gain.estimate)}, a difference of "
        f"{points_range(row.difference.estimate)} over {counted(row.problems, 'problem')} "
        f"({judge_name(row.judge)}).",
        ("The paper says that base leans less on exemplars; its figures are not published.",),
    )


QUESTION = Question(
    name="exemplars",
    text="Which arm leans more on exemplars?",
    tables=(EXEMPLAR_GAINS,),
    statements=_statements,
    claims=_claims,
)
