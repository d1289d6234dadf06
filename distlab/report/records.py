"""What the report is made of: verdicts as matrices, and one frozen record a table row.

Rates and scores are shares in [0, 1]; differences are instruct - base, or perturbed - original.
NaN stands for a figure that the data do not give.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from distlab.analysis.agreement import Agreement
from distlab.analysis.arrays import FloatArray
from distlab.analysis.controls import Decomposition
from distlab.analysis.drops import Drop
from distlab.analysis.gaps import Gap
from distlab.analysis.intervals import Estimate
from distlab.analysis.scale import Trend
from distlab.runs.manifest import Manifest
from distlab.runs.records import Judge, SampleKey
from distlab.store.cell import Cell


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One cell under one judge.

    Attributes:
        cell: The cell.
        judge: Extractor and grader.
        problems: Problems of the dataset.
        scored: Problems with a score: all samples judged, or failed.
        failed: Problems that could not be sampled; scored as unsolved.
        outside: Problems whose gold the grader does not judge; they have no score.
        incomplete: Other problems with fewer than n judged samples; they have no score.
        pass_n: Share of the scored problems with any correct sample among n.
        pass_1: Mean pass@1.
        majority: Mean maj@n.
        largest_delta: Mean score of CoT-decoding's ``max``; NaN in other arms.
        aggregate_delta: Mean score of CoT-decoding's ``agg``; NaN in other arms.
        samples: Stored samples.
        no_answer: Share of samples where the extractor found nothing.
        truncated: Share of samples cut off at max_tokens.
        distinct: Mean number of different answer strings a problem with all samples.
        unjudged: Samples on which the grader timed out or tripped; counted as not correct.
        missed: Share of samples with the gold in the text and no correct verdict.
    """

    cell: Cell
    judge: Judge
    problems: int
    scored: int
    failed: int
    outside: int
    incomplete: int
    pass_n: Estimate
    pass_1: Estimate
    majority: Estimate
    largest_delta: Estimate
    aggregate_delta: Estimate
    samples: int
    no_answer: float
    truncated: float
    distinct: float
    unjudged: int
    missed: float


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """Where the samples of one cell end under one judge; shares that add up to 1.

    Attributes:
        cell: The cell.
        judge: Extractor and grader.
        samples: Samples with a verdict; the shares are NaN without any.
        correct: Share judged correct.
        wrong: Share with a whole text and a wrong answer.
        no_answer: Share with a whole text and no answer.
        truncated: Share cut off at max_tokens and not correct.
        unjudged: Share with a whole text on which the grader timed out or tripped.
    """

    cell: Cell
    judge: Judge
    samples: int
    correct: float
    wrong: float
    no_answer: float
    truncated: float
    unjudged: float


@dataclass(frozen=True, slots=True, eq=False)
class CurveRow:
    """pass@1 to pass@n of one cell under one judge; ``values[k - 1]`` is pass@k."""

    cell: Cell
    judge: Judge
    values: FloatArray


