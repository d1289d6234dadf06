"""The sign-flip test: is a mean over sources zero, whatever their spread?"""

from typing import Final

import numpy as np
from scipy import fft

from distlab.analysis.arrays import FloatArray, IntArray

# Scores are fractions of few draws; other sums are rounded to steps of their total (ours).
_DENOMINATORS: Final = 64
_STEPS: Final = 1 << 13
# What a factor of a product may be taken for zero at: far below the transform's rounding.
_NOTHING: Final = 1e-24


def sign_flip_test(sums: FloatArray) -> float:
    """Exact two-sided p of "each sum is as likely positive as negative".

    Fisher's randomisation test of a paired difference, with the sums of whole sources flipped: the
    wild cluster bootstrap under the null with Rademacher weights (Cameron, Gelbach & Miller 2008),
    taken over all flips instead of some. Where every sum is -1, 0 or 1 it is the exact McNemar
    test. The distribution of the flipped total is had from its characteristic function, the
    product of cos(t |sum|), by a Fourier transform.

    Args:
        sums: [sources] summed differences, without NaN.

    Returns:
        The p; 1 where no sum differs from zero.
    """
    whole = _on_lattice(sums[sums != 0])
    sizes, counts = np.unique(np.abs(whole), return_counts=True)
    total, observed = int((sizes * counts).sum()), abs(int(whole.sum()))
    if total == 0 or observed == 0:
        return 1.0
    length = fft.next_fast_len(2 * total + 1, real=True)
    masses = fft.irfft(_characteristic(sizes, counts, length), length)
    # The transform rounds at 1e-16; no p is below that of the two flips that are all alike.
    least = 2.0 ** (1 - int(counts[sizes > 0].sum()))
    return float(min(max(2 * masses[observed : total + 1].sum(), least), 1.0))


def _characteristic(sizes: FloatArray, counts: IntArray, length: int) -> FloatArray:
    """[length // 2 + 1]: the product of cos(t size) ** count, zero where that rounds to nothing."""
    angles = 2 * np.pi / length * np.arange(length // 2 + 1)
    product, left = np.zeros(angles.size), np.ones(angles.size)
    kept = np.arange(angles.size)
    # Those that come most often first: after a few factors almost nothing is left.
    for place in np.argsort(-counts):
        left *= np.cos(sizes[place] * angles[kept]) ** counts[place]
        alive = np.abs(left) > _NOTHING
        kept, left = kept[alive], left[alive]
    product[kept] = left
    return product


def _on_lattice(sums: FloatArray) -> FloatArray:
    """The sums in the largest unit of which all are multiples, else rounded to a fine one."""
    if sums.size == 0:
        return sums
    for unit in range(1, _DENOMINATORS + 1):
        scaled = sums * unit
        if np.abs(scaled - scaled.round()).max() < 1e-6:
            return np.asarray(scaled.round(), dtype=np.float64)
    total = float(np.abs(sums).sum())
    return np.asarray((sums * (_STEPS / total)).round(), dtype=np.float64)
