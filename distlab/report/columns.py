"""Column: a table's header beside the text of its cells, so that the two cannot part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from distlab.report.figures import (
    DASH,
    decimal,
    judge_name,
    p_value,
    percent,
    percent_interval,
    points_interval,
    sides_name,
)
from distlab.report.records import (
    AgreementRow,
    ArmRow,
    DisagreementRow,
    DropGapRow,
    DropRow,
    GapRow,
)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column.

    Attributes:
        title: The header, not yet escaped.
        text: A row to the text of its cell, not yet escaped.
        number: Aligned to the right; holds figures that ``figures`` wrote, so nothing to escape.
    """

    title: str
    text: Callable[[Row], str]
    number: bool = True


def label(title: str, text: Callable[[Row], str]) -> Column[Row]:
    """A column of text."""
    return Column(title, text, number=False)


def arm_columns(pass_n: str) -> tuple[Column[ArmRow], ...]:
    """The arms; ``pass_n`` is "Pass@20" or "Pass@n"."""
    return (
        label("family", lambda row: row.cell.family),
        label("arm", lambda row: row.cell.arm),
        label("dataset", lambda row: row.cell.dataset),
        label("prompt", lambda row: row.cell.prompt),
        label("judge", lambda row: judge_name(row.judge)),
        Column("n", lambda row: str(row.cell.n)),
        Column("problems", lambda row: str(row.problems)),
        Column("scored", lambda row: str(row.scored)),
        Column(pass_n, lambda row: percent_interval(row.pass_n)),
        Column("pass@1", lambda row: percent_interval(row.pass_1)),
        Column(pass_n.replace("Pass", "maj"), lambda row: percent(row.majority.value)),
        Column("max", lambda row: percent(row.largest_delta.value)),
        Column("agg", lambda row: percent(row.aggregate_delta.value)),
        Column("no answer", lambda row: percent(row.no_answer)),
        Column("truncated", lambda row: percent(row.truncated)),
        Column("distinct", lambda row: decimal(row.distinct)),
        Column("unjudged", lambda row: str(row.unjudged)),
        Column("gold missed", lambda row: percent(row.missed)),
        Column("failed", lambda row: str(row.failed)),
        Column("not judged", lambda row: str(row.outside)),
        Column("incomplete", lambda row: str(row.incomplete)),
    )


def compact_arm_columns(pass_n: str) -> tuple[Column[ArmRow], ...]:
    """The arms, for a terminal."""
    return (
        label("arm", lambda row: row.cell.arm),
        label("family", lambda row: row.cell.family),
        label("dataset", lambda row: row.cell.dataset),
        label("prompt", lambda row: row.cell.prompt),
        label("judge", lambda row: judge_name(row.judge)),
        *([Column("n", lambda row: str(row.cell.n))] if pass_n == "Pass@n" else []),
        Column("problems", _problems),
        Column(pass_n, lambda row: percent(row.pass_n.value)),
        Column("pass@1", lambda row: percent(row.pass_1.value)),
        Column(pass_n.replace("Pass", "maj"), lambda row: percent(row.majority.value)),
        Column("no answer", lambda row: percent(row.no_answer)),
        Column("truncated", lambda row: percent(row.truncated)),
        Column("distinct", lambda row: decimal(row.distinct)),
        Column("failed", lambda row: str(row.failed)),
    )


def _problems(row: ArmRow) -> str:
    if row.scored == row.problems:
        return str(row.problems)
    return f"{row.scored} of {row.problems}"


def _clustered(row: GapRow) -> str:
    shared = row.gap.clusters < row.gap.problems
    return points_interval(row.gap.clustered) if shared else DASH


def _sampled(row: GapRow) -> str:
    if row.sampled.problems == row.gap.problems:
        return DASH
    return f"{points_interval(row.sampled.difference)} ({row.sampled.problems})"


