"""Is it the model, or the decoding?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from distlab.analysis.controls import decompose, grid_effects
from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.records import ControlRow, GridRow, Statement, StudyTables
from distlab.report.wording import cannot_say, judge_name, setting
from distlab.runs.pairing import Comparison, Metric, ScoreMap, metrics
from distlab.runs.records import Judge
from distlab.store.cell import Cell
from distlab.tables.column import Column, label
from distlab.tables.numbers import points_interval, points_range


def say_decoding(study: StudyTables) -> Iterator[Statement]:
    """How each gap splits into model, decoding and interaction."""
    rows = [r for r in study.controls if r.judge == study.headlines[r.instruct.key]]
    if not rows:
        yield cannot_say(
            "the split needs both variants under both decodings of the study; "
            "run with decoding=grid, or with the experiment controls"
        )
    yield from (_split(study, row) for row in rows)


def _split(study: StudyTables, row: ControlRow) -> Statement:
    parts = row.parts
    named = [
        name
        for name, part in (
            ("the model", parts.model),
            ("the decoding", parts.decoding),
            ("their interaction", parts.interaction),
        )
        if part.sign
    ]
    shown = f"the part of {' and of '.join(named)}" if named else "no part"
    text = (
        f"{setting(row.base)}: of a gap of {points_range(parts.total)} points the model makes "
        f"{points_range(parts.model)}, decoding {points_range(parts.decoding)} and their "
        f"interaction {points_range(parts.interaction)}; {shown} is told from zero."
    )
    grid = [
        r
        for r in study.grid
        if setting(r.base) == setting(row.base) and (r.judge, r.metric) == (row.judge, row.metric)
    ]
    controls = [f"Under {r.base.decoding} for both: {points_range(r.gap)}." for r in grid]
    if grid:
        controls.append(f"Over the grid's decodings: {points_range(grid[0].model)}.")
    return Statement(text, tuple(controls))


CONTROL_COLUMNS: tuple[Column[ControlRow], ...] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("gap", lambda row: f"{row.instruct.arm} − {row.base.arm}"),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.parts.problems)),
    Column("gap (95 %)", lambda row: points_interval(row.parts.total)),
    Column("model (95 %)", lambda row: points_interval(row.parts.model)),
    Column("decoding (95 %)", lambda row: points_interval(row.parts.decoding)),
    Column("interaction (95 %)", lambda row: points_interval(row.parts.interaction)),
    Column("model, both decodings (95 %)", lambda row: points_interval(row.parts.model_mean)),
)
GRID_COLUMNS: tuple[Column[GridRow], ...] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("decoding", lambda row: row.base.decoding),
    Column("problems", lambda row: str(row.problems)),
    Column("gap under it (95 %)", lambda row: points_interval(row.gap)),
    Column("model: gap over the grid (95 %)", lambda row: points_interval(row.model)),
    Column("decoding: effect of it (95 %)", lambda row: points_interval(row.effect)),
    Column("interaction (95 %)", lambda row: points_interval(row.interaction)),
)


def split_charts(study: StudyTables) -> Iterator[Chart]:
    """The parts of each gap."""
    rows = [row for row in study.controls if row.judge == study.headlines[row.instruct.key]]
    several = len(rows) > 1
    marks = {
        part: tuple(
            at_label(setting(row.base) if several else part, getattr(row.parts, field))
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
    title = f"The gap in parts: {setting(rows[0].base)}" if len(rows) == 1 else "The gap in parts"
    yield from interval_chart("parts", title, "points; they add up to the gap", series)


def control_rows(
    pairs: Sequence[Comparison], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[ControlRow]:
    """Split the study's gaps where all four arms of the 2 x 2 grid are there."""
    for pair in pairs:
        base, instruct = pair.base, pair.instruct
        if not pair.primary or base.decoding == instruct.decoding:
            continue
        # The base model decoded as the instruct arm is, and the other way round.
        crossed = replace(base, decoding=instruct.decoding), replace(base, variant="instruct")
        keys = [cell.key for cell in (base, *crossed, instruct)]
        for judge in judges:
            if all((key, judge) in scores for key in keys):
                arms = [scores[key, judge] for key in keys]
                metric = metrics(min(arm.table.cell.n for arm in arms))[0]
                parts = decompose(*map(metric.of, arms))
                yield ControlRow(base, instruct, judge, metric.name, parts)


def grid_rows(
    cells: Sequence[Cell], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[GridRow]:
    """Every decoding that both variants have, in settings with at least two of them.

    Arms are compared at one k. Greedy decoding has one sample, so it joins at pass@1 only, and the
    grid is made twice: at the k of the wide arms, and at k = 1 with all arms (ours).
    """
    for judge in judges:
        for columns in _grids(cells, judge, scores):
            sizes = sorted({min(base.n, instruct.n) for base, instruct in columns})
            # Of what is drawn until solved there is no pass@1.
            whole = not any(cell.until_solved for pair in columns for cell in pair)
            for k in sorted({1, sizes[-1]} if whole else {sizes[-1]}, reverse=True):
                wide = [pair for pair in columns if min(pair[0].n, pair[1].n) >= k]
                if len(wide) > 1:
                    yield from _grid(wide, metrics(k)[0], judge, scores)


def _grids(
    cells: Sequence[Cell], judge: Judge, scores: ScoreMap
) -> Iterator[list[tuple[Cell, Cell]]]:
    """The (base, instruct) cells of equal decoding, for each family, dataset and prompt."""
    scored = {cell.key: cell for cell in cells if (cell.key, judge) in scores}
    grids: dict[tuple[str, str, str], list[tuple[Cell, Cell]]] = {}
    for cell in scored.values():
        twin = scored.get(replace(cell, variant="instruct").key)
        if cell.variant == "base" and twin is not None:
            grids.setdefault((cell.family, cell.dataset, cell.prompt), []).append((cell, twin))
    yield from grids.values()


def _grid(
    columns: Sequence[tuple[Cell, Cell]], metric: Metric, judge: Judge, scores: ScoreMap
) -> Iterator[GridRow]:
    effects = grid_effects(
        [metric.of(scores[base.key, judge]) for base, _ in columns],
        [metric.of(scores[instruct.key, judge]) for _, instruct in columns],
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
