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
