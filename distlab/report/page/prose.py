"""What the report says of its methods."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from distlab.analysis.intervals import RESAMPLES, SEED
from distlab.runs.manifest import Manifest

_METHODS: Final[tuple[str, ...]] = (
    "\u201c(ours)\u201d marks a choice of ours where the paper or the work cited is silent.",
    "pass@k of independent draws is the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374). "
    "CoT-decoding's branches are ranked, not independent: their pass@k is \u201cany correct among "
    "the k top-ranked\u201d (arXiv 2402.10200). At k = n both are \u201cany correct\u201d.",
    "The headline gap is over all problems scored in both arms, with a problem that failed in an "
    "arm counted as unsolved there (ours); where any failed, the gap over the problems that both "
    "arms sampled stands beside it.",
    "Problems that share a source (a calculator, a template, a perturbed seed) are not "
    "independent. Where any do, intervals are Student's t with the CR2 clustered error and "
    "Bell and McCaffrey's degrees of freedom (Miller, arXiv 2411.00640; Pustejovsky and "
    "Tipton 2018), and what they would be if problems were independent stands beside. "
    f"Elsewhere they are percentile bootstrap intervals of the paired differences: {RESAMPLES} "
    f"resamples of problems (pairs, for drops), seed {SEED}; where fewer than 25 problems are "
    "discordant, Tango's score interval (1998).",
    "p is the exact sign-flip test over sources, which is the exact McNemar test where none "
    "is shared and scores are 0 or 1. Differences between sets of problems use Student's t.",
    "Every assertion is a test. That two things differ is told by a test of their difference, "
    "never by one being told from zero and the other not. That something is small needs two "
    "one-sided tests against a margin (Schuirmann 1987). \u201cExplains it away\u201d needs "
    "both: an explained part that is told from zero, and a rest that is small. What is "
    "neither is \u201ccannot be told here\u201d. All assertions of the report are one family, "
    "adjusted by Holm. Every kind of them is simulated under its null hypotheses; "
    "docs/calibration.md has the rates.",
    "The smallest gap that would have shown is exact for scores of 0 or 1 (the power of the "
    "exact McNemar test), at the level that the adjustment leaves.",
    "Arms of different n are compared at the smaller n, and the score's name says which (ours).",
    "maj@n, agg and \u201cdistinct\u201d count equal answers as one, without a look at the gold: "
    "spellings of one number, and answers of which the first grader that judges the problem "
    "accepts each with the other as gold (ours). Samples without an answer do not vote; a tie goes "
    "to the answer that came first and is not averaged over the tied (ours). \u201cone "
    "answer\u201d compares agg (CoT-decoding) with maj@n (ours).",
    "max and agg are those of the extractor that a row names: Delta is the mean margin over the "
    "tokens of the answer that it read. Where a Delta came with its sample, that one counts, and a "
    "note says of how many samples that is so.",
    "The trend with size is a random-effects line over log10 of the parameters (Paule and Mandel's "
    "scatter, Knapp and Hartung's error, never below one clustered by lineage, Student's t with "
    "lineages - 2 degrees of freedom; ours). Families whose names differ in a size alone are one "
    "lineage (ours); it needs three lineages of two sizes.",
    "A figure of the paper (arXiv 2601.13244) is put against our cell of the same family, dataset, "
    "prompt, arm and grader, and only at n = 20 over all its problems: ours minus the paper's, "
    "with the errors of both, is tested against zero and against the margin (ours). The paper's "
    "pairing is unknown, so its gaps and drops have the error of unpaired scores. Its "
    "\u201cstandard\u201d grader is not defined in public, so ours may differ from it.",
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
