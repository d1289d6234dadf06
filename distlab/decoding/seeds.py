"""Seeds that do not depend on which replica draws a sample, or when."""

import hashlib


def sample_seed(study_seed: int, checkpoint: str, problem_id: str, decoding: str, rank: int) -> int:
    """Seed of one stochastic sample, in [0, 2^62).

    Args:
        study_seed: The config's ``seed``.
        checkpoint: Digest of the checkpoint's weights.
        problem_id: The problem's dataset and id.
        decoding: The decoder's ``seed_name``.
        rank: Draw index.
    """
    parts = (str(study_seed), checkpoint, problem_id, decoding, str(rank))
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 2


def fork_seed(seed: int, position: int) -> int:
    """Seed of the request that goes on with a sample from some position, in [0, 2^62).

    Args:
        seed: The sample's.
        position: Tokens that it has emitted; from 0 it goes on with its own seed.
    """
    if position == 0:
        return seed
    digest = hashlib.sha256(f"{seed}\0{position}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 2
