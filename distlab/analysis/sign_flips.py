"""The sign-flip test: is a mean over sources zero, whatever their spread?"""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import fft

from distlab.analysis.arrays import BoolArray, FloatArray, IntArray

# Scores are fractions of few draws; other sums are rounded to steps of their total (ours).
_DENOMINATORS: Final = 64
_STEPS: Final = 1 << 13
# Log of what a product may be taken for zero at: far below the transform's rounding.
_NOTHING: Final = -55.0


def sign_flip_test(sums: FloatArray) -> float:
    """Exact two-sided p of "each sum is as likely positive as negative".

    Fisher's randomisation test of a paired difference, with the sums of whole sources flipped: the
    wild cluster bootstrap under the null with Rademacher weights (Cameron, Gelbach & Miller 2008),
    taken over all flips instead of some. Where every sum is -1, 0 or 1 it is the exact McNemar
    test. The distribution of what is flipped upwards, half of all sums and the flipped total, is
    had from its characteristic function, of modulus the product of cos(t |sum| / 2), by a Fourier
    transform.

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
    length = fft.next_fast_len(total + 1, real=True)
    masses = fft.irfft(_characteristic(sizes, counts, length), length)
    # The transform rounds at 1e-16; no p is below that of the two flips that are all alike.
    least = 2.0 ** (1 - int(counts[sizes > 0].sum()))
    return float(min(max(2 * masses[(total + observed) // 2 : total + 1].sum(), least), 1.0))


def _characteristic(sizes: FloatArray, counts: IntArray, length: int) -> npt.NDArray[np.complex128]:
    """That of a sum of sizes, each with an even chance, at length // 2 + 1 points of a transform.

    Of each size it is e^(it size / 2) cos(t size / 2), t = 2 pi k / length; zero where the product
    rounds to nothing.
    """
    roots, logs, is_negative = _roots(length)
    # Products of a point and a size, both below the length, have to fit.
    points = np.arange(length // 2 + 1, dtype=np.int32 if length < 1 << 15 else np.int64)
    kept, left, sign = points, np.zeros(points.size), np.zeros(points.size, dtype=np.bool_)
    # Those that come most often first: after a few factors almost nothing is left.
    for place in np.argsort(-counts):
        angles = kept * int(sizes[place]) % (2 * length)
        left += counts[place] * logs[angles]
        if counts[place] % 2:
            sign ^= is_negative[angles]
        alive = left > _NOTHING
        kept, left, sign = kept[alive], left[alive], sign[alive]
    found = np.zeros(points.size, dtype=np.complex128)
    total = int((sizes * counts).sum())
    found[kept] = np.where(sign, -1, 1) * np.exp(left) * roots[kept * total % (2 * length)]
    return found


@lru_cache(maxsize=32)
def _roots(length: int) -> tuple[npt.NDArray[np.complex128], FloatArray, BoolArray]:
    """e^(-i pi k / length) for k below 2 length, and the log and the sign of its cosine.

    To look these up and to add logs takes a quarter of computing cosines and their powers.
    """
    roots = np.exp(-1j * np.pi / length * np.arange(2 * length))
    return roots, np.log(np.abs(roots.real)), roots.real < 0


def _on_lattice(sums: FloatArray) -> FloatArray:
    """The sums in the largest unit of which all are multiples, else rounded to a fine one."""
    if sums.size == 0:
        return sums
    scaled = np.unique(np.abs(sums)) * np.arange(1, _DENOMINATORS + 1)[:, None]
    fits = np.abs(scaled - scaled.round()).max(axis=1) < 1e-6
    steps = int(fits.argmax()) + 1 if fits.any() else _STEPS / float(np.abs(sums).sum())
    return np.asarray((sums * steps).round(), dtype=np.float64)
