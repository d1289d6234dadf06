"""Peer: ``vllm.LLM.generate`` on requests that distlab made, with distlab's engine arguments.

python -m tests.benchmarks.peers.llm_generate ARGUMENTS.json
"""

import json
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.server import serve


def start() -> Callable[[dict[str, Any]], dict[str, Any]]:
    from vllm import LLM, SamplingParams

    llm = LLM(**json.loads(Path(sys.argv[1]).read_text()))

    def answer(job: dict[str, Any]) -> dict[str, Any]:
        requests = json.loads(Path(job["requests"]).read_text())
        prompts = [{"prompt_token_ids": one.pop("prompt_ids")} for one in requests]
        if job["salted"]:
            prompts = [{**prompt, "cache_salt": uuid.uuid4().hex} for prompt in prompts]
        params = [SamplingParams(**one) for one in requests]
        began = time.perf_counter()
        outputs = llm.generate(prompts, params, use_tqdm=False)
        seconds = time.perf_counter() - began
        tokens = sum(len(output.outputs[0].token_ids) for output in outputs)
        return {"tokens": tokens, "seconds": seconds, "samples": len(outputs)}

    return answer


if __name__ == "__main__":
    serve(start)
