"""Whether drawing siblings together pays in a cell, as its first problems show."""

from collections.abc import Sequence
from dataclasses import dataclass

from distlab.decoding.decoder import DecodingSpec, Sampler
from distlab.decoding.interface import Sample

# Problems that show it, and tokens kept per token computed from which it pays (both ours): a fork
# reads up to a block of its prefix again, and log probabilities cost a step some percent.
TRIAL = 4
PAYS = 1.25


@dataclass(slots=True)
class Sharing:
    """Says how the next problem of a cell is drawn.

    Attributes:
        decoding: Of the cell.
        begun: Problems that were begun together.
        shown: Of these, those that came back.
        kept: Tokens in their samples.
        computed: Tokens that the engine generated for them.
    """

    decoding: DecodingSpec
    begun: int = 0
    shown: int = 0
    kept: int = 0
    computed: int = 0

    @property
    def saves(self) -> float:
        """Tokens kept per token computed, so far."""
        return self.kept / max(1, self.computed)

    @property
    def is_over(self) -> bool:
        """Whether it was tried and did not pay."""
        tried = self.decoding.sampler is Sampler.AUTO and self.shown >= TRIAL
        return tried and self.saves < PAYS

    def begin(self) -> bool:
        """Whether the next problem's samples are drawn together."""
        if not self._is_wanted():
            return False
        self.begun += 1
        return True

    def _is_wanted(self) -> bool:
        if self.decoding.sampler is not Sampler.AUTO:
            return self.decoding.sampler is Sampler.TRIE
        if self.shown < TRIAL:
            return self.decoding.decoder.expects_to_share or self.begun < TRIAL
        return not self.is_over

    def note(self, samples: Sequence[Sample]) -> None:
        """Take in the samples of a problem that was drawn together."""
        self.shown += 1
        self.kept += sum(len(sample.token_ids) for sample in samples)
        self.computed += sum(sample.computed_tokens or 0 for sample in samples)
