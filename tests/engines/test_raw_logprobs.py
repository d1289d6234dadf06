"""Rows of bytes against the lists that vLLM itself keeps, of the same messages."""

import math
import random
from typing import Any

import pytest

pytestmark = pytest.mark.vllm

STEPS, CANDIDATES, COLUMNS = 200, 3, 5


def steps() -> list[Any]:
    """What an engine core says of a request, with columns of other requests in its batch."""
    import numpy as np
    from vllm.v1.outputs import LogprobsLists

    chance = random.Random(0)
    made = []
    for _ in range(STEPS):
        ids = chance.sample(range(50), COLUMNS)
        # Ties among the likeliest are common in bfloat16.
        values = sorted((-chance.choice([0.0, 0.25, 1.5, 9.0]) for _ in ids), reverse=True)
        drawn = chance.choice([0, 0, 0, 1, 4])
        rows = ([[ids[drawn], *ids]], [[values[drawn], *values]])
        made.append(
            LogprobsLists(
                np.array(rows[0], np.int32), np.array(rows[1], np.float32), np.array([drawn + 1])
            )
        )
    return made


def kept(processor: Any, flat: bool) -> Any:  # noqa: ANN401
    """The log probabilities that a front end has of a request after all steps."""
    from vllm import SamplingParams
    from vllm.v1.engine import EngineCoreOutput, EngineCoreRequest

    params = SamplingParams(logprobs=CANDIDATES, flat_logprobs=flat, detokenize=False)
    request = EngineCoreRequest(
        request_id="r",
        prompt_token_ids=[1],
        mm_features=None,
        sampling_params=params,
        pooling_params=None,
        arrival_time=0.0,
        lora_request=None,
        cache_salt=None,
        data_parallel_rank=None,
    )
    mine = processor.from_new_request(None, request)
    for step in steps():
        mine.update_from_output(EngineCoreOutput("r", [1], new_logprobs=step))
    return mine.logprobs


def test_rows_hold_what_vllm_keeps() -> None:
    from vllm.v1.engine.logprobs import LogprobsProcessor

    from distlab.engines.raw_logprobs import RawLogprobs, read_rows

    rows, theirs = kept(RawLogprobs, flat=True), kept(LogprobsProcessor, flat=True)
    ids, logprobs = read_rows(rows)
    assert ids.ravel().tolist() == theirs.token_ids
    assert logprobs.ravel().tolist() == theirs.logprobs


def test_a_slice_of_rows_is_that_of_their_steps() -> None:
    from distlab.engines.raw_logprobs import RawLogprobs, read_rows

    rows = kept(RawLogprobs, flat=True)
    (ids, logprobs), (last_ids, last_logprobs) = read_rows(rows), read_rows(rows[-4:])
    assert last_ids.tolist() == ids[-4:].tolist()
    assert last_logprobs.tolist() == logprobs[-4:].tolist()


def test_requests_that_ask_for_vllms_own_lists_get_them() -> None:
    from vllm.v1.engine.logprobs import LogprobsProcessor

    from distlab.engines.raw_logprobs import RawLogprobs

    assert kept(RawLogprobs, flat=False) == kept(LogprobsProcessor, flat=False)


def test_margins_are_those_of_the_two_likeliest_tokens_to_the_last_bit() -> None:
    from vllm.v1.engine.logprobs import LogprobsProcessor

    from distlab.engines.raw_logprobs import RawLogprobs, margins

    expected = []
    for step in kept(LogprobsProcessor, flat=False):
        # The token that was drawn stands among the likeliest, or behind them.
        best, second, *_ = sorted((each.logprob for each in step.values()), reverse=True)
        expected.append(math.exp(best) - math.exp(second))
    assert list(margins(kept(RawLogprobs, flat=True))) == expected
