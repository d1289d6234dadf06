import math

import numpy as np
import pytest

from distlab.decoding.interface import FirstTokens
from distlab.decoding.next_token import MAX_UNSEEN, Warp, is_likeliest, next_token


def candidates(logits: np.ndarray, top: int) -> FirstTokens:
    logprobs = logits - np.log(np.exp(logits).sum())
    order = np.argsort(-logprobs)[:top]
    return FirstTokens(tuple(order.tolist()), tuple(logprobs[order].tolist()))


@pytest.mark.parametrize("temperature", [0.02, 0.05, 0.1, 0.3, 0.6, 1.0, 1.5])
def test_what_is_left_out_never_weighs_more_than_is_allowed(temperature: float) -> None:
    random, told = np.random.default_rng(0), 0
    for _ in range(300):
        logits = random.normal(scale=random.uniform(0.1, 8), size=500)
        choice = next_token(candidates(logits, 20), Warp(temperature))
        if choice is not None:
            told += 1
            weights = np.exp((logits - logits.max()) / temperature)
            unseen = 1 - np.sort(weights)[-20:].sum() / weights.sum()
            assert unseen <= MAX_UNSEEN
            chances = weights[choice.token_ids] / weights.sum()
            assert np.allclose(np.diff(choice.cumulative, prepend=0), chances, atol=1e-8)
    assert told if temperature <= 0.3 else told < 300


@pytest.mark.parametrize(
    ("warp", "expected"),
    [
        (Warp(1.0, top_k=2), [0.5, 0.3]),
        (Warp(1.0, top_p=0.75), [0.5, 0.3]),
        (Warp(1.0, top_p=0.85), [0.5, 0.3, 0.15]),
        (Warp(1.0, min_p=0.25), [0.5, 0.3, 0.15]),
        (Warp(0.5, min_p=0.25), [0.25, 0.09]),
        # min_p and top_k first: top_p is of what they leave.
        (Warp(1.0, top_p=0.6, top_k=2), [0.5]),
        (Warp(1.0, top_p=0.7, min_p=0.25), [0.5, 0.3]),
    ],
)
def test_truncation_is_vllms(warp: Warp, expected: list[float]) -> None:
    chances = np.array([0.5, 0.3, 0.15, 0.04, 0.01])
    choice = next_token(FirstTokens(tuple(range(4)), tuple(np.log(chances[:4]))), warp)
    assert choice is not None
    assert choice.token_ids.tolist() == list(range(len(expected)))
    kept = np.array(expected) / sum(expected)
    assert np.allclose(np.diff(choice.cumulative, prepend=0), kept)


@pytest.mark.parametrize(
    "warp",
    [
        Warp(1.0),
        # The nucleus reaches beyond the candidates, or its edge depends on what is beyond.
        Warp(1.0, top_p=0.99),
        Warp(1.0, top_k=5),
        Warp(1.0, min_p=0.001),
        Warp(2.0, top_p=0.9),
    ],
)
def test_what_depends_on_tokens_out_of_sight_is_not_told(warp: Warp) -> None:
    seen = FirstTokens((0, 1, 2), tuple(map(math.log, (0.6, 0.3, 0.05))))
    assert next_token(seen, warp) is None


@pytest.mark.parametrize(
    ("warp", "is_told"),
    [
        # vLLM keeps both of 0.2 on CPUs, and one on GPUs.
        (Warp(1.0, top_k=2), False),
        (Warp(1.0, top_k=3), True),
        (Warp(1.0, top_p=0.5), False),
        (Warp(1.0, top_p=0.7), True),
        (Warp(1.0, top_p=0.3), True),
        # The last one in sight ties as well, perhaps with others.
        (Warp(1.0, top_k=4), False),
        # Both are left out before top_p looks.
        (Warp(1.0, top_p=0.5, min_p=0.8), True),
        # They weigh next to nothing.
        (Warp(0.02, top_k=2), True),
    ],
)
def test_a_cut_among_tokens_that_tie_is_the_engines(warp: Warp, is_told: bool) -> None:
    logprobs = tuple(map(math.log, (0.4, 0.2, 0.2, 0.05, 0.05)))
    assert (next_token(FirstTokens((0, 1, 2, 3, 4), logprobs), warp) is not None) is is_told


def test_a_nucleus_that_rounding_may_change_is_not_told() -> None:
    logprobs = tuple(map(math.log, (0.5, 0.3, 0.15, 0.05)))
    # Of float32 the sum of two may as well be below 0.8.
    assert next_token(FirstTokens((0, 1, 2, 3), logprobs), Warp(1.0, top_p=0.8)) is None


def test_the_least_nucleus_is_one_token() -> None:
    choice = next_token(FirstTokens((0, 1), (math.log(0.9), math.log(0.1))), Warp(1.0, top_p=1e-6))
    assert choice is not None
    assert choice.token_ids.tolist() == [0]


@pytest.mark.parametrize("truncated", [False, True])
def test_the_cheap_look_says_what_the_full_one_says(truncated: bool) -> None:
    random, sure = np.random.default_rng(1), 0
    for _ in range(3000):
        # As bfloat16 has them, so that many tie.
        scale = random.uniform(1, 10)
        likeliest = candidates(np.round(random.normal(scale=scale, size=60) * 4) / 4, 20)
        cuts = {"top_p": float(random.uniform()), "top_k": int(random.integers(0, 22))}
        warp = Warp(float(random.uniform(0.02, 0.5)), **(cuts if truncated else {}))
        uniform = float(random.uniform())
        if is_likeliest(likeliest, warp, uniform):
            sure += 1
            # Were nothing told, those with larger numbers would draw anew, and it too often.
            choice = next_token(likeliest, warp)
            assert choice is not None
            assert (
                choice.draw(np.array([uniform, uniform / 2])).tolist()
                == [likeliest.token_ids[0]] * 2
            )
    assert sure > 100


def test_a_candidate_of_no_probability_is_never_drawn() -> None:
    likeliest = FirstTokens((3, 1, 2), (math.log(0.75), math.log(0.25), -math.inf))
    choice = next_token(likeliest, Warp(1.0))
    assert choice is not None
    assert set(choice.draw(np.linspace(0, 1, 50, endpoint=False)).tolist()) == {3, 1}
