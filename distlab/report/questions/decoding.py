"""Is it the model, or the decoding?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from distlab.analysis.claims import Answer, Claim, Explanation, Kind, differs, explains
from distlab.analysis.contrasts import Contrast
from distlab.analysis.controls import Decomposition, decompose, grid_effects
from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import between, judge_name, model_part
from distlab.runs.pairing import ArmPair, Metric, ScoreMap, metrics
from distlab.runs.scored import Judge
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, points_interval, points_range


@dataclass(frozen=True, slots=True)
class ControlRow:
    """The study's gap split into model, decoding and interaction.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        parts: The gap, and the parts that add up to it.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    parts: Decomposition


def _control_rows(scored: ScoredStudy) -> Iterator[ControlRow]:
    """Split the study's gaps where all four arms of the 2 x 2 grid are there."""
    scores = scored.scores
    for pair in scored.pairs:
        base, instruct = pair.base, pair.instruct
        if not pair.primary or base.decoding == instruct.decoding:
            continue
        # The base model decoded as the instruct arm is, and the other way round.
        crossed = (
            replace(base, decoding=instruct.decoding),
            replace(base, variant=instruct.variant),
        )
        keys = [cell.key for cell in (base, *crossed, instruct)]
        for judge in scored.judges:
            if all((key, judge) in scores for key in keys):
                arms = [scores[key, judge] for key in keys]
                metric = metrics(min(arm.table.cell.n for arm in arms))[0]
                b1, b2, i1, i2 = map(metric.of, arms)
                parts = decompose(b1, b2, i1, i2, arms[0].table.sources)
                yield ControlRow(base, instruct, judge, metric.name, parts)


_CONTROL_COLUMNS: Columns[ControlRow] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("gap", lambda row: f"{row.instruct.arm} − {row.base.arm}"),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.parts.problems)),
    Column("gap (95 %)", lambda row: points_interval(row.parts.total.estimate)),
    Column("model (95 %)", lambda row: points_interval(row.parts.model.estimate)),
    Column("decoding (95 %)", lambda row: points_interval(row.parts.decoding.estimate)),
    Column("interaction (95 %)", lambda row: points_interval(row.parts.interaction.estimate)),
    Column(
        "model, both decodings (95 %)", lambda row: points_interval(row.parts.model_mean.estimate)
    ),
)
CONTROLS = Table("controls", "The gap in parts, in points", _control_rows, _CONTROL_COLUMNS)


