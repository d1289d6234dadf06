"""Rows of tokens and problems a second: one engine of ours stays up beside each peer in turn."""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from distlab.engines.environment import SPINS, threads_on
from tests.benchmarks import same_engine
from tests.benchmarks.harness import PAIRS, Goal, Measured, Row, alternate
from tests.benchmarks.server import Server

GSM8K = Path(__file__).parents[3] / "shared/data/gsm8k"
DRAWS = 20
_SCRIPT_S = 150.0
# Dear rows: their peers take a minute a pair, or their figures lie far from the goal.
_FEWER = {"ray-data": 3, "shots": 3, "cot-serial": 3}
ENGINE = f"cluster.engine={same_engine.__name__}:{same_engine.SharedEngine.__name__}"
# What a replica gives its engine, so that peers have it too. Left to itself vLLM keeps a core back,
# and Ray would give an actor one thread.
THREADS = {**threads_on(sorted(os.sched_getaffinity(0))), **SPINS}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Work of a pair: some ten seconds a side on two cores, or as little as shows that it works.

    Attributes:
        problems: Of the stochastic rows, 20 draws each.
        embedded_pairs: Of the embedded study's problems, each with its twin.
        sibling_problems: The same where siblings are drawn together: as many as fill a batch with
            a few sequences each, which a cell of a study has.
        max_tokens: Most new tokens of a draw.
        shots_draws: Of the few-shot row's problem, whose prompt is a thousand tokens: fewer than
            20, which favours the peer, as it reads the prompt for each.
        cot_problems: Of the CoT rows; the slower peers get fewer.
        cot_tokens: Most new tokens of a branch.
        serial_tokens: The same beside the serial loop.
        job_problems: Of a whole command.
    """

    problems: int = 4
    embedded_pairs: int = 6
    sibling_problems: int = 10
    max_tokens: int = 80
    shots_draws: int = 8
    cot_problems: int = 8
    cot_tokens: int = 40
    serial_tokens: int = 16
    job_problems: int = 10


QUICK = Sizes(1, 1, 1, 16, 2, 1, 8, 4, 1)


class Bench:
    """Our engine, and peers of several rows, up from the first row that needs them to the last."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self._ours: Server | None = None
        self._peers: dict[tuple[str, ...], Server] = {}
        self._folder = Path(tempfile.mkdtemp())
        self._jobs: list[dict[str, Any]] = []

    @property
    def ours(self) -> Server:
        if self._ours is None:
            command = [sys.executable, "-m", "tests.benchmarks.ours"]
            server = Server(command, env={same_engine.FOLDER: str(self._folder)})
            # Both arms at once, so that the engine takes the log probabilities of either.
            first = [*problems(0, 2), "decoding.max_tokens=8", ENGINE]
            server.ask({"overrides": first}, limit_s=240)
            self._ours = server
        return self._ours

    def close(self) -> None:
        for server in (self._ours, *self._peers.values()):
            if server is not None:
                server.close()
        self._ours = None
        self._peers.clear()

    @contextmanager
    def peer(self, name: str, *arguments: str) -> Iterator[Server]:
        """A peer that waits for further rows, unless this one fails."""
        key = (name, *arguments)
        server = self._peers.pop(key, None) or _start(*key)
        try:
            yield server
        except BaseException:
            server.close()
            raise
        self._peers[key] = server

    def sharing(self, ratios: Sequence[float]) -> str:
        """What siblings saved in all jobs so far, and how much of it the ratios are."""
        kept, computed = (sum(one[what] for one in self._jobs) for what in ("tokens", "computed"))
        bound = kept / computed
        reached = statistics.median(ratios) / bound
        return (
            f"{kept} tokens kept, {computed} computed: {bound:.2f}, of which {reached:.2f} is met"
        )

    def forget_jobs(self) -> None:
        """Begin anew to count what siblings save."""
        self._jobs.clear()

    def rate(self, overrides: Sequence[str], unit: str) -> float:
        """Tokens or problems a second of our side on a job."""
        answer = self.ours.ask({"overrides": [*overrides, ENGINE]})
        assert answer["starts"] == 0, "an engine was started inside a pair"
        self._jobs.append(answer)
        return answer[unit] / answer["seconds"]

    def requests(self, overrides: Sequence[str], pair: int) -> Path:
        """A file of the requests that our side makes of a job, for peers."""
        file = self._folder / f"requests-{pair}.json"
        self.ours.ask({"overrides": [*overrides, ENGINE], "requests": str(file)})
        return file

    def script(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """What a hand-written script does with our engine; start that first."""
        return same_engine.ask(self._folder, job, _SCRIPT_S)

    def engine_file(self, **changes: object) -> Path:
        """A file with our engine's arguments, some changed; None leaves one to vLLM."""
        file = self._folder / "engine.json"
        arguments = {**self.ours.ask({"engine": True}), **changes}
        kept = {name: value for name, value in arguments.items() if value is not None}
        file.write_text(json.dumps(kept))
        return file


def problems(pair: int, count: int) -> list[str]:
    """Overrides for so many problems that no other pair has: GSM8K's where the file is there."""
    if not GSM8K.is_dir():
        return [
            "dataset=gsm-symbolic",
            f"dataset.sets.gsm-symbolic.options.seed={pair}",
            f"dataset.sets.gsm-symbolic.options.pairs={max(1, count // 2)}",
        ]
    lines = (GSM8K / "test.jsonl").read_text().splitlines()
    part = Path(tempfile.gettempdir()) / f"distlab-bench-gsm8k-{pair}-{count}.jsonl"
    part.write_text("\n".join(lines[pair * count : (pair + 1) * count]) + "\n")
    train = f"dataset.train_path={GSM8K / 'train.jsonl'}"
    return ["dataset=gsm8k", f"dataset.path={part}", train]


def instruct(pair: int, count: int, max_tokens: int, *more: str) -> list[str]:
    """The paper's instruct arm: 20 draws at temperature 0.05."""
    prompt = () if any(word.startswith("prompt=") for word in more) else ("prompt=zero-shot",)
    limit = f"decoding.max_tokens={max_tokens}"
    return [*problems(pair, count), "decoding.base=[]", limit, *prompt, *more]


def cot(pair: int, count: int, max_tokens: int) -> list[str]:
    """The paper's base arm: CoT-decoding with 20 branches."""
    limit = f"decoding.max_tokens={max_tokens}"
    return [*problems(pair, count), "decoding.instruct=[]", limit, "prompt=zero-shot"]


def _beside(
    bench: Bench,
    peer: Server,
    jobs: Sequence[Sequence[str]],
    unit: str,
    draws: int = DRAWS,
    *,
    salted: bool = False,
) -> tuple[list[float], list[float]]:
    """Rates of our jobs beside those of the same requests at a peer.

    Salted requests find nothing of each other in the peer's prefix cache.
    """
    files = [str(bench.requests(job, pair)) for pair, job in enumerate(jobs)]
    per = {"tokens": 1.0, "problems": 1 / draws}[unit]

    def theirs(pair: int) -> float:
        answer = peer.ask({"requests": files[pair], "salted": salted})
        return answer["tokens" if unit == "tokens" else "samples"] * per / answer["seconds"]

    return alternate(lambda pair: bench.rate(jobs[pair], unit), theirs, len(jobs))


def _start(name: str, *arguments: str) -> Server:
    """A peer of its own."""
    command = [sys.executable, "-m", f"tests.benchmarks.peers.{name}", *arguments]
    return Server(command, env=THREADS)


def generate(bench: Bench, pairs: int) -> Measured:
    """Siblings drawn together beside as many requests."""
    problems = bench.sizes.sibling_problems
    jobs = _draws(bench, problems, pairs)
    with bench.peer("llm_generate", str(bench.engine_file())) as peer:
        bench.forget_jobs()
        ours, theirs = _beside(bench, peer, jobs, "tokens")
    measured = Measured(ours, theirs)
    return replace(measured, notes=[_size(problems), bench.sharing(measured.figures)])


def embedded(bench: Bench, pairs: int) -> Measured:
    """The instruct arm of the study that ``make run`` draws: its prompt, its limits, 20 draws."""
    count = bench.sizes.embedded_pairs
    options = "dataset.sets.arithmetic.options"
    jobs = [
        ["decoding.base=[]", f"{options}.seed={pair}", f"{options}.pairs={count}"]
        for pair in range(pairs)
    ]
    with bench.peer("llm_generate", str(bench.engine_file())) as peer:
        bench.forget_jobs()
        ours, theirs = _beside(bench, peer, jobs, "tokens")
    measured = Measured(ours, theirs)
    size = f"{2 * count} of its problems x {DRAWS} a pair"
    return replace(measured, notes=[size, bench.sharing(measured.figures)])


def independent(bench: Bench, pairs: int) -> Measured:
    """The same with a request for each draw: what everything but the siblings costs."""
    jobs = [
        [*job, "decoding.sampler=independent"] for job in _draws(bench, bench.sizes.problems, pairs)
    ]
    with bench.peer("llm_generate", str(bench.engine_file())) as peer:
        ours, theirs = _beside(bench, peer, jobs, "tokens")
    return Measured(ours, theirs, [_size(bench.sizes.problems)])


def ray_data(bench: Bench, pairs: int) -> Measured:
    problems = bench.sizes.sibling_problems
    jobs = _draws(bench, problems, pairs)
    # The fused norms are part of what is compared here; `generate` shows what they do not explain.
    with _start("ray_data_llm", str(bench.engine_file(worker_cls=None))) as peer:
        # The engine starts with the first requests.
        warm = bench.requests(instruct(pairs, 1, 8), pairs)
        peer.ask({"requests": str(warm)}, limit_s=240)
        ours, theirs = _beside(bench, peer, jobs, "tokens")
    return Measured(ours, theirs, [_size(problems)])


def shots(bench: Bench, pairs: int) -> Measured:
    sizes, draws = bench.sizes, bench.sizes.shots_draws
    more = ("prompt=few-shot", f"decoding.n={draws}")
    jobs = [instruct(pair, 1, sizes.max_tokens, *more) for pair in range(pairs)]
    with bench.peer("llm_generate", str(bench.engine_file())) as peer:
        ours, theirs = _beside(bench, peer, jobs, "problems", draws, salted=True)
    note = f"1 problem x {draws} of {_source()} a pair; beside LLM.generate"
    return Measured(ours, theirs, [note])


def cot_batched(bench: Bench, pairs: int) -> Measured:
    return _cot_row(bench, pairs, "batched", bench.sizes.cot_tokens, theirs=2)


def cot_serial(bench: Bench, pairs: int) -> Measured:
    return _cot_row(bench, pairs, "serial", bench.sizes.serial_tokens, theirs=1)


def _cot_row(bench: Bench, pairs: int, way: str, max_tokens: int, theirs: int) -> Measured:
    """Our side draws more problems than the slower peer: both are rates."""
    count = bench.sizes.cot_problems
    jobs = [cot(pair, count, max_tokens) for pair in range(pairs)]
    model = json.loads(bench.engine_file().read_text())["model"]
    asks = [_branching(bench, job, pair, max_tokens) for pair, job in enumerate(jobs)]

    def ask(pair: int, peer: Server) -> float:
        few = {**asks[pair], "prompts": asks[pair]["prompts"][:theirs], "way": way}
        answer = peer.ask(few)
        return answer["problems"] / answer["seconds"]

    with bench.peer("cot_transformers", model) as peer:
        ours, other = alternate(
            lambda pair: bench.rate(jobs[pair], "problems"), lambda pair: ask(pair, peer), pairs
        )
    note = (
        f"{count} problems of {_source()} a pair and {theirs} at the peer, "
        f"{max_tokens} tokens a branch"
    )
    return Measured(ours, other, [note])


def _branching(bench: Bench, job: Sequence[str], pair: int, max_tokens: int) -> dict[str, Any]:
    """What a peer needs to branch on the problems of a job."""
    requests = json.loads(bench.requests(job, pair).read_text())
    prompts = dict.fromkeys(tuple(one["prompt_ids"]) for one in requests)
    return {
        "prompts": [list(prompt) for prompt in prompts],
        "k": DRAWS,
        "max_tokens": max_tokens,
        "stop": requests[0]["stop"],
    }


def cot_script(bench: Bench, pairs: int) -> Measured:
    """CoT-decoding, both in one engine."""
    count, max_tokens = max(1, bench.sizes.cot_problems // 2), bench.sizes.cot_tokens
    jobs = [cot(pair, count, max_tokens) for pair in range(pairs)]
    asks = [_branching(bench, job, pair, max_tokens) for pair, job in enumerate(jobs)]

    def theirs(pair: int) -> float:
        answer = bench.script(asks[pair])
        return len(answer["tokens"]) / answer["seconds"]

    for one in asks:
        # So that neither side is the one that finds the prompts in the prefix cache.
        bench.script({**one, "max_tokens": 2})
    ours, other = alternate(lambda pair: bench.rate(jobs[pair], "problems"), theirs, pairs)
    note = f"{count} problems of {_source()} a pair, in one engine"
    return Measured(ours, other, [note])


def _draws(bench: Bench, problems: int, pairs: int) -> list[list[str]]:
    return [instruct(pair, problems, bench.sizes.max_tokens) for pair in range(pairs)]


def _size(problems: int) -> str:
    return f"{problems} problems x {DRAWS} of {_source()} a pair"


def _source() -> str:
    return "GSM8K" if GSM8K.is_dir() else "gsm-symbolic"


def rows(bench: Bench) -> tuple[Row, ...]:
    """The rows, in the order that needs our engine up once."""
    tokens, each = "tokens/s", "problems/s"
    few_shot = f"8 shots, n={bench.sizes.shots_draws}, {each}"
    return tuple(
        Row(
            name,
            what,
            beside,
            Goal(goal, at_least=True),
            partial(measure, bench),
            pairs=_FEWER.get(name, PAIRS),
        )
        for name, what, beside, goal, measure in (
            ("generate", f"n=20 zero-shot, {tokens}", "`vllm.LLM.generate`", 2.5, generate),
            (
                "embedded",
                f"instruct arm of the embedded study, {tokens}",
                "`vllm.LLM.generate`",
                2.5,
                embedded,
            ),
            (
                "independent",
                f"n=20 zero-shot, sampler=independent, {tokens}",
                "`vllm.LLM.generate`",
                0.98,
                independent,
            ),
            ("shots", few_shot, "no prefix reuse", 1.5, shots),
            ("ray-data", f"n=20 zero-shot, {tokens}", "ray.data.llm, n=1 x 20", 2.8, ray_data),
            ("cot-script", f"CoT-decoding K=20, {each}", "AsyncLLM script", 0.95, cot_script),
            ("cot", f"CoT-decoding K=20, {each}", "transformers, batched", 3, cot_batched),
            ("cot-serial", f"CoT-decoding K=20, {each}", "transformers, serial", 10, cot_serial),
        )
    )
