"""Tokens/s of distlab's stochastic sampling beside `vllm.LLM.generate`, one after the other.

Same checkpoint, engine arguments, prompts, seeds and thread binding; engine start is left out on
both sides. `python -m tests.benchmarks.sampling --pairs 4` prints both figures and their ratio.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir

from distlab.cells import PlannedCell, prepare
from distlab.config.compose import conf_folder, register_schema
from distlab.config.door import validate
from distlab.config.study import Study
from distlab.decoding.seeds import sample_seed
from distlab.engines.cluster import connected
from distlab.engines.vllm_engine import bind_all_cores, engine_args
from distlab.noise import quiet
from distlab.progress import CellProgress, State
from distlab.samples.store import Store
from distlab.sampling import engine_settings, sample


class Silent:
    """Shows nothing."""

    def refresh(self, state: State) -> None:
        pass

    def say(self, line: str) -> None:
        pass


def study_of(pairs: int, store: str) -> Study:
    register_schema()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return validate(
            compose(
                "config",
                overrides=[
                    "decoding=stochastic",
                    "decoding.base=[]",
                    f"dataset.sets.gsm-symbolic.options.pairs={pairs}",
                    "grader=standard",
                    f"store={store}",
                ],
            )
        )


def distlab_rate(study: Study, cells: Sequence[PlannedCell]) -> tuple[int, float]:
    """Tokens and seconds of a run, engine start and shutdown left out."""
    state = State(cells={p.cell.key: CellProgress("", 0, 0) for p in cells})
    outcome = sample(study, cells, "benchmark", state, Silent())
    return outcome.tokens, outcome.engine_s


def reference(pairs: int) -> None:
    """`vllm.LLM.generate` on the same requests; prints tokens and seconds as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        study = study_of(pairs, folder)
        cells = prepare(study, Store.open(folder)).cells
    settings = engine_settings(study, cells[0].checkpoint, cells)
    bind_all_cores(settings.cpus)
    from vllm import LLM, SamplingParams

    llm = LLM(**engine_args(settings))
    spec = cells[0].arm.decoding
    requests = [
        (
            {"prompt_token_ids": list(draw.prompt_ids)},
            SamplingParams(
                temperature=spec.temperature,
                top_p=spec.top_p,
                max_tokens=spec.max_tokens,
                seed=sample_seed(
                    study.seed,
                    cells[0].checkpoint.digest,
                    draw.problem_id,
                    f"{spec.kind}:{spec.temperature}:{spec.top_p}",
                    rank,
                ),
            ),
        )
        for draw in cells[0].draws
        for rank in draw.ranks
    ]
    began = time.perf_counter()
    outputs = llm.generate(*map(list, zip(*requests, strict=True)), use_tqdm=False)
    seconds = time.perf_counter() - began
    tokens = sum(len(one.outputs[0].token_ids) for one in outputs)
    print(json.dumps({"tokens": tokens, "seconds": seconds}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4, help="gsm-symbolic pairs")
    parser.add_argument("--reference", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reference:
        reference(arguments.pairs)
        return
    with tempfile.TemporaryDirectory() as folder:
        study = study_of(arguments.pairs, folder)
        cells = prepare(study, Store.open(folder)).cells
        for planned in cells:
            planned.stored.create(planned.fields)
        with quiet(Path(folder) / "log.txt"), connected(study.cluster):
            tokens, seconds = distlab_rate(study, cells)
    command = [sys.executable, "-m", "tests.benchmarks.sampling", "--reference"]
    answer = subprocess.run(
        [*command, "--pairs", str(arguments.pairs)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ,
    )
    other = json.loads(answer.stdout.strip().splitlines()[-1])
    ours, theirs = tokens / seconds, other["tokens"] / other["seconds"]
    print(f"distlab.run        {tokens:7} tokens {seconds:7.1f} s {ours:7.0f} tokens/s")
    print(f"vllm.LLM.generate  {other['tokens']:7} tokens {other['seconds']:7.1f} s {theirs:7.0f}")
    print(f"ratio              {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
