"""Claims: what a report may assert, each with its tests, and what a whole family of them allows.

A claim is answered yes, no or cannot tell, and both yes and no are the rejection of a null
hypothesis. "The arms differ" is yes where zero is rejected, and no where differences of the margin
and more are. Nothing follows from a test that does not reject.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from distlab.analysis.contrasts import Contrast
from distlab.analysis.gaps import holm

# Chance of at least one false assertion in a report.
ALPHA: Final = 0.05


class Answer(StrEnum):
    """What the data allow to be said of a claim."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot tell"


class Kind(StrEnum):
    """Every kind of claim that a report can make; ``tests.analysis.calibration`` simulates each."""

    GAP = "one arm solves more than the other"
    FIRST = "one arm solves more with one sample"
    RELIABLE = "one arm solves more problems reliably"
    CROSSING = "the winner turns with what is spent"
    EQUAL_COST = "one arm solves more for the same tokens"
    PART = "a part of the gap is there"
    DECODING_EXPLAINS = "decoding explains the gap away"
    GUESSING_EXPLAINS = "answers without reasoning explain the gap away"
    FAILURES_EXPLAIN = "failed problems explain the gap away"
    BEYOND_NULL = "an arm solves more than answering unread does"
    WITHHELD = "an arm solves more than with the question withheld"
    JUDGES = "the gap depends on the judge"
    JUDGES_TURN = "the winner turns with the judge"
    SCORES = "the winner turns with the score"
    DATASETS = "the gap depends on the dataset"
    STRATA = "the gap depends on the kind of problem"
    PROMPTS = "an arm changes with the prompt"
    EXEMPLARS = "one arm gains more from exemplars"
    DROP = "an arm changes on perturbed problems"
    DROP_DIFFERENCE = "one arm loses more on perturbed problems"
    RELATIVE_LOSS = "one arm loses a larger share of what it solves"
    MEMORY = "originals are continued or solved unread more often than perturbed problems"
    UNPAIRED_DROP = "an arm changes between whole sets"
    PAIRING = "the paired drop is another than that of whole sets"
    TREND = "the gap changes with size"
    SIZES = "large and small families have different gaps"
    STAGE = "a stage solves more or less than an earlier one"
    STAGES_CROSS = "the pass@k curves of two stages cross"
    ENDS = "samples of one arm are lost more often"
    REPLICATION = "the paper's figure is found again"
    FACTOR = "checkpoint, format or decoding makes a part of the gap"
    FORMAT_EXPLAINS = "the prompt's format explains the gap away"
    SPREAD = "a figure moves with wording, exemplars or temperature"
    RERUNS = "a figure differs between runs of one cell"
    RERUNS_GAP = "one arm solves more over all runs of one cell"
    RERUNS_TURN = "the winner turns with the run"


@dataclass(frozen=True, slots=True)
class Margins:
    """Differences that are taken for none, as shares (ours).

    Attributes:
        equivalence: Of two of our figures: 5 points, half of the smallest gap that the paper
            interprets.
        replication: Of one of ours and the paper's: 10 points, a third of the paper's headline
            gaps. With the errors of both, less could not be told over the 279 problems of
            MATH-Perturb.
    """

    equivalence: float = 0.05
    replication: float = 0.10


