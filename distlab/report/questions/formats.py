"""Is it the checkpoint, or the format of the prompt?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Final

from distlab.analysis.claims import Answer, Claim, Explanation, Kind, differs, explains
from distlab.analysis.contrasts import Contrast
from distlab.analysis.factorial import FactorialSplit, split_gap
from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note, judge_name
from distlab.runs.pairing import ArmPair, metrics
from distlab.runs.scored import Judge
from distlab.runs.styles import crossed_formats
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.flat import Record
from distlab.tables.numbers import percent, points_interval, points_range

CHECKPOINT: Final = "checkpoint"
FORMAT: Final = "format"
DECODING: Final = "decoding"


@dataclass(frozen=True, slots=True)
class FormatRow:
    """The gap between base in plain text and instruct in a chat, split.

    Attributes:
        base: The base arm, prompted with plain text.
        instruct: The instruct arm, prompted with chat.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        split: The gap, and the parts that add up to it.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    split: FactorialSplit

    @property
    def key(self) -> tuple[Cell, Cell, Judge]:
        """Under which the parts are claimed."""
        return self.base, self.instruct, self.judge

    @property
    def where(self) -> str:
        """As in "qwen3-8b on gsm8k (plain, chat)"."""
        prompts = f"{self.base.prompt}, {self.instruct.prompt}"
        return f"{self.base.family} on {self.base.dataset} ({prompts})"

    @property
    def named(self) -> tuple[tuple[str, Contrast], ...]:
        """What is claimed of it: each main part, and all interactions together."""
        main = ((part[0], found) for part, found in self.split.parts.items() if len(part) == 1)
        return (*main, ("interactions", self.split.interactions))

    def part(self, *factors: str) -> Contrast | None:
        """What some factors make together; None where the arms do not differ in one of them."""
        return self.split.parts.get(factors)


def _rows(scored: ScoredStudy) -> Iterator[FormatRow]:
    """The study's own arms in settings that differ in the prompt's format alone."""
    manifest = scored.study.manifest
    primary = [pair for pair in scored.pairs if pair.primary]
    for one, other in combinations(primary, 2):
        found = crossed_formats(manifest, one.base, other.base)
        if found is None or crossed_formats(manifest, one.instruct, other.instruct) is None:
            continue
        plain, chat = (one, other) if found[0] is one.base else (other, one)
        for judge in scored.judges:
            if (row := _row(scored, plain, chat, judge)) is not None:
                yield row


def _row(scored: ScoredStudy, plain: ArmPair, chat: ArmPair, judge: Judge) -> FormatRow | None:
    base, instruct = plain.base, chat.instruct
    factors = (CHECKPOINT, FORMAT, *((DECODING,) if base.decoding != instruct.decoding else ()))
    cells = {frozenset(some): _cell(base, instruct, some) for some in _choices(factors)}
    scores = {key: scored.scores.get((cell.key, judge)) for key, cell in cells.items()}
    found = {key: each for key, each in scores.items() if each is not None}
    if len(found) < len(cells):
        return None
    metric = metrics(min(each.table.cell.n for each in found.values()))[0]
    arms = {key: metric.of(each) for key, each in found.items()}
    split = split_gap(arms, factors, found[frozenset()].table.sources)
    return FormatRow(base, instruct, judge, metric.name, split)


