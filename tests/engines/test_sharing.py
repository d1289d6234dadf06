import pytest

from distlab.decoding.decoder import DecodingSpec, Sampler
from distlab.decoding.interface import Sample
from distlab.decoding.stochastic import Stochastic
from distlab.engines.sharing import TRIAL, Sharing


def sharing(temperature: float, sampler: Sampler = Sampler.AUTO) -> Sharing:
    return Sharing(DecodingSpec("t", Stochastic(temperature), 8, sampler))


def samples(kept: int, computed: int) -> list[Sample]:
    ids = tuple(range(kept))
    return [Sample("p", 0, (1,), ids, "", truncated=True, computed_tokens=computed)]


def test_near_greedy_every_problem_is_shared_until_it_is_known() -> None:
    assert all(sharing(0.05).begin() for _ in range(50))


def test_when_hot_a_few_problems_are_tried_and_the_others_do_not_wait_for_them() -> None:
    hot = sharing(0.6)
    assert [hot.begin() for _ in range(TRIAL + 2)] == [True] * TRIAL + [False] * 2


@pytest.mark.parametrize("temperature", [0.05, 0.6])
@pytest.mark.parametrize(("kept", "computed", "pays"), [(30, 10, True), (11, 10, False)])
def test_what_the_first_problems_show_decides(
    temperature: float, kept: int, computed: int, pays: bool
) -> None:
    cell = sharing(temperature)
    for _ in range(TRIAL):
        assert cell.begin()
        assert not cell.is_over
        cell.note(samples(kept, computed))
    assert cell.begin() is pays
    assert cell.is_over is not pays
    assert cell.saves == pytest.approx(kept / computed)


def test_a_sampler_that_is_named_is_taken_whether_it_pays_or_not() -> None:
    forced, alone = sharing(0.6, Sampler.TRIE), sharing(0.05, Sampler.INDEPENDENT)
    for _ in range(TRIAL + 1):
        assert forced.begin()
        assert not alone.begin()
        forced.note(samples(10, 10))
    assert not forced.is_over