@dataclass(frozen=True, slots=True)
class GapRow:
    """Two arms on the same problems, under one judge.

    Attributes:
        base: The base arm's cell.
        instruct: The instruct arm's cell.
        judge: Extractor and grader.
        metric: What is compared: "Pass@20", "pass@1", "one answer".
        primary: The study's own two arms (see ``pairing.comparisons``), not a control.
        headline: The metric at the largest k that both arms have, not one of the others.
        gap: Over all problems scored in both arms, failed ones as unsolved (the headline).
        sampled: The same over the problems that neither arm failed.
        holm: McNemar p, adjusted over the rows of the table with a p.
        detectable: Smallest true gap that this design finds with 80 % power.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    primary: bool
    headline: bool
    gap: Gap
    sampled: Gap
    holm: float
    detectable: float


@dataclass(frozen=True, slots=True)
class Sides:
    """The two problem sets of a perturbation drop."""

    before_dataset: str
    before_side: str
    after_dataset: str
    after_side: str


@dataclass(frozen=True, slots=True)
class DropRow:
    """The perturbation drop of one arm.

    Attributes:
        cell: The arm's cell on the perturbed side.
        judge: Extractor and grader.
        metric: "Pass@20", ...
        sides: The two problem sets.
        drop: Paired by problem.
        unpaired: Perturbed mean minus original mean over all problems of the two datasets' sides.
    """

    cell: Cell
    judge: Judge
    metric: str
    sides: Sides
    drop: Drop
    unpaired: Estimate


@dataclass(frozen=True, slots=True)
class UnpairedRow:
    """The drop as papers give it: one dataset's mean minus another's, problems unpaired.

    Attributes:
        cell: The arm's cell on the perturbed side.
        judge: Extractor and grader.
        metric: "Pass@20", ...
        before: The dataset of originals.
        level: The one level of the perturbed set, where the originals are cut to it; else empty.
        before_problems: Problems of the originals with a score.
        after_problems: Problems of the perturbed set with a score.
        change: Perturbed - original.
        published: The paper's figure of this family; NaN where it has none, and under a level.
    """

    cell: Cell
    judge: Judge
    metric: str
    before: str
    level: str
    before_problems: int
    after_problems: int
    change: Estimate
    published: Estimate


@dataclass(frozen=True, slots=True)
class DropGapRow:
    """Drop of the instruct arm minus drop of the base arm, over pairs that both have."""

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    sides: Sides
    pairs: int
    difference: Estimate


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """Two judges that differ in one part, on the same samples.

    Attributes:
        cell: The cell.
        part: What differs: "grader" or "extractor".
        held: Name of the part that does not.
        first: Name of the first grader or extractor.
        second: Name of the second.
        agreement: Over samples.
        first_solves: Problems that are solved (any of n) under the first alone.
        second_solves: Problems that are solved under the second alone.
    """

    cell: Cell
    part: str
    held: str
    first: str
    second: str
    agreement: Agreement
    first_solves: int
    second_solves: int


@dataclass(frozen=True, slots=True)
class AcceptRow:
    """What one grader (or extractor) lets pass that another does not, over a dataset's cells.

    Attributes:
        dataset: Name of the dataset.
        part: What differs: "grader" or "extractor".
        held: Name of the part that does not.
        accepts: Name of the one under which the samples are correct.
        rejects: Name of the one under which they are not.
        samples: Samples with a verdict under both.
        count: Samples that are correct under the one and not under the other.
    """

    dataset: str
    part: str
    held: str
    accepts: str
    rejects: str
    samples: int
    count: int


@dataclass(frozen=True, slots=True)
class WinnerRow:
    """Who wins a comparison under each judge.

    Attributes:
        base: The base arm's cell.
        instruct: The instruct arm's cell.
        metric: "Pass@20", ...
        winners: Judge to "base", "instruct" or "undecided", by the interval of the gap.
        flips: Whether the sign of the gap itself differs between judges.
    """

    base: Cell
    instruct: Cell
    metric: str
    winners: Mapping[Judge, str]
    flips: bool


@dataclass(frozen=True, slots=True)
class DisagreementRow:
    """A sample that one grader calls correct and another does not.

    Attributes:
        sample: The sample.
        accepts: Name of the grader that calls it correct.
        rejects: Name of the grader that does not.
        gold: The gold as the dataset publishes it.
        answer: What the extractor read; hostile.
    """

    sample: SampleKey
    accepts: str
    rejects: str
    gold: str
    answer: str


@dataclass(frozen=True, slots=True)
class ControlRow:
    """The study's gap split into model, decoding and interaction.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        metric: "Pass@20", ...
        parts: The split.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    parts: Decomposition


@dataclass(frozen=True, slots=True)
class GridRow:
    """One decoding of the 2 x D grid.

    Attributes:
        base: The base arm under this decoding.
        instruct: The instruct arm under it.
        judge: Extractor and grader.
        metric: "Pass@20", ...
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
    gap: Estimate
    effect: Estimate
    model: Estimate
    interaction: Estimate


@dataclass(frozen=True, slots=True)
class ReasoningRow:
    """Pass@n of one cell over all samples, and over those that reason before they answer.

    Attributes:
        cell: The cell.
        judge: Extractor and grader.
        share: Share of samples that reason.
        pass_n: Pass@n over all samples.
        reasoned: Share of problems with a correct sample that reasons.
    """

    cell: Cell
    judge: Judge
    share: float
    pass_n: Estimate
    reasoned: Estimate


@dataclass(frozen=True, slots=True)
class ReasonedGapRow:
    """The study's gap over samples that reason: answers given at once count for nobody.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        metric: "Pass@20", ...
        gap: Over all problems scored in both arms.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    gap: Gap


@dataclass(frozen=True, slots=True)
class NullRow:
    """What answering 0, 1, 2, ... to every problem of a dataset solves.

    Attributes:
        dataset: Name of the dataset.
        grader: Name of the grader.
        answers: Answers given: 10 are 0 to 9.
        problems: Problems whose gold the grader judges.
        solved: Share of them with the gold among the answers.
    """

    dataset: str
    grader: str
    answers: int
    problems: int
    solved: Estimate


@dataclass(frozen=True, slots=True)
class ExcessRow:
    """What an arm solves beyond the null model with as many answers, paired by problem.

    Attributes:
        cell: The arm's cell.
        judge: Extractor and grader.
        answers: Samples a problem, and answers of the null model.
        problems: Problems with a score.
        pass_n: Mean Pass@n of the arm.
        null: Mean of the null model on the same problems.
        excess: pass_n - null.
    """

    cell: Cell
    judge: Judge
    answers: int
    problems: int
    pass_n: float
    null: float
    excess: Estimate


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One arm under two prompts, paired by problem.

    Attributes:
        first: The cell with the first prompt of the config.
        second: The cell with another prompt.
        judge: Extractor and grader.
        metric: "Pass@20", ...
        problems: Problems with a score under both.
        before: Mean under the first.
        after: Mean under the second.
        change: Second - first.
        p: Exact McNemar p.
    """

    first: Cell
    second: Cell
    judge: Judge
    metric: str
    problems: int
    before: float
    after: float
    change: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class StratumRow:
    """The study's gap within one stratum.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        metric: "Pass@20", ...
        stratum: Name of the stratum: level, subject, ...
        value: Its value.
        gap: Over the problems of the stratum.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    stratum: str
    value: str
    gap: Gap


