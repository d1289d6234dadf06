"""Log probabilities of vLLM's requests as one run of bytes per step. Imports vLLM.

vLLM makes a Python object of every number, and spells every candidate where the request's text is
read: that is most of what a token costs its event loop. Rows that nobody looked into are joined and
read at once.
"""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from vllm.logprobs import FlatLogprobs
from vllm.v1.engine import output_processor
from vllm.v1.engine.logprobs import LogprobsProcessor
from vllm.v1.outputs import LogprobsLists


@dataclass
class RawLogprobs(LogprobsProcessor):
    """Keeps the steps of a request with ``flat_logprobs`` as rows; leaves others as they are.

    A row is, for the token that was drawn and then the likeliest, the ids (int32) and the log
    probabilities (float32).
    """

    def __post_init__(self) -> None:
        self._is_raw = isinstance(self.logprobs, FlatLogprobs)
        if self._is_raw:
            self.logprobs = []

    def _update_sample_logprobs(self, logprobs_lists: LogprobsLists) -> None:
        if not self._is_raw:
            super()._update_sample_logprobs(logprobs_lists)
            return
        assert self.logprobs is not None and self.num_logprobs is not None
        # Of other requests in the batch a step may have more columns.
        width = self.num_logprobs + 1
        for ids, logprobs in zip(*logprobs_lists[:2], strict=True):
            self.logprobs.append(ids[:width].tobytes() + logprobs[:width].tobytes())


def keep_raw_logprobs() -> None:
    """Have the front ends that are made from now on in this process keep rows."""
    vars(output_processor)["LogprobsProcessor"] = RawLogprobs


def read_rows(rows: Sequence[bytes]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Token ids and log probabilities of steps, shapes [steps, 1 + candidates].

    The first column is the token that was drawn, the others descend.

    Args:
        rows: At least one.
    """
    width = len(rows[0]) // 8
    numbers = np.frombuffer(b"".join(rows), "<i4").reshape(len(rows), 2, width)
    return numbers[:, 0], numbers[:, 1].view("<f4")


def margins(rows: Sequence[bytes]) -> tuple[float, ...]:
    """p(top1) - p(top2) of every step; at least two candidates were asked for."""
    if not rows:
        return ()
    _, logprobs = read_rows(rows)
    # Not numpy's exponential, whose last bit depends on the processor.
    first, second = (map(math.exp, logprobs[:, place].tolist()) for place in (1, 2))
    return tuple(map(operator.sub, first, second))
