"""distlab's engine, which a hand-written AsyncLLM script can use too, in the same process.

Two processes with the same engine differ by some percent, for as long as they live: by where their
memory lies. What distlab costs beside a script is less than that, so both drive one engine. A file
of requests in the folder below is the script's turn; its answer lies beside it.
"""

import asyncio
import itertools
import json
import os
import time
from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path
from typing import Any

from distlab.engines.messages import EngineSettings, Site
from distlab.engines.vllm_engine import VLLMEngine
from distlab.files import whole

FOLDER = "DISTLAB_BENCH_FOLDER"
_ASKED, _ANSWERED = "ask.json", "answer.json"
_POLL_S = 0.1


class SharedEngine(VLLMEngine):
    """The engine with a script beside it, which sleeps until it is asked."""

    def __init__(self, settings: EngineSettings, site: Site) -> None:
        super().__init__(settings, site)
        self._script_ids = itertools.count()
        self._script = asyncio.ensure_future(self._serve(Path(os.environ[FOLDER])))

    async def _serve(self, folder: Path) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            if (folder / _ASKED).exists():
                job = _take(folder / _ASKED)
                began = time.perf_counter()
                tokens = await self._cot(job)
                seconds = time.perf_counter() - began
                _put(folder / _ANSWERED, {"tokens": tokens, "seconds": seconds})

    async def _cot(self, job: Mapping[str, Any]) -> list[int]:
        """Tokens of each problem: its likeliest first tokens, and every branch greedily."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        k, last = job["k"], RequestOutputKind.FINAL_ONLY
        first = SamplingParams(max_tokens=1, temperature=0, logprobs=k, output_kind=last)
        rest = SamplingParams(
            max_tokens=job["max_tokens"] - 1,
            temperature=0,
            logprobs=2,
            stop=job["stop"],
            output_kind=last,
        )

        async def problem(prompt: list[int]) -> int:
            found = (await self._one(prompt, first)).logprobs[0]
            tokens = sorted(found, key=lambda token: -found[token].logprob)[:k]
            branches = await _all(self._one([*prompt, token], rest) for token in tokens)
            return sum(1 + len(branch.token_ids) for branch in branches)

        return await _all(problem(prompt) for prompt in job["prompts"])

    async def _one(self, prompt: list[int], params: Any) -> Any:  # noqa: ANN401
        name = f"script-{next(self._script_ids)}"
        async for output in self._llm.generate({"prompt_token_ids": prompt}, params, name):
            last = output
        return last.outputs[0]


async def _all(ways: Iterable[Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*ways))


def _put(file: Path, content: Mapping[str, Any]) -> None:
    with whole(file) as stream:
        stream.write(json.dumps(content).encode())


def _take(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text())
    file.unlink()
    return content


def ask(folder: Path, job: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
    """Give the script a job and wait for its answer.

    Raises:
        TimeoutError: None came.
    """
    _put(folder / _ASKED, job)
    until = time.monotonic() + limit_s
    while not (folder / _ANSWERED).exists():
        if time.monotonic() > until:
            raise TimeoutError(f"the script did not answer within {limit_s:g} s")
        time.sleep(_POLL_S)
    return _take(folder / _ANSWERED)
