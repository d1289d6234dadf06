"""Drawing until solved against drawing everything: the same samples, the same Pass@n.

The decoders, the store and the graders are the real ones; the engine is scripted and there is no
Ray: a loop stands for the dispatcher.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.config.values import Arm, Family
from distlab.decoding.cot import CoT
from distlab.decoding.decoder import DecodingSpec, StoppingCriteria
from distlab.decoding.interface import (
    Completion,
    EngineRequest,
    FirstTokens,
    Sample,
    SampleRequest,
)
from distlab.decoding.seeds import sample_seed
from distlab.decoding.stochastic import Stochastic
from distlab.engines.messages import CellRequest, Finished
from distlab.errors import UserError
from distlab.problems.problem import Gold, GoldKind
from distlab.sampling.planned import PlannedCell
from distlab.sampling.until_solved import UntilSolved
from distlab.scoring.judging import Judging
from distlab.scoring.panel import JudgePanel
from distlab.scoring.pool import PoolSettings
from distlab.scoring.types import ComponentSpec, load_extractor, load_grader
from distlab.store.batches import prompt_hash, to_batch
from distlab.store.cell import Cell
from distlab.store.fingerprint import CellFields
from distlab.store.store import Store

N = 20
WAVES = (1, 3, 16)
# What the engine says; token i stands for form i. Sampled draws and branches come to all of them.
FORMS = ("0", "1/2", "2/4", *map(str, range(3, 24)))
GOLDS = {
    "half": Gold(GoldKind.LATEX, "1/2"),
    **{f"p{i}": Gold(GoldKind.NUMBER, str(i)) for i in range(3, 12)},
    "never": Gold(GoldKind.NUMBER, "777"),
}
RULES = ComponentSpec("rules", "distlab.scoring.extractors.rules:Rules")
STANDARD = ComponentSpec("standard", "distlab.scoring.graders.standard:Standard")
# Refuses 2/4 for 1/2.
STRICT = ComponentSpec("exact", "tests.scoring.toy_components:Exact")
ARMS = {
    "cot": DecodingSpec("cot", CoT(), 8),
    "t1": DecodingSpec("t1", Stochastic(), 8),
}


class Engine:
    """Says a form, picked by the seed, or by the branch token."""

    eos_token_ids = frozenset({999})

    def decode(self, token_ids: Sequence[int]) -> str:
        return "".join(f"The answer is {FORMS[i]}." for i in token_ids if i < len(FORMS))

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        turned = [(prompt_ids[0] + 7 * place) % len(FORMS) for place in range(k)]
        return FirstTokens(tuple(turned), tuple(-float(place) for place in range(k)))

    async def generate(self, request: EngineRequest) -> Completion:
        await asyncio.sleep(0)
        if request.seed is None:
            return Completion((500,), "", truncated=False, margins=(0.5,))
        ids = (request.seed % len(FORMS),)
        return Completion(ids, self.decode(ids), truncated=False)


async def samples_of(planned: PlannedCell, request: SampleRequest) -> list[Sample]:
    seed_of = partial(sample_seed, 0, "w", request.problem_id, "t1")
    return await planned.arm.decoding.decoder.sample(
        Engine(), request, StoppingCriteria(8), seed_of
    )


def plan(store: Store, arm: str) -> PlannedCell:
    """A cell with what the store lacks of it."""
    decoding = ARMS[arm]
    kind = decoding.decoder.kind
    cell = Cell("f", "base", arm, kind, "toy", "p", N, "f00d", f"f/{arm}", True)
    stored = store.cell(cell.path)
    prompts = {name: (10 * place + 1, 5) for place, name in enumerate(GOLDS)}
    hashes = {name: prompt_hash(ids) for name, ids in prompts.items()}
    held = stored.ranks(hashes)
    missing = {name: sorted(set(range(N)) - held.get(name, set())) for name in GOLDS}
    fields = CellFields("m", "w", "float32", None, "toy", "", {}, (), "cot", 0, 1, 8, 0, "1")
    stored.create(fields)
    return PlannedCell(
        cell=cell,
        family=Family("f", {}, 1, "float32", None, 64, {}, None, {}, False, ()),
        seed=0,
        arm=Arm("base", decoding, N),
        checkpoint=Checkpoint("m", "m", None, "w"),
        fields=fields,
        stop=(),
        prompt_hashes=hashes,
        requests=tuple(
            SampleRequest(name, prompts[name], tuple(ranks))
            for name, ranks in missing.items()
            if ranks
        ),
        held=sum(map(len, held.values())),
        failures=(),
        stored=stored,
    )


async def draw_all(planned: PlannedCell, until: UntilSolved | None = None) -> None:
    """Draw and commit a cell's requests, some at a time, and what follows from them."""
    path = planned.cell.path

    async def some(works: Sequence[CellRequest]) -> list[CellRequest]:
        samples = [sample for _, request in works for sample in await samples_of(planned, request)]
        batch = to_batch(samples, "run")
        planned.stored.commit([batch])
        done = tuple((path, request.problem_id) for _, request in works)
        return list(await until.follow_up(Finished({path: batch}, done))) if until else []

    works: list[CellRequest] = [(path, request) for request in planned.requests]
    while works:
        groups = [works[at : at + 4] for at in range(0, len(works), 4)]
        works = [work for more in await asyncio.gather(*map(some, groups)) for work in more]


