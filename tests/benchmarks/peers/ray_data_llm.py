"""Peer: ray.data.llm's vLLM processor; it keeps one output a row, so a prompt is repeated n times.

python -m tests.benchmarks.peers.ray_data_llm ARGUMENTS.json

One pipeline, whose source waits for the next file of requests, so that its engine stays up.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ray

from tests.benchmarks.server import serve

CHUNKS = 64
# Rows of a job are at least as many: a smaller block would wait for the next.
BATCH = 16
_POLL_S = 0.02


def next_rows(folder: str) -> list[dict[str, Any]]:
    """The requests of the next job, once they are there. Blocks come in any order, jobs in turn."""
    while not (files := list(Path(folder).glob("*.json"))):
        time.sleep(_POLL_S)
    (file,) = files
    requests = json.loads(file.read_text())
    file.unlink()
    return [{"ids": one.pop("prompt_ids"), "params": json.dumps(one)} for one in requests]


def to_request(row: dict[str, Any]) -> dict[str, Any]:
    params = {k: v for k, v in json.loads(row["params"]).items() if v != []}
    return {"tokenized_prompt": list(row["ids"]), "sampling_params": params}


def to_count(row: dict[str, Any]) -> dict[str, Any]:
    return {"tokens": row["num_generated_tokens"]}


def pipeline(folder: str, arguments: dict[str, Any]) -> Iterator[int]:
    """Tokens of each output, as they come."""
    from ray.data.llm import build_processor, vLLMEngineProcessorConfig

    model = arguments.pop("model")
    processor = build_processor(
        vLLMEngineProcessorConfig(
            model_source=model,
            engine_kwargs=arguments,
            batch_size=BATCH,
            concurrency=1,
            placement_group_config={"bundles": [{"CPU": 1}]},
            prepare_multimodal_stage={"enabled": False},
            chat_template_stage={"enabled": False},
            tokenize_stage={"enabled": False},
            detokenize_stage={"enabled": False},
            log_engine_metrics=False,
        ),
        preprocess=to_request,
        postprocess=to_count,
    )
    source = ray.data.range(CHUNKS, override_num_blocks=CHUNKS).flat_map(
        lambda _: next_rows(folder), num_cpus=0.01, compute=ray.data.TaskPoolStrategy(size=1)
    )
    # Without prefetching: the next block comes only after the next job.
    for batch in processor(source).iter_batches(batch_size=None, prefetch_batches=0):
        yield from map(int, batch["tokens"])


def start() -> Callable[[dict[str, Any]], dict[str, Any]]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")
    # Cores are Ray's to count, not to give: the waiting source holds none of ours.
    ray.init(address="local", num_cpus=8, include_dashboard=False, object_store_memory=512 << 20)
    folder = tempfile.mkdtemp()
    arguments = json.loads(Path(sys.argv[1]).read_text())
    arguments.pop("disable_log_stats", None)
    counts = pipeline(folder, arguments)

    def answer(job: dict[str, Any]) -> dict[str, Any]:
        content = Path(job["requests"]).read_text()
        count = len(json.loads(content))
        assert count >= BATCH
        draft = Path(folder) / "draft"
        draft.write_text(content)
        began = time.perf_counter()
        draft.rename(Path(folder) / "next.json")
        tokens = sum(next(counts) for _ in range(count))
        seconds = time.perf_counter() - began
        return {"tokens": tokens, "samples": count, "seconds": seconds}

    return answer


if __name__ == "__main__":
    serve(start)
