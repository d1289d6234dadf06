"""Cells of several studies to the jobs that draw them: what is shared is drawn and loaded once."""

from dataclasses import replace
from pathlib import Path

import pytest

from distlab.config.values import Cluster
from distlab.engines.workload import EngineJob
from distlab.placement.placement import Node
from distlab.sampling.engine_jobs import plan_jobs
from distlab.sampling.outcome import CellOutcome, Outcome
from distlab.sampling.planned import PlannedCell
from distlab.store.cell import ProblemFailure
from tests.engines.driving import cells_of

NODES = [Node("a", cpus=2, gpus=0, memory_bytes=16 << 30)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def cluster(place: Path) -> Cluster:
    return cells_of(place)[0].cluster


def planned(place: Path, *overrides: str) -> list[PlannedCell]:
    return cells_of(place, *overrides)[1]


def jobs(cells: list[PlannedCell], cluster: Cluster) -> list[EngineJob]:
    return plan_jobs(cells, cluster, NODES, "run")


def test_one_checkpoint_under_both_protocols_is_one_job(place: Path, cluster: Cluster) -> None:
    cells = planned(place)
    (job,) = jobs(cells, cluster)
    assert set(job.cells) == {p.cell.path for p in cells}
    assert len(job.requests) == sum(len(p.requests) for p in cells)


def test_studies_that_differ_in_seed_keep_theirs_and_share_the_engine(
    place: Path, cluster: Cluster
) -> None:
    cells = planned(place) + planned(place, "seed=7")
    (job,) = jobs(cells, cluster)
    assert {work.study_seed for work in job.cells.values()} == {0, 7}
    # Greedy branches know no seed: that cell is the same in both studies and drawn once.
    assert len(job.cells) == 3
    assert len(job.requests) == 3 * len(cells[0].requests)


def test_a_cell_of_two_studies_is_drawn_once_with_the_ranks_of_both(
    place: Path, cluster: Cluster
) -> None:
    cells = planned(place, "decoding.n=2") + planned(place, "decoding.n=5", "dataset.limit=3")
    (job,) = jobs(cells, cluster)
    ranks = {(cell, request.problem_id): request.ranks for cell, request in job.requests}
    assert len(ranks) == len(job.requests) == len(cells[0].requests) + len(cells[1].requests)
    both = {request.problem_id for request in cells[2].requests}
    for (_, problem), drawn in ranks.items():
        assert drawn == (tuple(range(5)) if problem in both else (0, 1))


def test_context_lengths_share_the_longest_and_another_dtype_is_another_engine(
    place: Path, cluster: Cluster
) -> None:
    cells = planned(place) + planned(place, "model.max_model_len=1024", "seed=3")
    (job,) = jobs(cells, cluster)
    assert job.settings.max_model_len == 2048
    assert len(jobs(cells + planned(place, "model.dtype=float32"), cluster)) == 2


def test_many_branches_do_not_make_another_engine(place: Path, cluster: Cluster) -> None:
    one, other = (jobs(planned(place, f"decoding.n={n}"), cluster)[0].settings for n in (4, 40))
    assert one == other


def test_solved_exemplars_are_a_prefix_and_short_starts_are_not(
    place: Path, cluster: Cluster
) -> None:
    (few,) = jobs(planned(place, "prompt=few-shot"), cluster)
    (zero,) = jobs(planned(place), cluster)
    for key, work in few.cells.items():
        prompts = [request.prompt_ids for cell, request in few.requests if cell == key]
        assert len({prompt[: work.prefix] for prompt in prompts}) == 1
        assert len({prompt[: work.prefix + 1] for prompt in prompts}) > 1
        assert work.prefix > 100
    assert {work.prefix for work in zero.cells.values()} == {0}


def test_an_outcome_has_a_part_for_each_study(place: Path) -> None:
    one, other = (p.cell for p in planned(place))
    failure = ProblemFailure(other.key, "p", "too long")
    outcome = Outcome(
        {
            one.path: CellOutcome(8, 80),
            other.path: CellOutcome(4, 40, failures=[failure], error="it did not load"),
        },
        starts=1,
    )
    assert (outcome.samples, outcome.tokens, outcome.failures) == (12, 120, [failure])
    assert outcome.errors == ["it did not load"]
    part = outcome.of([one])
    assert (part.samples, part.failures, part.errors, part.starts) == (8, [], [], 1)
    aside = ProblemFailure(one.key, "q", "boom", set_aside=True)
    (sentence,) = (
        outcome.joined(Outcome({one.path: CellOutcome(failures=[aside])})).of([one]).errors
    )
    assert f"engines died of 1 problem, and the samples are missing: q in {one.key};" in sentence
    again = replace(part).joined(outcome.of([other]))
    assert (again.samples, again.starts) == (12, 2)