@contextmanager
def bench(*graders: ComponentSpec, settings: PoolSettings | None = None) -> Iterator[JudgePanel]:
    made = JudgePanel(Judging((RULES,), graders, settings or PoolSettings()))
    try:
        yield made
    finally:
        made.close()


def run_until_solved(store: Store, arm: str, *graders: ComponentSpec) -> UntilSolved:
    with bench(*graders) as judges:
        until = UntilSolved([plan(store, arm)], {"toy": GOLDS}, judges, WAVES)
        (first,) = until.start()
        asyncio.run(draw_all(first, until))
    return until


def texts(store: Store, arm: str) -> dict[tuple[str, int], str]:
    table = store.cell(f"f/{arm}").samples(["problem_id", "rank", "text"])
    columns = (table.column(name).to_pylist() for name in ("problem_id", "rank", "text"))
    return {(problem, rank): text for problem, rank, text in zip(*columns, strict=True)}


def solved(drawn: dict[tuple[str, int], str], grader: ComponentSpec) -> dict[str, bool]:
    """Whether any of a problem's samples is correct."""
    rules, judge = load_extractor(RULES), load_grader(grader)
    right = dict.fromkeys(GOLDS, False)
    for (problem, _), text in drawn.items():
        answer = rules.extract(text, GOLDS[problem].kind).answer
        right[problem] |= answer is not None and judge.grade(GOLDS[problem], answer)
    return right


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Every sample of both arms."""
    store = Store.open(str(tmp_path_factory.mktemp("full")))
    for arm in ARMS:
        asyncio.run(draw_all(plan(store, arm)))
    return store


@pytest.mark.parametrize("arm", ARMS)
def test_pass_at_n_and_every_sample_are_those_of_the_full_run(
    arm: str, full: Store, tmp_path: Path
) -> None:
    store = Store.open(str(tmp_path))
    until = run_until_solved(store, arm, STANDARD, STRICT)
    drawn, whole = texts(store, arm), texts(full, arm)
    assert drawn.items() <= whole.items()
    assert len(whole) == N * len(GOLDS)
    for grader in (STANDARD, STRICT):
        assert solved(drawn, grader) == solved(whole, grader)
    spared = until.spared()
    assert until.trouble is None
    assert spared.samples == len(whole) - len(drawn) > 0
    assert spared.of == len(whole)
    cut_short = {name for name in GOLDS if sum(key[0] == name for key in drawn) < N}
    assert set(until.settled(f"f/{arm}")) == cut_short
    assert 0 < spared.tokens <= spared.most_tokens == 8 * spared.samples


@pytest.mark.parametrize("arm", ARMS)
def test_a_problem_stops_with_the_first_wave_that_solves_it_under_every_judge(
    arm: str, full: Store, tmp_path: Path
) -> None:
    store = Store.open(str(tmp_path))
    run_until_solved(store, arm, STANDARD, STRICT)
    drawn, whole = texts(store, arm), texts(full, arm)
    ranks = {name: sorted(rank for problem, rank in drawn if problem == name) for name in GOLDS}
    for name in GOLDS:
        ends = (
            end
            for end in (1, 4, N)
            if all(
                solved({k: v for k, v in whole.items() if k[1] < end}, grader)[name]
                for grader in (STANDARD, STRICT)
            )
        )
        assert ranks[name] == list(range(next(ends, N)))


def test_a_full_run_tops_the_same_cell_up(full: Store, tmp_path: Path) -> None:
    store = Store.open(str(tmp_path))
    run_until_solved(store, "t1", STANDARD)
    asyncio.run(draw_all(plan(store, "t1")))
    assert texts(store, "t1") == texts(full, "t1")


def test_what_is_stored_is_judged_first(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path))
    before = run_until_solved(store, "t1", STANDARD)
    drawn = texts(store, "t1")
    again = run_until_solved(store, "t1", STANDARD)
    assert texts(store, "t1") == drawn
    assert again.spared() == before.spared()
    # A stricter judge opens problems again.
    run_until_solved(store, "t1", STANDARD, STRICT)
    assert texts(store, "t1").items() >= drawn.items()


def test_a_run_that_was_cut_off_goes_on_with_the_wave_it_was_in(
    full: Store, tmp_path: Path
) -> None:
    store = Store.open(str(tmp_path))
    planned = plan(store, "t1")
    some = [replace(request, ranks=(1,)) for request in planned.requests[:5]]
    asyncio.run(draw_all(replace(planned, requests=tuple(some))))
    run_until_solved(store, "t1", STANDARD)
    assert texts(store, "t1").items() <= texts(full, "t1").items()
    assert solved(texts(store, "t1"), STANDARD) == solved(texts(full, "t1"), STANDARD)


def test_an_answer_that_hangs_or_kills_its_grader_is_not_solved_and_drawing_goes_on(
    full: Store, tmp_path: Path
) -> None:
    moody = ComponentSpec("moody", "tests.scoring.hostile_graders:HangsOnFive")
    store = Store.open(str(tmp_path))
    with bench(moody, settings=PoolSettings(deadline_s=0.3)) as judges:
        until = UntilSolved([plan(store, "t1")], {"toy": GOLDS}, judges, WAVES)
        asyncio.run(draw_all(until.start()[0], until))
    drawn = texts(store, "t1")
    assert until.trouble is None
    assert len([rank for problem, rank in drawn if problem == "p5"]) == N
    assert len(drawn) < len(texts(full, "t1"))


def test_where_nothing_can_be_judged_everything_is_drawn_and_it_is_said(
    full: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UserError("the grader processes cannot be started")

    monkeypatch.setattr("distlab.scoring.panel.AnswerJudge", fail)
    store = Store.open(str(tmp_path))
    until = run_until_solved(store, "t1", STANDARD)
    assert texts(store, "t1") == texts(full, "t1")
    assert until.trouble is not None
    assert "cannot be started" in until.trouble
    assert until.spared().samples == 0


def test_progress_counts_problems_once(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path))
    moves: list[tuple[int, int]] = []
    with bench(STANDARD) as judges:
        planned = plan(store, "t1")
        until = UntilSolved(
            [planned], {"toy": GOLDS}, judges, WAVES,
            lambda path, done, spared: moves.append((done, spared)),
        )  # fmt: skip
        first = until.start()[0]
        requests = len(first.requests)
        asyncio.run(draw_all(first, until))
    reopened = -sum(done for done, _ in moves if done < 0)
    assert requests == len(GOLDS)
    assert reopened > 0
    assert sum(spared for _, spared in moves) == until.spared().samples
