"""Columns of the control tables; see ``columns`` for those of scores, gaps and drops."""

from collections.abc import Sequence

from distlab.analysis.intervals import Estimate
from distlab.report.columns import Column, label
from distlab.report.figures import (
    DASH,
    judge_name,
    p_value,
    parameter_count,
    percent,
    percent_interval,
    points_interval,
    share_of,
)
from distlab.report.records import (
    AcceptRow,
    ControlRow,
    CurveRow,
    ExcessRow,
    GridRow,
    Judge,
    NullRow,
    OutcomeRow,
    PromptRow,
    ReasonedGapRow,
    ReasoningRow,
    ReplicationRow,
    ScaleRow,
    StratumRow,
    TrendRow,
    UnpairedRow,
    WinnerRow,
)

# The k of the curve table (ours), beside the largest n.
_CURVE_KS = (1, 2, 5, 10, 20)

OUTCOME_COLUMNS: tuple[Column[OutcomeRow], ...] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("samples", lambda row: str(row.samples)),
    Column("correct", lambda row: percent(row.correct)),
    Column("wrong", lambda row: percent(row.wrong)),
    Column("no answer", lambda row: percent(row.no_answer)),
    Column("truncated", lambda row: percent(row.truncated)),
    Column("unjudged", lambda row: percent(row.unjudged)),
)

UNPAIRED_COLUMNS: tuple[Column[UnpairedRow], ...] = (
    label("family", lambda row: row.cell.family),
    label("arm", lambda row: row.cell.arm),
    label("prompt", lambda row: row.cell.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("from", lambda row: f"{row.before}, level {row.level}" if row.level else row.before),
    label("to", lambda row: row.cell.dataset),
    Column("problems", lambda row: f"{row.before_problems} → {row.after_problems}"),
    Column("drop (95 %)", lambda row: points_interval(row.change)),
    Column("paper's drop (95 %)", lambda row: points_interval(row.published)),
)

ACCEPT_COLUMNS: tuple[Column[AcceptRow], ...] = (
    label("dataset", lambda row: row.dataset),
    label("part", lambda row: row.part),
    label("held", lambda row: row.held),
    label("accepts", lambda row: row.accepts),
    label("rejects", lambda row: row.rejects),
    Column("samples of both", lambda row: str(row.samples)),
    Column("accepted by the first alone", lambda row: str(row.count)),
    Column("per cent", lambda row: share_of(row.count, row.samples)),
)

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

REASONING_COLUMNS: tuple[Column[ReasoningRow], ...] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("n", lambda row: str(row.cell.n)),
    Column("samples that reason", lambda row: percent(row.share)),
    Column("Pass@n (95 %)", lambda row: percent_interval(row.pass_n)),
    Column("Pass@n, those alone (95 %)", lambda row: percent_interval(row.reasoned)),
)

REASONED_GAP_COLUMNS: tuple[Column[ReasonedGapRow], ...] = (
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
)

NULL_COLUMNS: tuple[Column[NullRow], ...] = (
    label("dataset", lambda row: row.dataset),
    label("grader", lambda row: row.grader),
    label("answers", lambda row: f"0 to {row.answers - 1}"),
    Column("problems", lambda row: str(row.problems)),
    Column("solved (95 %)", lambda row: percent_interval(row.solved)),
)

EXCESS_COLUMNS: tuple[Column[ExcessRow], ...] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("n", lambda row: str(row.answers)),
    Column("problems", lambda row: str(row.problems)),
    Column("Pass@n", lambda row: percent(row.pass_n)),
    Column("null, n answers", lambda row: percent(row.null)),
    Column("beyond the null (95 %)", lambda row: points_interval(row.excess)),
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

STRATUM_COLUMNS: tuple[Column[StratumRow], ...] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("stratum", lambda row: row.stratum),
    label("value", lambda row: row.value),
    Column("problems", lambda row: str(row.gap.problems)),
    Column("base", lambda row: percent(row.gap.base)),
    Column("instruct", lambda row: percent(row.gap.instruct)),
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference)),
)

SCALE_COLUMNS: tuple[Column[ScaleRow], ...] = (
    label("source", lambda row: row.source),
    label("family", lambda row: row.family),
    Column("parameters", lambda row: parameter_count(row.parameters)),
    label("dataset", lambda row: row.dataset),
    label("prompt", lambda row: row.prompt or DASH),
    label("judge", lambda row: row.judge),
    label("score", lambda row: row.metric),
    Column("gap (95 %)", lambda row: points_interval(row.gap)),
)

TREND_COLUMNS: tuple[Column[TrendRow], ...] = (
    label("source", lambda row: row.source),
    label("dataset", lambda row: row.dataset),
    label("prompt", lambda row: row.prompt or DASH),
    label("judge", lambda row: row.judge),
    label("score", lambda row: row.metric),
    Column("families", lambda row: str(row.trend.families)),
    Column("change for ten times the size (95 %)", lambda row: points_interval(row.trend.slope)),
    Column("crosses zero at", lambda row: parameter_count(row.trend.crossing)),
)

REPLICATION_COLUMNS: tuple[Column[ReplicationRow], ...] = (
    label("family", lambda row: row.cell.family),
    label("dataset", lambda row: row.cell.dataset),
    label("prompt", lambda row: row.cell.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("figure", lambda row: row.figure),
    Column("paper (95 %)", lambda row: _replicated(row, row.published)),
    Column("ours (95 %)", lambda row: _replicated(row, row.ours)),
    label("judgement", lambda row: row.judgement),
    label("because", lambda row: row.reason),
)


def _replicated(row: ReplicationRow, estimate: Estimate) -> str:
    return (percent_interval if row.figure in ("base", "instruct") else points_interval)(estimate)


def winner_columns(judges: Sequence[Judge]) -> tuple[Column[WinnerRow], ...]:
    """A column of winners for each judge."""

    def under(judge: Judge) -> Column[WinnerRow]:
        return label(f"winner, {judge_name(judge)}", lambda row: row.winners.get(judge, DASH))

    return (
        label("family", lambda row: row.base.family),
        label("dataset", lambda row: row.base.dataset),
        label("prompt", lambda row: row.base.prompt),
        label("score", lambda row: row.metric),
        *map(under, judges),
        label("sign flips", lambda row: "yes" if row.flips else "no"),
    )


def curve_columns(rows: Sequence[CurveRow]) -> tuple[Column[CurveRow], ...]:
    """A column for some k, and for the largest n."""
    longest = max((row.cell.n for row in rows), default=0)

    def at(k: int) -> Column[CurveRow]:
        return Column(
            f"k = {k}", lambda row: percent(row.values[k - 1]) if k <= row.cell.n else DASH
        )

    return (
        label("cell", lambda row: row.cell.key),
        label("judge", lambda row: judge_name(row.judge)),
        *(at(k) for k in (*(k for k in _CURVE_KS if k < longest), longest)),
    )
