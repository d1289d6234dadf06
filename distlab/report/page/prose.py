"""What the report says in words: the columns and the methods."""

from typing import Final

from distlab.analysis.intervals import DRAWS, SEED
from distlab.analysis.nulls import REASONING_CHARACTERS
from distlab.analysis.replication import PRECISION

_PRECISION_POINTS: Final = round(100 * PRECISION)

# Columns and what they mean.
COLUMNS: Final[tuple[tuple[str, str], ...]] = (
    ("arm; n", "variant / decoding; samples per problem."),
    (
        "problems; scored",
        "problems of the dataset; those that the scores are means over: all n samples judged, or "
        "failed.",
    ),
    (
        "failed",
        "problems that could not be sampled (prompt too long, ...); they count as unsolved.",
    ),
    (
        "not judged; incomplete",
        "problems whose gold the grader does not judge; problems with fewer than n judged samples "
        "(an interrupted run). Both are in no score.",
    ),
    (
        "Pass@n",
        "share of problems with at least one correct sample among n, with Wilson's 95 % interval.",
    ),
    (
        "pass@1",
        "mean share of correct samples; for CoT-decoding the top-ranked branch's verdict, which is "
        "greedy decoding.",
    ),
    ("maj@n", "share of problems whose commonest answer string is correct."),
    (
        "max; agg",
        "CoT-decoding's own single answers: the branch of largest delta, and the answer whose "
        "deltas sum highest.",
    ),
    (
        "no answer; truncated; unjudged",
        "share of stored samples where the extractor found nothing; that ended at max_tokens; "
        "samples on which the grader timed out or tripped, which are not correct. Where samples "
        "end, the shares add up: a correct sample counts as correct even if it was cut off.",
    ),
    (
        "gold missed",
        "share of stored samples that hold the gold's text without a correct verdict: an upper "
        "bound on what extraction and grading lose (a short gold turns up by chance).",
    ),
    ("distinct", "mean number of different answer strings per problem."),
    (
        "gap",
        "instruct − base in percentage points over the same problems. base only, instruct only: "
        "problems on which that arm scores higher. p: exact McNemar. Holm: adjusted over the rows "
        "of the table with the same score.",
    ),
    (
        "detectable",
        "smallest true gap, in points, that this many problems would have shown with 80 % power at "
        "the spread that was observed.",
    ),
    (
        "drop",
        "perturbed − original in percentage points, paired by problem; negative is worse. "
        "unpaired: difference of the two sets' means, as papers give it; the sets differ in more "
        "than the perturbation.",
    ),
    (
        "model; decoding; interaction",
        "the gap's parts; they sum to it. model: the instruct model decoded as the base arm is, "
        "minus the base arm. decoding: the base model decoded as the instruct arm is, minus the "
        "base arm. Over the grid of all decodings that both variants have, model is instruct − "
        "base over all of them, decoding a decoding's mean over both variants minus the grid's, "
        "interaction a decoding's gap minus the model part.",
    ),
    (
        "samples that reason",
        f"those with at least {REASONING_CHARACTERS} characters of text before the answer (ours).",
    ),
    (
        "null; beyond the null",
        "share of problems that answering 0, 1, 2, ... to every one of them solves, graded by the "
        "same graders; Pass@n minus that with n answers, paired by problem.",
    ),
    ("paper", "the published figure with the interval that its number of problems gives."),
)

METHODS: Final[tuple[str, ...]] = (
    "pass@k of independent draws is the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374). "
    "CoT-decoding's branches are ranked, not independent: their pass@k is \u201cany correct among "
    "the k top-ranked\u201d (arXiv 2402.10200). At k = n both are \u201cany correct\u201d.",
    "The headline gap is over all problems scored in both arms, with a problem that failed in an "
    "arm counted as unsolved there (ours); where any failed, the gap over the problems that both "
    "arms sampled stands beside it.",
    "Intervals of gaps and drops are percentile bootstrap intervals of the paired differences: "
    f"{DRAWS} resamples of problems (of pairs, for drops), seed {SEED}. Where all differences are "
    "equal there is no interval: a dash, not a width of zero (ours).",
    "The clustered interval follows Miller (arXiv 2411.00640) with Student's t over clusters "
    "(ours); it is shown where problems share a source.",
    "p is the exact two-sided McNemar test on discordant problems, without a value where scores "
    "are not 0 or 1. A gap whose interval excludes zero is said to have a winner, with a warning "
    "where the test, after Holm, does not confirm it at 5 %.",
    "Arms of different n are compared at the smaller n, and the score's name says which (ours).",
    "maj@n and agg vote by answer string; samples without an answer do not vote; a tie goes to the "
    "answer that came first (ours). \u201cone answer\u201d compares agg (CoT-decoding) with maj@n "
    "(ours).",
    "Deltas belong to the answer span that the extractor \u201crules\u201d finds, whichever "
    "extractor a row names.",
    "Prompts and strata are compared like arms, paired by problem; their intervals are not "
    "adjusted for the number of rows.",
    "The trend with size is a straight line over log10 of the parameters, weighted by the gaps' "
    "errors and widened where families scatter more than those say (the Birge ratio, with "
    "Student's t; ours); it needs three families of two sizes.",
    "A figure of the paper (arXiv 2601.13244) is judged against our cell of the same family, "
    "dataset, prompt, arm and grader, and only at n = 20 over all its problems. \u201cnot "
    "replicated\u201d: the two 95 % intervals do not touch. \u201creplicated\u201d: the published "
    f"figure lies inside our interval, which is within {_PRECISION_POINTS} points on either side. "
    "Anything else: \u201ccannot tell\u201d (ours). The paper's \u201cstandard\u201d grader is "
    "not defined in public, so ours may differ from it.",
    "Where one judge (extractor and grader) must stand for a cell, it is the first of those that "
    "score most of its problems (ours). Timeouts and errors of a grader count as not correct. "
    "Agreement is over correct against everything else.",
)
