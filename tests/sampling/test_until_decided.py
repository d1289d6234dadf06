"""Drawing until it is decided, over a store without engines: the same samples, the same end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.config.values import Arm, Family, StoppingRule, Study
from distlab.decoding.decoder import DecodingSpec
from distlab.decoding.interface import Sample, SampleRequest
from distlab.decoding.stochastic import Stochastic
from distlab.problems.problem import Gold, GoldKind, LoadedDataset, Problem
from distlab.runs.decisions import Decision, Ending
from distlab.sampling.outcome import CellOutcome, Outcome
from distlab.sampling.planned import PlannedCell, Prepared
from distlab.sampling.until_decided import Comparison, comparisons, draw_until_decided
from distlab.scoring.judging import Judging
from distlab.scoring.panel import JudgePanel
from distlab.scoring.pool import PoolSettings
from distlab.scoring.types import ComponentSpec
from distlab.store.batches import prompt_hash, to_batch
from distlab.store.cell import Cell, ProblemFailure
from distlab.store.fingerprint import CellFields
from distlab.store.store import Store

N = 4
PROBLEMS = tuple(
    Problem(f"p{i:03}", "toy", "How many?", Gold(GoldKind.NUMBER, str(i)), f"p{i:03}")
    for i in range(160)
)
RULES = ComponentSpec("rules", "distlab.scoring.extractors.rules:Rules")
GRADER = ComponentSpec("exact", "tests.scoring.toy_components:Exact")
RULE = StoppingRule("gap", 0.05, 0.05, 1.0)
DECODING = DecodingSpec("t1", Stochastic(), 8)


def answer(variant: str, problem: int, rank: int) -> int:
    """Right on two of three problems for instruct, on two of five for base; some draws differ."""
    chance = Random(f"{variant} {problem}").random() + Random(f"{variant} {problem} {rank}").gauss(
        0, 0.05
    )
    return problem if chance < (0.67 if variant == "instruct" else 0.4) else -1


def plan(store: Store, variant: str) -> PlannedCell:
    cell = Cell("f", variant, "t1", "stochastic", "toy", "p", N, "f00d", f"f/{variant}")  # type: ignore[arg-type]
    stored = store.cell(cell.path)
    hashes = {problem.id: prompt_hash((place, 5)) for place, problem in enumerate(PROBLEMS)}
    held = stored.ranks(hashes)
    missing = [sorted({*range(N)} - held.get(problem.id, set())) for problem in PROBLEMS]
    fields = CellFields("m", "w", "float32", None, "toy", "", {}, (), "t1", 1, 1, 8, 0, "1")
    stored.create(fields)
    return PlannedCell(
        cell=cell,
        arm=Arm(cell.variant, DECODING, N),
        family=Family("f", {}, 1, "float32", None, 64, {}, None, {}, False, ()),
        checkpoint=Checkpoint("m", "m", None, "w"),
        seed=0,
        fields=fields,
        stop=(),
        prompt_hashes=hashes,
        requests=tuple(
            SampleRequest(problem.id, (place, 5), tuple(ranks))
            for place, (problem, ranks) in enumerate(zip(PROBLEMS, missing, strict=True))
            if ranks
        ),
        held=sum(map(len, held.values())),
        failures=(),
        stored=stored,
    )


class Engines:
    """Draws what it is asked to; dies at a call, or refuses problems."""

    def __init__(self, dies_at: int = -1, refuses: Sequence[str] = ()) -> None:
        self.asked: list[int] = []
        self._dies_at, self._refuses = dies_at, refuses

    def __call__(self, cells: Sequence[PlannedCell]) -> Outcome:
        outcome = Outcome()
        dies = len(self.asked) == self._dies_at
        for planned in cells[:1] if dies else cells:
            works = [d for d in planned.requests if d.problem_id not in self._refuses]
            refused = [d for d in planned.requests if d.problem_id in self._refuses]
            rows = [self._sample(planned, one, rank) for one in works for rank in one.ranks]
            if rows:
                planned.stored.commit([to_batch(rows, "run")])
            failures = [ProblemFailure(planned.cell.key, d.problem_id, "no") for d in refused]
            outcome.cells[planned.cell.path] = CellOutcome(len(rows), failures=failures)
        self.asked.append(sum(len(one.ranks) for planned in cells for one in planned.requests))
        outcome.signal = 2 if dies else None
        return outcome

    def _sample(self, planned: PlannedCell, request: SampleRequest, rank: int) -> Sample:
        said = answer(planned.cell.variant, request.prompt_ids[0], rank)
        text = f"The answer is {said}."
        return Sample(request.problem_id, rank, request.prompt_ids, (5,), text, truncated=False)


@contextmanager
def comparison(store: Store, rule: StoppingRule = RULE) -> Iterator[tuple[Comparison, JudgePanel]]:
    cells = plan(store, "base"), plan(store, "instruct")
    nothing: Any = None
    study = Study(
        cells[0].family, (), (), (), (RULES,), (GRADER,), PoolSettings(), nothing, 0, "s",
        decided=rule,
    )  # fmt: skip
    dataset = LoadedDataset("toy", PROBLEMS, len(PROBLEMS), "", "")
    panel = JudgePanel(Judging((RULES,), (GRADER,)))
    try:
        (one,) = comparisons(study, Prepared({"toy": dataset}, cells, {}), panel)
        yield one, panel
    finally:
        panel.close()


def run(path: Path, engines: Engines, rule: StoppingRule = RULE) -> Decision:
    with comparison(Store.open(str(path)), rule) as (one, panel):
        draw_until_decided([one], engines, panel)
        return one.decision


def held(path: Path) -> dict[tuple[str, str, int], str]:
    """Every sample of the store, which holds none twice."""
    found = {}
    for variant in ("base", "instruct"):
        table = Store.open(str(path)).cell(f"f/{variant}").samples(["problem_id", "rank", "text"])
        rows = list(zip(*(table.column(i).to_pylist() for i in range(3)), strict=True))
        assert len({row[:2] for row in rows}) == len(rows)
        found.update({(variant, problem, rank): text for problem, rank, text in rows})
    return found


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Decision]:
    """A study that ran to its end."""
    path = tmp_path_factory.mktemp("decided")
    return path, run(path, Engines())


def test_it_stops_before_all_is_drawn_and_draws_what_the_looks_say(
    decided: tuple[Path, Decision],
) -> None:
    path, decision = decided
    assert decision.ending is Ending.DECIDED
    assert 64 <= decision.problems < len(PROBLEMS)
    samples = held(path)
    assert (
        decision.samples == len(samples) == sum(k.problems * sum(k.draws) for k in decision.looks)
    )
    assert decision.of == 2 * N * len(PROBLEMS)
    assert f"{decision.problems} of 160 problems" in decision.sentence


def test_a_killed_run_draws_the_rest_and_decides_the_same(
    decided: tuple[Path, Decision], tmp_path: Path
) -> None:
    cut = run(tmp_path, Engines(dies_at=1))
    assert cut.ending is Ending.STOPPED
    assert cut.looks == decided[1].looks[:1]
    before = len(held(tmp_path))
    engines = Engines()
    assert run(tmp_path, engines) == decided[1]
    assert held(tmp_path) == held(decided[0])
    assert sum(engines.asked) == len(held(tmp_path)) - before


def test_what_others_drew_counts_and_more_of_it_changes_nothing(
    decided: tuple[Path, Decision], tmp_path: Path
) -> None:
    full = Engines()
    store = Store.open(str(tmp_path))
    full([plan(store, "base"), plan(store, "instruct")])
    engines = Engines()
    assert run(tmp_path, engines) == decided[1]
    assert sum(engines.asked) == 0
    assert held(decided[0]).items() <= held(tmp_path).items()


def test_a_problem_that_cannot_be_sampled_is_asked_for_once_and_counts_as_unsolved(
    decided: tuple[Path, Decision], tmp_path: Path
) -> None:
    with comparison(Store.open(str(tmp_path))) as (one, panel):
        first = one.problems[0].id
        outcome = draw_until_decided([one], engines := Engines(refuses=[first]), panel)
        assert all(arms[0].failed[0] and arms[1].failed[0] for arms in one.judges.values())
        assert one.settled(one.cells[0], outcome) == tuple(one.cells[0].prompt_hashes)
    assert len(outcome.failures) == 2
    refused = sum(decided[1].looks[0].draws)
    assert sum(engines.asked) == len(held(tmp_path)) + refused


def test_the_budget_ends_it_and_a_larger_one_goes_on(
    decided: tuple[Path, Decision], tmp_path: Path
) -> None:
    small = run(tmp_path, Engines(), replace(RULE, budget=0.1))
    assert (small.ending, small.samples) == (Ending.BUDGET, len(held(tmp_path)))
    assert 0.05 < small.share <= 0.1
    assert run(tmp_path, Engines()).ending is Ending.DECIDED


def test_pass_n_draws_every_sample_of_the_problems_that_it_looks_at(tmp_path: Path) -> None:
    decision = run(tmp_path, Engines(), replace(RULE, target="pass_n", budget=0.5))
    assert {look.draws for look in decision.looks} == {(N, N)}
    assert decision.samples == 2 * N * decision.problems == len(held(tmp_path))


def test_whatever_the_decision_depends_on_is_in_its_fingerprint(
    decided: tuple[Path, Decision], tmp_path: Path
) -> None:
    with comparison(Store.open(str(tmp_path))) as (same, _):
        assert same.fingerprint == decided[1].fingerprint
    with comparison(Store.open(str(tmp_path)), replace(RULE, margin=0.1)) as (other, _):
        assert other.fingerprint != decided[1].fingerprint
