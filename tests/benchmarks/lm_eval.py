"""Row: the same job as one command, engine start included, beside lm-eval's vLLM backend."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.benchmarks.commands import run_command
from tests.benchmarks.harness import Goal, Measured, Row, RowFailed, alternate
from tests.benchmarks.made_runs import questions
from tests.benchmarks.tokens import DRAWS, THREADS, Sizes, instruct

VENV = Path(__file__).parents[2] / ".cache/bench/lm-eval"
VERSION = "0.4.13"
_LIMIT_S = 240
_INSTALL_S = 600

TASK = """\
task: distlab_bench
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{questions}"}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
repeats: 20
generation_kwargs: {{until: [], do_sample: true, temperature: 0.05, max_gen_toks: {max_tokens}}}
filter_list:
  - name: first
    filter: [{{function: take_first}}]
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
"""


def environment() -> Path:
    """A virtual environment with lm-eval that sees our vLLM; built once."""
    python = VENV / "bin/python"
    if (VENV / ".ready").exists():
        return python
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.parent.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", str(VENV)])
    site = next((VENV / "lib").glob("python*")) / "site-packages"
    # Its own packages come first, ours after them: vLLM and torch are 4 GB.
    (site / "zz-ours.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")
    # vLLM's build for CPUs has another name, and lm-eval asks for the version of `vllm`.
    info = site / "vllm-0.32.0+cpu.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n")
    _run([str(python), "-m", "pip", "install", "-q", f"lm-eval=={VERSION}"], _INSTALL_S)
    (VENV / ".ready").touch()
    return python


def measure(sizes: Sizes, pairs: int) -> Measured:
    python = environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = [_prepare(folder / f"{pair}", pair, sizes) for pair in range(pairs)]
        theirs, ours = alternate(
            lambda pair: _lm_eval(python, folder / f"{pair}", jobs[pair], sizes),
            lambda pair: _distlab(folder / f"{pair}", pair, sizes),
            pairs,
        )
    note = (
        f"{sizes.job_problems} problems x {DRAWS}; "
        f"{ours[-1]:.0f} s beside {theirs[-1]:.0f} s in the last pair"
    )
    return Measured(ours, theirs, [note])


def _prepare(folder: Path, pair: int, sizes: Sizes) -> str:
    """Write the task with the rendered prompts of our job; returns the model's folder."""
    folder.mkdir()
    rows, model = questions(_overrides(folder, pair, sizes))
    file = folder / "questions.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "task").mkdir()
    task = TASK.format(questions=file, max_tokens=sizes.max_tokens)
    (folder / "task" / "distlab_bench.yaml").write_text(task)
    return model


def _overrides(folder: Path, pair: int, sizes: Sizes) -> list[str]:
    job = instruct(pair, sizes.job_problems, sizes.max_tokens)
    return [*job, f"store={folder}/store", f"runs={folder}/runs"]


def _distlab(folder: Path, pair: int, sizes: Sizes) -> float:
    return run_command(["distlab.run", *_overrides(folder, pair, sizes)], _LIMIT_S)[0]


def _lm_eval(python: Path, folder: Path, model: str, sizes: Sizes) -> float:
    arguments = (
        f"pretrained={model},dtype=bfloat16,max_model_len=2048,enforce_eager=True,"
        f"kv_cache_memory_bytes={2 << 30}"
    )
    command = [str(python), "-m", "lm_eval", "--model", "vllm", "--model_args", arguments]
    command += ["--tasks", "distlab_bench", "--include_path", str(folder / "task")]
    command += ["--batch_size", "auto", "--output_path", str(folder / "out"), "--log_samples"]
    began = time.perf_counter()
    _run(command)
    seconds = time.perf_counter() - began
    (samples,) = (folder / "out").rglob("samples_*.jsonl")
    answers = [json.loads(line)["resps"] for line in samples.read_text().splitlines()]
    drawn = sum(len(one[0]) if isinstance(one[0], list) else len(one) for one in answers)
    if drawn != sizes.job_problems * DRAWS:
        raise RowFailed(f"lm-eval drew {drawn} samples, not {sizes.job_problems * DRAWS}")
    return seconds


def _run(command: list[str], limit_s: float = _LIMIT_S) -> None:
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    # Which cores its engine takes is its own choice.
    threads = {"OMP_NUM_THREADS": THREADS["OMP_NUM_THREADS"]}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={**os.environ, **offline, **threads},
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RowFailed(f"{command[0]} {command[2]} took more than {limit_s:.0f} s") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise RowFailed(f"{' '.join(command[:4])} ended with {done.returncode}: {' '.join(last)}")


def row(sizes: Sizes) -> Row:
    return Row(
        "lm-eval",
        "the same job as a command, engine start included, s",
        "lm-eval, vllm backend, `repeats: 20`",
        Goal(0.4, at_least=False),
        partial(measure, sizes),
        pairs=3,
    )