MARGINS: Final = Margins()


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that may be asserted.

    Attributes:
        kind: What is claimed.
        key: What of, to find it again: cells, judge, ...
        subject: What of, for people.
        yes: p of the null hypothesis that a yes rejects; NaN where there is no test.
        no: p of the null hypothesis that a no rejects; NaN where there is none.
        direction: 1 or -1 where a yes has one: more of the second thing, or of the first.
    """

    kind: Kind
    key: Hashable
    subject: str
    yes: float
    no: float
    direction: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """A claim with its answer.

    Attributes:
        claim: The claim.
        answer: What holds over the whole family.
        yes: ``claim.yes`` after Holm.
        no: ``claim.no`` after Holm.
    """

    claim: Claim
    answer: Answer
    yes: float
    no: float

    @property
    def direction(self) -> int:
        """The direction of a yes; 0 where the answer is another."""
        return self.claim.direction if self.answer is Answer.YES else 0

    @property
    def alone(self) -> bool:
        """Whether a yes would hold if nothing else were claimed, and does not."""
        return self.answer is not Answer.YES and self.claim.yes < ALPHA


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """All that a study may assert, decided together.

    Attributes:
        decisions: Kind and key to the decision.
        tests: Tests that Holm's adjustment counts.
        level: Level at which one more claim would have been asserted.
    """

    decisions: Mapping[tuple[Kind, Hashable], Decision]
    tests: int
    level: float

    def of(self, kind: Kind, key: Hashable) -> Decision:
        """The decision on a claim.

        Raises:
            KeyError: Nobody claimed it.
        """
        return self.decisions[kind, key]

    def find(self, kind: Kind, key: Hashable) -> Decision | None:
        """The decision on a claim, or None where nobody claimed it."""
        return self.decisions.get((kind, key))


NO_CLAIMS: Final = Family({}, 0, ALPHA)


def decide(claims: Sequence[Claim]) -> Family:
    """Answer every claim such that the chance of any false assertion is at most 5 %.

    Holm's adjustment runs over the tests of all claims, whether or not they are asserted in the
    end. Where both a yes and a no hold (a gap that is there and is within the margin), it is yes.

    Args:
        claims: With distinct kinds and keys.
    """
    adjusted = holm([p for claim in claims for p in (claim.yes, claim.no)])
    made = int((~np.isnan(adjusted)).sum())
    left = made - int((adjusted < ALPHA).sum())
    decisions = {}
    for claim, yes, no in zip(claims, adjusted[::2], adjusted[1::2], strict=True):
        answer = Answer.YES if yes < ALPHA else Answer.NO if no < ALPHA else Answer.CANNOT_TELL
        decisions[claim.kind, claim.key] = Decision(claim, answer, float(yes), float(no))
    return Family(decisions, made, ALPHA / max(left, 1))


def differs(kind: Kind, key: Hashable, subject: str, difference: Contrast, margin: float) -> Claim:
    """The claim that a difference is there; no is that it is within the margin."""
    within = difference.within(margin)
    return Claim(kind, key, subject, difference.p, within, difference.direction)


def any_differs(
    kind: Kind, key: Hashable, subject: str, differences: Iterable[Contrast], margin: float
) -> Claim:
    """The claim that one of several differences is there; no is that all are within the margin.

    Yes is Bonferroni over the differences; no, as all must hold, is the largest p (Berger 1982).
    """
    found = list(differences)
    least = float(np.min([each.p for each in found]))
    within = float(np.max([each.within(margin) for each in found]))
    return Claim(kind, key, subject, min(1.0, len(found) * least), within)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A gap in two parts.

    Attributes:
        gap: The whole.
        explained: The part that goes when its supposed cause goes.
        remainder: The part that stays.
    """

    gap: Contrast
    explained: Contrast
    remainder: Contrast


def explains(kind: Kind, key: Hashable, subject: str, parts: Explanation, margin: float) -> Claim:
    """The claim that one thing explains a gap away.

    Yes needs the explained part told from zero, in the gap's direction, and what remains of the gap
    within the margin: an intersection-union test, whose p is the larger of the two (Berger 1982).
    No is that what remains is told from zero.
    """
    explained = parts.explained.p
    if parts.explained.direction != parts.gap.direction:
        explained = 1.0
    yes = float(np.max([explained, parts.remainder.within(margin)]))
    return Claim(kind, key, subject, yes, parts.remainder.p, parts.remainder.direction)


def turns(kind: Kind, key: Hashable, subject: str, figures: Iterable[Contrast]) -> Claim:
    """The claim that figures have opposite signs; no is that all have the same one.

    Both are intersection-union tests: figures must be told from zero each. For a yes these are the
    largest and the smallest, which are chosen among several (Bonferroni).
    """
    found = sorted(figures, key=lambda figure: figure.value)
    lowest, highest = found[0], found[-1]
    yes = no = 1.0
    if lowest.direction * highest.direction < 0:
        yes = min(1.0, (len(found) - 1) * float(np.max([lowest.p, highest.p])))
    elif all(figure.direction == lowest.direction != 0 for figure in found):
        no = float(np.max([figure.p for figure in found]))
    return Claim(kind, key, subject, yes, no, lowest.direction)


def crosses(kind: Kind, key: Hashable, subject: str, early: Contrast, late: Contrast) -> Claim:
    """The claim that who leads early does not lead late; no is that one arm leads at both ends.

    Its direction is that of the late difference.
    """
    return replace(turns(kind, key, subject, (early, late)), direction=late.direction)


def exceeds(kind: Kind, key: Hashable, subject: str, excess: Contrast) -> Claim:
    """The claim that a figure is above zero; no is that it is below."""
    above = excess.direction > 0
    return Claim(kind, key, subject, excess.p if above else 1.0, 1.0 if above else excess.p)


def replicates(key: Hashable, subject: str, difference: Contrast, margin: float) -> Claim:
    """The claim that a figure is found again; no is that it differs.

    Args:
        key: What of.
        subject: What of, for people.
        difference: Ours minus the published one, with the errors of both.
        margin: Differences of less are none.
    """
    return Claim(Kind.REPLICATION, key, subject, difference.within(margin), difference.p)