@dataclass(frozen=True, slots=True)
class GridRow:
    """One decoding of the 2 x D grid.

    Attributes:
        base: The base arm under this decoding.
        instruct: The instruct arm under it.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        problems: Problems with a score in every arm of the grid.
        gap: instruct - base under this decoding.
        effect: The decoding's mean over both variants minus the mean over the grid.
        model: instruct - base over all decodings of the grid.
        interaction: ``gap`` minus ``model``.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    problems: int
    gap: Contrast
    effect: Contrast
    model: Contrast
    interaction: Contrast


def _grid_rows(scored: ScoredStudy) -> Iterator[GridRow]:
    """Every decoding that both variants have, in settings with at least two of them.

    Arms are compared at one k. Greedy decoding has one sample, so it joins at pass@1 only, and the
    grid is made twice: at the k of the wide arms, and at k = 1 with all arms (ours).
    """
    for judge in scored.judges:
        for columns in _grids(scored.pairs, judge, scored.scores):
            sizes = sorted({min(base.n, instruct.n) for base, instruct in columns})
            # Of what is drawn until solved there is no pass@1.
            whole = not any(cell.until_solved for pair in columns for cell in pair)
            for k in sorted({1, sizes[-1]} if whole else {sizes[-1]}, reverse=True):
                wide = [pair for pair in columns if min(pair[0].n, pair[1].n) >= k]
                if len(wide) > 1:
                    yield from _grid(wide, metrics(k)[0], judge, scored.scores)


def _grids(
    pairs: Sequence[ArmPair], judge: Judge, scores: ScoreMap
) -> Iterator[list[tuple[Cell, Cell]]]:
    """The (base, instruct) cells of equal decoding, per setting and pair of stages."""
    grids: dict[tuple[str, ...], list[tuple[Cell, Cell]]] = {}
    for pair in pairs:
        base, instruct = pair.base, pair.instruct
        both = (base.key, judge) in scores and (instruct.key, judge) in scores
        if both and base.decoding == instruct.decoding:
            key = (base.family, base.dataset, base.prompt, base.variant, instruct.variant)
            grids.setdefault(key, []).append((base, instruct))
    yield from grids.values()


def _grid(
    columns: Sequence[tuple[Cell, Cell]], metric: Metric, judge: Judge, scores: ScoreMap
) -> Iterator[GridRow]:
    effects = grid_effects(
        [metric.of(scores[base.key, judge]) for base, _ in columns],
        [metric.of(scores[instruct.key, judge]) for _, instruct in columns],
        scores[columns[0][0].key, judge].table.sources,
    )
    for place, (base, instruct) in enumerate(columns):
        yield GridRow(
            base=base,
            instruct=instruct,
            judge=judge,
            metric=metric.name,
            problems=effects.problems,
            gap=effects.gaps[place],
            effect=effects.decodings[place],
            model=effects.model,
            interaction=effects.interactions[place],
        )


_GRID_COLUMNS: Columns[GridRow] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("decoding", lambda row: row.base.decoding),
    Column("problems", lambda row: str(row.problems)),
    Column("gap under it (95 %)", lambda row: points_interval(row.gap.estimate)),
    Column("model: gap over the grid (95 %)", lambda row: points_interval(row.model.estimate)),
    Column("decoding: effect of it (95 %)", lambda row: points_interval(row.effect.estimate)),
    Column("interaction (95 %)", lambda row: points_interval(row.interaction.estimate)),
)
GRID = Table("grid", "Every decoding that both variants have, in points", _grid_rows, _GRID_COLUMNS)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """How each gap splits into model, decoding and interaction."""
    rows = _headline_rows(study)
    if not rows:
        yield cannot_say(
            "the split needs both variants under both decodings of the study; "
            "run with decoding=grid, or with the experiment controls"
        )
    yield from (_control_statement(study, row) for row in rows)


def _control_statement(study: StudyTables, row: ControlRow) -> Statement:
    parts, where = row.parts, between(row.base, row.instruct)
    text = (
        f"{where}: of a gap of {points_range(parts.total.estimate)} points "
        f"{model_part(study.manifest, row.base, row.instruct)} makes "
        f"{points_range(parts.model.estimate)}, decoding "
        f"{points_range(parts.decoding.estimate)} and their interaction "
        f"{points_range(parts.interaction.estimate)}. {_told(study, row)}"
    )
    grid = [
        r
        for r in study.rows(GRID)
        if between(r.base, r.instruct) == where and (r.judge, r.metric) == (row.judge, row.metric)
    ]
    controls = [f"Under {r.base.decoding} for both: {points_range(r.gap.estimate)}." for r in grid]
    if grid:
        controls.append(f"Over the grid's decodings: {points_range(grid[0].model.estimate)}.")
    return Statement(text, tuple(controls))


def _told(study: StudyTables, row: ControlRow) -> str:
    """Which parts are there, which are small, and of which neither can be told."""
    answers: dict[Answer, list[str]] = {}
    for name, _ in _parts(row):
        answer = study.decision(Kind.PART, (*_key(row), name)).answer
        answers.setdefault(answer, []).append(name)
    said = {
        Answer.YES: "Told from zero",
        Answer.NO: f"Within {percent(study.margins.equivalence)} points of zero",
        Answer.CANNOT_TELL: "Cannot be told from zero here",
    }
    return " ".join(f"{said[a]}: {', '.join(answers[a])}." for a in Answer if a in answers)


def _headline_rows(study: StudyTables) -> list[ControlRow]:
    return [row for row in study.rows(CONTROLS) if study.is_headline(row.instruct, row.judge)]


def _parts(row: ControlRow) -> tuple[tuple[str, Contrast], ...]:
    parts = row.parts
    return (
        ("model", parts.model),
        ("decoding", parts.decoding),
        ("interaction", parts.interaction),
    )


def _key(row: ControlRow) -> tuple[Cell, Cell, Judge]:
    return row.base, row.instruct, row.judge


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That each part is there, and that decoding explains the gap away."""
    margin = study.margins.equivalence
    for row in _headline_rows(study):
        where = f"{between(row.base, row.instruct)}, {row.metric}"
        for name, part in _parts(row):
            yield differs(Kind.PART, (*_key(row), name), f"{where}: {name}", part, margin)
        parts = row.parts
        split = Explanation(parts.total, parts.explained, parts.model)
        yield explains(Kind.DECODING_EXPLAINS, _key(row), where, split, margin)


def _charts(study: StudyTables) -> Iterator[Chart]:
    """The parts of each gap."""
    rows = _headline_rows(study)
    several = len(rows) > 1
    marks = {
        part: tuple(
            at_label(
                between(row.base, row.instruct) if several else part,
                getattr(row.parts, field).estimate,
            )
            for row in rows
        )
        for part, field in (
            ("gap", "total"),
            ("model", "model"),
            ("decoding", "decoding"),
            ("interaction", "interaction"),
        )
    }
    series = [
        Series(part, "ours" if part == "gap" else "other", found) for part, found in marks.items()
    ]
    title = "The gap in parts"
    if len(rows) == 1:
        title += f": {between(rows[0].base, rows[0].instruct)}"
    yield from interval_chart("parts", title, "points; they add up to the gap", series)


_TERMS: Final[tuple[Term, ...]] = (
    (
        "model; decoding; interaction",
        "the gap's parts; they sum to it. model: the instruct model, with its prompt format and "
        "stop strings, decoded as the base arm is, minus the base arm. decoding: the base model "
        "decoded as the instruct arm is, minus the base arm. Over the grid of all decodings that "
        "both variants have, model is instruct − base over all of them, decoding a decoding's mean "
        "over both variants minus the grid's, interaction a decoding's gap minus the model part.",
    ),
)
QUESTION = Question(
    name="decoding",
    text="Is it the model, or the decoding?",
    tables=(CONTROLS, GRID),
    statements=_statements,
    charts=_charts,
    claims=_claims,
    terms=_TERMS,
)