def _choices(factors: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every subset of the factors."""
    for chosen in product((False, True), repeat=len(factors)):
        yield tuple(name for name, is_in in zip(factors, chosen, strict=True) if is_in)


def _cell(base: Cell, instruct: Cell, some: Sequence[str]) -> Cell:
    """The base arm, some things of it as the instruct arm has them; its labels alone count."""
    return replace(
        base,
        variant=instruct.variant if CHECKPOINT in some else base.variant,
        prompt=instruct.prompt if FORMAT in some else base.prompt,
        decoding=instruct.decoding if DECODING in some else base.decoding,
    )


def _interval(row: FormatRow, *factors: str) -> str:
    part = row.part(*factors)
    return "–" if part is None else points_interval(part.estimate)


_COLUMNS: Columns[FormatRow] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompts", lambda row: f"{row.base.prompt} → {row.instruct.prompt}"),
    label("gap", lambda row: f"{row.instruct.arm} − {row.base.arm}"),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.split.problems)),
    Column("gap (95 %)", lambda row: points_interval(row.split.total.estimate)),
    Column("checkpoint (95 %)", lambda row: _interval(row, CHECKPOINT)),
    Column("format (95 %)", lambda row: _interval(row, FORMAT)),
    Column("decoding (95 %)", lambda row: _interval(row, DECODING)),
    Column("checkpoint x format", lambda row: _interval(row, CHECKPOINT, FORMAT), spare=1),
    Column("checkpoint x decoding", lambda row: _interval(row, CHECKPOINT, DECODING), spare=1),
    Column("format x decoding", lambda row: _interval(row, FORMAT, DECODING), spare=1),
    Column("all three", lambda row: _interval(row, CHECKPOINT, FORMAT, DECODING), spare=1),
    Column("plain for both", lambda row: points_interval(row.split.without[FORMAT].estimate)),
)


def _records(row: FormatRow) -> Iterator[Record]:
    """A record per part."""
    named = {"gap": row.split.total, "interactions": row.split.interactions}
    named |= {" x ".join(part): found for part, found in row.split.parts.items()}
    named["plain for both"] = row.split.without[FORMAT]
    for name, found in named.items():
        yield {
            "family": row.base.family,
            "dataset": row.base.dataset,
            "base": f"{row.base.arm}, {row.base.prompt}",
            "instruct": f"{row.instruct.arm}, {row.instruct.prompt}",
            "extractor": row.judge.extractor,
            "grader": row.judge.grader,
            "metric": row.metric,
            "problems": row.split.problems,
            "part": name,
            "value": found.estimate.value,
            "low": found.estimate.low,
            "high": found.estimate.high,
            "p": found.p,
        }


FORMATS = Table(
    "formats", "The gap in checkpoint, format and decoding, in points", _rows, _COLUMNS, _records
)


def _headline_rows(study: StudyTables) -> list[FormatRow]:
    return [row for row in study.rows(FORMATS) if study.is_headline(row.instruct, row.judge)]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That the gap and each part is there, and that the format explains the gap away."""
    margin = study.margins.equivalence
    for row in _headline_rows(study):
        where, split = f"{row.where}, {row.metric}", row.split
        for name, part in (("gap", split.total), *row.named):
            yield differs(Kind.FACTOR, (*row.key, name), f"{where}: {name}", part, margin)
        parts = Explanation(split.total, split.explained[FORMAT], split.without[FORMAT])
        yield explains(Kind.FORMAT_EXPLAINS, row.key, where, parts, margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """How each gap splits, and whether the format explains it away."""
    rows = _headline_rows(study)
    if not rows:
        yield cannot_say(
            "the split needs base and instruct under plain text and under chat; run with "
            "prompt=crossed, and with decoding=grid where their decodings differ"
        )
    for row in rows:
        (first, part), *others = row.named[:-1]
        said = [f"{_the(first)} makes {points_range(part.estimate)}"]
        said += [f"{_the(name)} {points_range(other.estimate)}" for name, other in others]
        yield Statement(
            f"{row.where}: of a gap of {points_range(row.split.total.estimate)} points in "
            f"{row.metric} {', '.join(said)} and their interactions "
            f"{points_range(row.split.interactions.estimate)}. {_told(study, row)}",
            tuple(_explained(study, row)),
        )


def _the(name: str) -> str:
    return name if name == DECODING else f"the {name}"


def _told(study: StudyTables, row: FormatRow) -> str:
    """Which parts are there, which are small, and of which neither can be told."""
    answers: dict[Answer, list[str]] = {}
    for name, _ in row.named:
        answer = study.decision(Kind.FACTOR, (*row.key, name)).answer
        answers.setdefault(answer, []).append(name)
    said = {
        Answer.YES: "Told from zero",
        Answer.NO: f"Within {percent(study.margins.equivalence)} points of zero",
        Answer.CANNOT_TELL: "Cannot be told from zero here",
    }
    return " ".join(f"{said[a]}: {', '.join(answers[a])}." for a in Answer if a in answers)


def _explained(study: StudyTables, row: FormatRow) -> Iterator[str]:
    """Whether the format explains away a gap that is there; nothing where none is told."""
    sign = study.decision(Kind.FACTOR, (*row.key, "gap")).direction
    if not sign:
        return
    decision = study.decision(Kind.FORMAT_EXPLAINS, row.key)
    left = points_range(row.split.without[FORMAT].estimate)
    both = f"with plain text for both, the gap is {left}"
    if decision.answer is Answer.YES:
        near = f"within {percent(study.margins.equivalence)} points of zero"
        yield f"The format explains it away: {both}, {near} ({holm_note(decision)})."
    elif decision.answer is Answer.CANNOT_TELL:
        yield f"Whether the format explains it away cannot be told apart here: {both}."
    elif decision.claim.direction == sign:
        yield f"The format does not explain it away: {both}, and stays."
    else:
        yield f"The format explains more than all of it: {both}, and the winner turns."


def _charts(study: StudyTables) -> Iterator[Chart]:
    """The parts of each gap."""
    rows = _headline_rows(study)
    several = len(rows) > 1
    series = [
        Series(
            name,
            "ours" if name == "gap" else "other",
            tuple(
                at_label(row.where if several else part, found.estimate)
                for row in rows
                for part, found in (("gap", row.split.total), *row.named)
                if part == name
            ),
        )
        for name in ("gap", CHECKPOINT, FORMAT, DECODING, "interactions")
    ]
    shown = [each for each in series if each.marks]
    yield from interval_chart(
        "formats", "The gap in parts, the format apart", "points; they add up to the gap", shown
    )


_TERMS: Final[tuple[Term, ...]] = (
    (
        "checkpoint; format; decoding",
        "the gap between base in plain text and instruct in a chat, with one instruction, one cue, "
        "the same exemplars and the same stop strings. Each part is what one of the three changes "
        "alone, starting from the base arm; a x b is what both together change beyond that. All "
        "parts add up to the gap.",
    ),
    ("plain for both", "the gap that is left where instruct reads plain text, too."),
)
QUESTION = Question(
    name="formats",
    text="Is it the checkpoint, or the format of the prompt?",
    tables=(FORMATS,),
    statements=_statements,
    charts=_charts,
    claims=_claims,
    terms=_TERMS,
)
