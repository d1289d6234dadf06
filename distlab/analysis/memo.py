"""Results that are kept by what they were computed from.

A report asks for some figures more than once, and each report on a watched training for nearly all
of the one before.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

# Results that a memo keeps (ours): those of some 500 checkpoints, at half a kilobyte each.
_MOST: Final = 1 << 15

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Memo(Generic[Result]):
    """The results of a function without effects; of too many those that were asked for last."""

    _kept: dict[bytes, Result] = field(default_factory=dict)

    def of(self, key: bytes, compute: Callable[[], Result]) -> Result:
        """What is kept, or else computed now.

        Args:
            key: ``contents`` of all that the result follows from.
            compute: Makes the result.
        """
        result = self._kept.pop(key) if key in self._kept else compute()
        self._kept[key] = result
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]
        return result


def contents(*values: npt.ArrayLike | None) -> bytes:
    """16 bytes that stand for arrays, numbers and texts: their types, shapes and values."""
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        array = np.asarray(value)
        # Objects lie elsewhere in memory.
        raw = repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes()
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(raw)
    return digest.digest()
