"""Delta: CoT-decoding's confidence in an answer (Wang & Zhou, arXiv 2402.10200, section 2).

The mean of p(top1) - p(top2) over the tokens of the answer. Which tokens those are depends on who
reads the answer, so each extractor has a Delta of its own, from the margins and token lengths that
the store keeps. Those are float32 and summed in float64.

Where a sample came with a Delta, that one holds under every extractor: what its margins belong to
is not known. Ingested samples are such, and those of sample format 1, whose Delta is of the span
that the ``rules`` of that day saw.
"""

from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from distlab.scoring.types import Extraction

Floats = npt.NDArray[np.float32]

COLUMNS = ("margins", "token_lengths", "given_delta")
"""What of a sample Delta is made of."""


class Deltas:
    """The Deltas of some samples under any extractor.

    Args:
        samples: With ``COLUMNS``.
    """

    def __init__(self, samples: pa.Table) -> None:
        self.given: Floats = samples.column("given_delta").to_numpy().astype(np.float32)
        """[samples], Deltas that came with the samples; NaN for others."""
        self._margins = list(_lists(samples.column("margins")))
        self._lengths = list(_lists(samples.column("token_lengths")))

    def under(self, extractions: Sequence[Extraction]) -> Floats:
        """[samples], given or of the span that each extraction names; NaN where there is none."""
        made = zip(self._margins, self._lengths, extractions, strict=True)
        spans = np.array([_delta(*each) for each in made], np.float32)
        return np.where(np.isnan(self.given), spans, self.given)


def _lists(
    column: "pa.ChunkedArray[pa.Scalar[pa.DataType]]",
) -> Iterator[npt.NDArray[np.generic] | None]:
    """Each row's list; None where it is null."""
    for chunk in column.chunks:
        assert isinstance(chunk, pa.ListArray)
        ends = chunk.offsets.to_numpy()
        values = chunk.values.to_numpy(zero_copy_only=False)
        absent = chunk.is_null().to_numpy(zero_copy_only=False)
        for row in range(len(chunk)):
            yield None if absent[row] else values[ends[row] : ends[row + 1]]


def _delta(
    margins: npt.NDArray[np.generic] | None,
    lengths: npt.NDArray[np.generic] | None,
    found: Extraction,
) -> float:
    """Mean margin over the tokens that overlap the answer's characters."""
    if margins is None or lengths is None or len(margins) != len(lengths):
        return np.nan
    if found.answer is None or found.end <= found.start:
        return np.nan
    ends = np.cumsum(lengths, dtype=np.int64)
    # The token that a character is in is the first that ends behind it.
    first, last = np.searchsorted(ends, (found.start, found.end - 1), side="right")
    if last >= len(ends):
        return np.nan
    return fmean(margins[first : last + 1].tolist())