GAP_COLUMNS: tuple[Column[GapRow], ...] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("base arm", lambda row: row.base.arm),
    label("instruct arm", lambda row: row.instruct.arm),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.gap.problems)),
    Column("base", lambda row: percent(row.gap.base)),
    Column("instruct", lambda row: percent(row.gap.instruct)),
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference)),
    Column("clusters", lambda row: str(row.gap.clusters)),
    Column("clustered (95 %)", _clustered),
    Column("base only", lambda row: str(row.gap.base_only)),
    Column("instruct only", lambda row: str(row.gap.instruct_only)),
    Column("p", lambda row: p_value(row.gap.p)),
    Column("Holm", lambda row: p_value(row.holm)),
    Column("gap, both sampled", _sampled),
    Column("detectable", lambda row: percent(row.detectable)),
)


COMPACT_GAP_COLUMNS: tuple[Column[GapRow], ...] = (
    label("judge", lambda row: judge_name(row.judge)),
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("score", lambda row: row.metric),
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference)),
    Column("McNemar p", lambda row: p_value(row.gap.p)),
)

DROP_COLUMNS: tuple[Column[DropRow], ...] = (
    label("family", lambda row: row.cell.family),
    label("arm", lambda row: row.cell.arm),
    label("prompt", lambda row: row.cell.prompt),
    label("sides", lambda row: sides_name(row.sides)),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("pairs", lambda row: str(row.drop.pairs)),
    Column("original", lambda row: percent(row.drop.before)),
    Column("perturbed", lambda row: percent(row.drop.after)),
    Column("drop (95 %)", lambda row: points_interval(row.drop.change)),
    Column("unpaired (95 %)", lambda row: points_interval(row.unpaired)),
)

COMPACT_DROP_COLUMNS: tuple[Column[DropRow], ...] = (
    label("arm", lambda row: row.cell.arm),
    label("family", lambda row: row.cell.family),
    label("prompt", lambda row: row.cell.prompt),
    label("sides", lambda row: sides_name(row.sides)),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("pairs", lambda row: str(row.drop.pairs)),
    Column("drop (95 %)", lambda row: points_interval(row.drop.change)),
)

DROP_GAP_COLUMNS: tuple[Column[DropGapRow], ...] = (
    label("family", lambda row: row.base.family),
    label("prompt", lambda row: row.base.prompt),
    label("sides", lambda row: sides_name(row.sides)),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("base arm", lambda row: row.base.arm),
    label("instruct arm", lambda row: row.instruct.arm),
    Column("pairs", lambda row: str(row.pairs)),
    Column("drop of instruct − base (95 %)", lambda row: points_interval(row.difference)),
)

AGREEMENT_COLUMNS: tuple[Column[AgreementRow], ...] = (
    label("cell", lambda row: row.cell.key),
    label("part", lambda row: row.part),
    label("held", lambda row: row.held),
    label("first", lambda row: row.first),
    label("second", lambda row: row.second),
    Column("samples", lambda row: str(row.agreement.samples)),
    Column("agree", lambda row: percent(row.agreement.rate)),
    Column("kappa", lambda row: decimal(row.agreement.kappa)),
    Column("samples, first only", lambda row: str(row.agreement.first_only)),
    Column("samples, second only", lambda row: str(row.agreement.second_only)),
    Column("problems, first only", lambda row: str(row.first_solves)),
    Column("problems, second only", lambda row: str(row.second_solves)),
)

DISAGREEMENT_COLUMNS: tuple[Column[DisagreementRow], ...] = (
    label("cell", lambda row: row.sample.cell),
    label("extractor", lambda row: row.sample.extractor),
    label("problem", lambda row: row.sample.problem_id),
    Column("rank", lambda row: str(row.sample.rank)),
    label("accepts", lambda row: row.accepts),
    label("rejects", lambda row: row.rejects),
    label("gold", lambda row: row.gold),
    label("answer", lambda row: row.answer),
)
