from itertools import product

from distlab.decoding.seeds import sample_seed

SEED = 1262280011512982606


def test_a_seed_is_the_same_for_ever() -> None:
    # Written down: a change would make every stored sample unrepeatable.
    assert sample_seed(0, "abc", "gsm8k/1", "stochastic:0.05:1.0", 3) == SEED


def test_every_part_changes_it() -> None:
    seeds = {
        sample_seed(*parts)
        for parts in product((0, 1), ("a", "b"), ("p", "q"), ("t0.05", "t0.6"), range(20))
    }
    assert len(seeds) == 2 * 2 * 2 * 2 * 20


def test_it_fits_a_signed_64_bit_integer() -> None:
    assert all(0 <= sample_seed(0, "a", "p", "d", rank) < 2**62 for rank in range(200))
