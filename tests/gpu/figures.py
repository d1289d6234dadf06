"""What distlab does on this machine's GPU, one engine at a time, since it fills the card."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.server import Server
from tests.gpu.shapes import QWEN3_8B, SMALL, parameters, write_shape

DRAWS = 20
_LOAD_S, _JOB_S, _STUDY_S = 900.0, 900.0, 900.0
_FRONT_END = "ray::Replica"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done.

    Attributes:
        cluster: Override of the cluster.
        shape: config.json of the checkpoint with random weights.
        batches: Sequences at once, an engine each.
        waves: Batches that a job fills.
        max_tokens: New tokens per sequence.
        study: Overrides of the small study.
    """

    cluster: tuple[str, ...]
    shape: Mapping[str, Any]
    batches: tuple[int, ...]
    waves: int
    max_tokens: int
    study: tuple[str, ...]


FULL = Sizes(
    ("cluster=local-gpu", "cluster.replicas=1"),
    QWEN3_8B,
    (256, 1024),
    4,
    256,
    ("dataset.limit=20", "decoding.n=8"),
)
REHEARSAL = Sizes(
    ("cluster=local-cpu", "cluster.replicas=1", "cluster.kv_cache_gib=0.25"),
    SMALL,
    (40,),
    1,
    8,
    ("dataset.limit=2", "decoding.n=2", "decoding.max_tokens=8"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        what: What was measured.
        ours: distlab's figure, with its unit.
        beside: That of ``vllm.LLM.generate`` on the same requests; empty where it has none.
        ratio: Ours to theirs.
    """

    what: str
    ours: str
    beside: str = ""
    ratio: str = ""


def measure(sizes: Sizes, folder: Path, say: Callable[[str], None]) -> list[Figure]:
    """Every figure, in some twenty minutes of an H100; each is said as it comes.

    Raises:
        RowFailed: A process died; the sentence ends with its log.
        CalledProcessError: The study failed.
    """
    found: list[Figure] = []

    def add(figures: Sequence[Figure]) -> None:
        for figure in figures:
            say(" · ".join(filter(None, (figure.what, figure.ours, figure.beside, figure.ratio))))
        found.extend(figures)

    add([_doctor(sizes)])
    shape = write_shape(folder / "shape", sizes.shape)
    for batch in sizes.batches:
        add(_speed(sizes, shape, folder, batch))
    add([_study(sizes, folder)])
    return found


def _doctor(sizes: Sizes) -> Figure:
    command = [sys.executable, "-m", "distlab.doctor", sizes.cluster[0], "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    lines = json.loads(said.stdout)
    bad = (line for line in lines if line["level"] != "ok")
    told = "; ".join(f"{line['level']} {line['check']}: {line['said']}" for line in bad)
    return Figure("doctor", f"{len(lines)} lines, exit {said.returncode}", told)


def _speed(sizes: Sizes, shape: Path, folder: Path, batch: int) -> list[Figure]:
    """Load, draws and CoT at one batch size, then the same requests with ``LLM.generate``."""
    count = parameters(sizes.shape)
    base = [
        *(f"model.parameters={count / 1e9}", f"model.facts.active_parameters={count}"),
        f"model.facts.weight_bytes={2 * count}",
        *("model=pair", f"model.base.id={shape}", f"model.instruct.id={shape}"),
        *("model.max_model_len=2048", "dataset=gsm-symbolic", "prompt=zero-shot"),
        *(*sizes.cluster, f"cluster.max_num_seqs={batch}", f"decoding.n={DRAWS}"),
        *("cluster.engine_args={load_format: dummy}", f"decoding.max_tokens={sizes.max_tokens}"),
    ]
    pairs = max(1, sizes.waves * batch // DRAWS // 2)
    jobs = {
        "draws": _job(base, pairs, "decoding.base=[]", "decoding.sampler=independent"),
        "siblings": _job(base, pairs, "decoding.base=[]"),
        "CoT": _job(base, pairs, "decoding.instruct=[]"),
    }
    requests = folder / f"requests-{batch}.json"
    with Server([sys.executable, "-m", "tests.benchmarks.ours"], start_s=_LOAD_S) as ours:
        # All arms at once, so that the engine takes the log probabilities of each.
        first = ours.ask({"overrides": _job(base, 1)}, limit_s=_LOAD_S)
        engine = ours.ask({"engine": True})
        drawn = {name: _drawn(ours, job) for name, job in jobs.items()}
        ours.ask({"overrides": jobs["draws"], "requests": str(requests)})
    arguments = folder / f"engine-{batch}.json"
    arguments.write_text(json.dumps({k: v for k, v in engine.items() if v is not None}))
    theirs = _generated(arguments, requests)
    load = f"{first['load_s'][0]:.1f} s"
    graphs = "off" if engine["enforce_eager"] else "on"
    return [
        Figure(f"batch {batch}: load, CUDA graphs {graphs}", load),
        *(_figure(batch, name, answer, theirs) for name, answer in drawn.items()),
    ]


def _job(base: Sequence[str], pairs: int, *more: str) -> list[str]:
    return [*base, f"dataset.sets.gsm-symbolic.options.pairs={pairs}", *more]


def _drawn(ours: Server, job: Sequence[str]) -> dict[str, Any]:
    """A job's answer, with the CPU seconds of the replica's own process."""
    before = _front_end_s()
    answer = ours.ask({"overrides": list(job)}, limit_s=_JOB_S)
    return {**answer, "front_end_s": _front_end_s() - before}


def _front_end_s() -> float:
    seconds = 0.0
    for process in psutil.process_iter(["name", "cmdline", "cpu_times"]):
        if any(word.startswith(_FRONT_END) for word in process.info["cmdline"] or ()):
            times = process.info["cpu_times"]
            seconds += times.user + times.system
    return seconds


def _generated(arguments: Path, requests: Path) -> float:
    """Tokens per second of ``LLM.generate`` with our engine's arguments."""
    command = [sys.executable, "-m", "tests.benchmarks.peers.llm_generate", str(arguments)]
    with Server(command, start_s=_LOAD_S) as peer:
        answer = peer.ask({"requests": str(requests), "salted": False}, limit_s=_JOB_S)
    return float(answer["tokens"] / answer["seconds"])


def _figure(batch: int, name: str, answer: Mapping[str, Any], theirs: float) -> Figure:
    rate = answer["tokens"] / answer["seconds"]
    each = 1e6 * answer["front_end_s"] / answer["tokens"]
    is_same = name == "draws"
    return Figure(
        f"batch {batch}: {name}, {answer['samples']} samples",
        f"{rate:,.0f} tokens/s, {answer['computed'] / answer['seconds']:,.0f} of them computed, "
        f"front end {each:.1f} us of CPU per token",
        f"LLM.generate {theirs:,.0f} tokens/s" if is_same else "",
        f"{rate / theirs:.2f}" if is_same else "",
    )


def _study(sizes: Sizes, folder: Path) -> Figure:
    """The packaged model, so that tokens are real: a study from a command line to its report."""
    command = [sys.executable, "-m", "distlab.run", *sizes.cluster, *sizes.study]
    places = [f"store={folder / 'store'}", f"runs={folder / 'runs'}"]
    began = time.monotonic()
    subprocess.run([*command, *places], check=True, timeout=_STUDY_S)
    seconds = time.monotonic() - began
    (manifest,) = (folder / "runs").glob("*/manifest.json")
    said = json.loads(manifest.read_text())
    drawn, ready = said["counts"]["tokens_drawn"], said["timings_s"]["engine_ready"]
    origin = next(iter(said["origins"].values()))[0]
    return Figure(
        f"a study of the packaged model on {origin['device']}, {origin['attention']}",
        f"{seconds:.0f} s, {drawn / ready:,.0f} tokens/s while engines were ready",
    )


def scratch() -> Path:
    """A folder for a measurement, left for whoever wants to look."""
    return Path(tempfile.mkdtemp(prefix="distlab-gpu-"))