@dataclass(frozen=True, slots=True)
class ReplicationRow:
    """A figure of the paper beside ours.

    Attributes:
        cell: Our cell (of the instruct arm, for a gap).
        judge: Extractor and grader.
        figure: "base", "instruct", "gap" or "drop".
        published: The paper's figure.
        ours: Ours.
        judgement: replicated, not replicated or cannot tell.
        reason: Why it is another measurement than the paper's; empty where it is the same.
    """

    cell: Cell
    judge: Judge
    figure: str
    published: Estimate
    ours: Estimate
    judgement: str
    reason: str


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """A gap and the size of its family.

    Attributes:
        source: "ours", or "paper".
        family: Name of the family.
        parameters: Its parameters.
        dataset: Name of the dataset.
        prompt: Name of the prompt; empty where the paper does not say.
        judge: Ours: extractor / grader; the paper's: its grader.
        metric: "Pass@20", ...
        gap: instruct - base.
        error: Its standard error.
    """

    source: str
    family: str
    parameters: float
    dataset: str
    prompt: str
    judge: str
    metric: str
    gap: Estimate
    error: float


@dataclass(frozen=True, slots=True)
class TrendRow:
    """The straight line through the ``ScaleRow``s of one setting.

    Attributes:
        source: "ours", or "paper".
        dataset: Name of the dataset.
        prompt: Name of the prompt.
        judge: As in ``ScaleRow``.
        metric: "Pass@20", ...
        trend: The line over log10 of the parameters.
    """

    source: str
    dataset: str
    prompt: str
    judge: str
    metric: str
    trend: Trend


@dataclass(frozen=True, slots=True)
class StudyTables:
    """Everything the report shows.

    Attributes:
        manifest: What ran.
        judges: Extractors and graders, in the config's order.
        headlines: Cell key to the judge that stands for it where one must: of those that score
            most of its problems, the first (ours).
        arms: A row for each cell and judge.
        outcomes: Where samples end, the same rows.
        curves: pass@k curves, the same rows.
        gaps: Paired gaps.
        drops: Perturbation drops.
        drop_gaps: Differences of drops.
        unpaired: Drops as papers give them.
        agreements: Pairs of graders and of extractors.
        accepts: What each accepts that another rejects, over the cells of a dataset.
        winners: Winners under each judge.
        disagreements: Examples of samples on which graders disagree.
        controls: The study's gaps, split.
        grid: Gaps and effects of every decoding that both variants have.
        reasoning: Pass@n over samples that reason.
        reasoned_gaps: The study's gaps over samples that reason.
        nulls: What the null model solves.
        excesses: What arms solve beyond it.
        prompts: Arms under two prompts.
        strata: The study's gaps by stratum.
        scale: Gaps by size, ours and the paper's.
        trends: Lines through them.
        replications: The paper's figures beside ours.
        cannot: What the data cannot say, one sentence each.
        remarks: What was odd about the files.
    """

    manifest: Manifest
    judges: tuple[Judge, ...]
    headlines: Mapping[str, Judge]
    arms: tuple[ArmRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    curves: tuple[CurveRow, ...]
    gaps: tuple[GapRow, ...]
    drops: tuple[DropRow, ...]
    drop_gaps: tuple[DropGapRow, ...]
    unpaired: tuple[UnpairedRow, ...]
    agreements: tuple[AgreementRow, ...]
    accepts: tuple[AcceptRow, ...]
    winners: tuple[WinnerRow, ...]
    disagreements: tuple[DisagreementRow, ...]
    controls: tuple[ControlRow, ...]
    grid: tuple[GridRow, ...]
    reasoning: tuple[ReasoningRow, ...]
    reasoned_gaps: tuple[ReasonedGapRow, ...]
    nulls: tuple[NullRow, ...]
    excesses: tuple[ExcessRow, ...]
    prompts: tuple[PromptRow, ...]
    strata: tuple[StratumRow, ...]
    scale: tuple[ScaleRow, ...]
    trends: tuple[TrendRow, ...]
    replications: tuple[ReplicationRow, ...]
    cannot: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence that the intervals allow, with what bears on it.

    Attributes:
        text: The sentence.
        controls: What the controls say of it, one sentence each.
        warnings: Where a control explains it away, or the design cannot carry it.
    """

    text: str
    controls: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A question and its answers.

    Attributes:
        name: Short name, unique in a report.
        question: The question.
        statements: The answers, at least one; "cannot be said" is one.
        tables: Names of the tables behind it.
    """

    name: str
    question: str
    statements: tuple[Statement, ...]
    tables: tuple[str, ...]
