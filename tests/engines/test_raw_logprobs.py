"""Rows of bytes against the lists that vLLM itself keeps, of the same messages."""

import math
import random
from typing import Any

import pytest

pytestmark = pytest.mark.vllm

STEPS, CANDIDATES, COLUMNS = 200, 3, 5


def steps(columns: int = COLUMNS) -> list[Any]:
    """What an engine core says of a request, with columns of other requests in its batch."""
    import numpy as np
    from vllm.v1.outputs import LogprobsLists

    chance = random.Random(0)
    made = []
    for _ in range(STEPS):
        ids = chance.sample(range(50), columns)
        # Ties among the likeliest are common in bfloat16.
        values = sorted((-chance.choice([0.0, 0.25, 1.5, 9.0]) for _ in ids), reverse=True)
        drawn = chance.choice([0, 0, 0, 1, columns - 1])
        rows = ([[ids[drawn], *ids]], [[values[drawn], *values]])
        made.append(
            LogprobsLists(
                np.array(rows[0], np.int32), np.array(rows[1], np.float32), np.array([drawn + 1])
            )
        )
    return made


def request(**sampling: Any) -> Any:  # noqa: ANN401
    from vllm import SamplingParams
    from vllm.v1.engine import EngineCoreRequest

    made = EngineCoreRequest(
        request_id="r",
        prompt_token_ids=[1],
        mm_features=None,
        sampling_params=SamplingParams(logprobs=CANDIDATES, detokenize=False, **sampling),
        pooling_params=None,
        arrival_time=0.0,
        lora_request=None,
        cache_salt=None,
        data_parallel_rank=None,
    )
    made.external_req_id = "r"
    return made


def kept(processor: Any, flat: bool, columns: int = COLUMNS) -> Any:  # noqa: ANN401
    """The log probabilities that a front end has of a request after all steps."""
    from vllm.v1.engine import EngineCoreOutput

    mine = processor.from_new_request(None, request(flat_logprobs=flat))
    for step in steps(columns):
        mine.update_from_output(EngineCoreOutput("r", [1], new_logprobs=step))
    return mine.logprobs


@pytest.mark.parametrize("columns", [CANDIDATES, COLUMNS])
def test_rows_hold_what_vllm_keeps(columns: int) -> None:
    from vllm.v1.engine.logprobs import LogprobsProcessor

    from distlab.engines.raw_logprobs import RawLogprobs, read_rows

    rows = kept(RawLogprobs, flat=True, columns=columns)
    theirs = kept(LogprobsProcessor, flat=True, columns=columns)
    ids, logprobs = read_rows(rows)
    assert ids.ravel().tolist() == theirs.token_ids
    assert logprobs.ravel().tolist() == theirs.logprobs


def test_messages_of_a_core_are_read_as_vllm_reads_them() -> None:
    import numpy as np
    from vllm.v1.engine import EngineCoreOutput, EngineCoreOutputs
    from vllm.v1.outputs import LogprobsLists
    from vllm.v1.serial_utils import MsgpackDecoder, MsgpackEncoder

    from distlab.engines.raw_logprobs import QuickDecoder

    # Arrays in the message, arrays beside it, and none.
    shapes = [(1, 3), (7, 3), (300, 66), (0, 3)]
    outputs = EngineCoreOutputs(
        outputs=[
            EngineCoreOutput(
                "r",
                [1],
                new_logprobs=LogprobsLists(
                    np.arange(rows * columns, dtype=np.int32).reshape(rows, columns),
                    np.linspace(-9, 0, rows * columns, dtype=np.float32).reshape(rows, columns),
                    np.arange(rows),
                ),
            )
            for rows, columns in shapes
        ]
    )
    message = [bytes(part) for part in MsgpackEncoder().encode(outputs)]
    read = [kind(EngineCoreOutputs).decode(message) for kind in (QuickDecoder, MsgpackDecoder)]
    for ours, theirs in zip(*(one.outputs for one in read), strict=True):
        for mine, other in zip(ours.new_logprobs[:3], theirs.new_logprobs[:3], strict=True):
            assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
            assert mine.tolist() == other.tolist()


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


@pytest.mark.parametrize("looks_after", [1, 7, STEPS])
def test_a_stream_gives_every_step_once_however_late_it_is_read(
    looks_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vllm.sampling_params import RequestOutputKind
    from vllm.v1.engine import EngineCoreOutput, FinishReason, output_processor

    from distlab.engines.raw_logprobs import RawLogprobs
    from distlab.engines.vllm_engine import steps_of

    monkeypatch.setattr(output_processor, "LogprobsProcessor", RawLogprobs)
    delta = RequestOutputKind.DELTA
    front = output_processor.OutputProcessor(None, log_stats=False)
    queue = output_processor.RequestOutputCollector(delta, "r")
    asked = request(flat_logprobs=True, output_kind=delta, stream_interval=4)
    front.add_request(asked, None, queue=queue)
    given = []
    for number, step in enumerate(steps(), 1):
        drawn, reason = int(step.logprob_token_ids[0, 0]), FinishReason.LENGTH
        last = reason if number == STEPS else None
        message = EngineCoreOutput("r", [drawn], new_logprobs=step, finish_reason=last)
        front.process_outputs([message])
        if number % looks_after == 0 and (output := queue.get_nowait()) is not None:
            given += steps_of(output.outputs[0])
    if (output := queue.get_nowait()) is not None:
        given += steps_of(output.outputs[0])
    expected = [
        (ids[0], tuple(ids[1 : CANDIDATES + 1]), tuple(values[1 : CANDIDATES + 1]))
        for step in steps()
        for ids, values in zip(step.logprob_token_ids.tolist(), step.logprobs.tolist(), strict=True)
    ]
    assert [(s.token_id, s.likeliest.token_ids, s.likeliest.logprobs) for s in given] == expected
