"""Log probabilities of vLLM's requests as one run of bytes per step. Imports vLLM.

vLLM makes a Python object of every number, and spells every candidate where the request's text is
read: that is most of what a token costs its event loop. Rows that nobody looked into are joined and
read at once.
"""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from vllm.logprobs import FlatLogprobs
from vllm.v1.engine import core_client, output_processor
from vllm.v1.engine.logprobs import LogprobsProcessor
from vllm.v1.outputs import LogprobsLists
from vllm.v1.serial_utils import MsgpackDecoder


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
        assert self.num_logprobs is not None
        kept = cast("list[bytes]", self.logprobs)
        ids, logprobs = logprobs_lists[:2]
        # Of other requests in the batch a step may have more columns.
        width = self.num_logprobs + 1
        if ids.shape == (1, width):
            # Nearly always; views of rows cost as much again.
            kept.append(ids.tobytes() + logprobs.tobytes())
            return
        for row, values in zip(ids[:, :width], logprobs[:, :width], strict=True):
            kept.append(row.tobytes() + values.tobytes())


class QuickDecoder(MsgpackDecoder):
    """Reads the three arrays that a token with log probabilities brings, in one call each."""

    def dec_hook(self, t: type, obj: Any) -> Any:  # noqa: ANN401 - as vLLM's
        """As vLLM's own; arrays are views of the message, too."""
        if t is not np.ndarray or not self.share_mem:
            return super().dec_hook(t, obj)
        dtype, shape, data = obj
        buffer: Any = self.aux_buffers[data] if isinstance(data, int) else data
        return np.ndarray(shape, dtype, buffer)


def keep_raw_logprobs() -> None:
    """Have the front ends that are made from now on in this process keep rows."""
    vars(output_processor)["LogprobsProcessor"] = RawLogprobs
    vars(core_client)["MsgpackDecoder"] = QuickDecoder


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
