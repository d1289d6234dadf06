"""What the report says of its methods."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from distlab.analysis.intervals import RESAMPLES, SEED
from distlab.analysis.replication import PRECISION
from distlab.runs.manifest import Manifest

_PRECISION_POINTS: Final = round(100 * PRECISION)

_METHODS: Final[tuple[str, ...]] = (
    "\u201c(ours)\u201d marks a choice of ours where the paper or the work cited is silent.",
    "pass@k of independent draws is the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374). "
    "CoT-decoding's branches are ranked, not independent: their pass@k is \u201cany correct among "
    "the k top-ranked\u201d (arXiv 2402.10200). At k = n both are \u201cany correct\u201d.",
    "The headline gap is over all problems scored in both arms, with a problem that failed in an "
    "arm counted as unsolved there (ours); where any failed, the gap over the problems that both "
    "arms sampled stands beside it.",
    "Intervals of gaps and drops are percentile bootstrap intervals of the paired differences: "
    f"{RESAMPLES} resamples of problems (of pairs, for drops), seed {SEED}. Where all differences "
    "are equal there is no interval: a dash, not a width of zero (ours).",
    "The clustered interval follows Miller (arXiv 2411.00640) with Student's t over clusters "
    "(ours); it is shown where problems share a source.",
    "p is the exact two-sided McNemar test on discordant problems, without a value where scores "
    "are not 0 or 1. A gap whose interval excludes zero is said to have a winner, with a warning "
    "where the test, after Holm, does not confirm it at 5 %.",
    "Arms of different n are compared at the smaller n, and the score's name says which (ours).",
    "maj@n, agg and \u201cdistinct\u201d count equal answers as one, without a look at the gold: "
    "spellings of one number, and answers of which the first grader that judges the problem "
    "accepts each with the other as gold (ours). Samples without an answer do not vote; a tie goes "
    "to the answer that came first and is not averaged over the tied (ours). \u201cone "
    "answer\u201d compares agg (CoT-decoding) with maj@n (ours).",
    "max and agg are those of the extractor that a row names: Delta is the mean margin over the "
    "tokens of the answer that it read. Where a Delta came with its sample, that one counts, and a "
    "note says of how many samples that is so.",
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


def methods(manifest: Manifest) -> tuple[str, ...]:
    """What is said of the methods: of this run's decodings, then of every report's analysis."""
    return (*dict.fromkeys(_decodings(manifest)), *_METHODS)


def _decodings(manifest: Manifest) -> Iterator[str]:
    """A sentence per decoding that the run drew with; ingested samples do not say."""
    for cell in manifest.cells:
        fields = manifest.fingerprints.get(cell.key, {})
        if "decoding" in fields:
            named = ", ".join(f"{name} {value}" for name, value in _parameters(fields).items())
            yield f"Decoding {cell.decoding} is of kind {cell.kind}{f': {named}' * bool(named)}."


def _parameters(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a decoder, as ``store.fingerprint.decoder_fields`` has them."""
    drawn = {name: fields[name] for name in ("temperature", "top_p") if fields["temperature"]}
    return {**drawn, **fields.get("parameters", {})}
