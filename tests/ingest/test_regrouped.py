from collections.abc import Sequence
from pathlib import Path

import pytest

from distlab.decoding.interface import Sample
from distlab.ingest.regrouped import regrouped

GROUPS = 3


def sample(group: int, rank: int) -> tuple[int, Sample]:
    return group, Sample(
        problem_id=f"p{group}",
        rank=rank,
        prompt_ids=(),
        token_ids=(),
        text=f"text {group} {rank}",
        truncated=False,
        stop_string=None,
    )


def shards(
    folder: Path, order: Sequence[tuple[int, int]], most_characters: int
) -> list[list[tuple[str, int, str]]]:
    """What comes out, shard by shard."""
    samples = [sample(group, rank) for group, rank in order]
    sizes = [sum(group == number for group, _ in order) for number in range(GROUPS)]
    return [
        [
            (row["problem_id"], row["rank"], row["text"])
            for batch in batches
            for row in batch.to_pylist()
        ]
        for batches in regrouped(samples, sizes, "run", folder, most_characters)
    ]


BY_PROBLEM = [(group, rank) for group in range(GROUPS) for rank in range(4)]
BY_RANK = [(group, rank) for rank in range(4) for group in range(GROUPS)]


@pytest.mark.parametrize("order", [BY_PROBLEM, BY_RANK, BY_RANK[::-1]])
@pytest.mark.parametrize("most_characters", [10**9, 3000, 1])
def test_each_group_comes_out_once_and_whole_however_little_may_wait(
    tmp_path: Path, order: Sequence[tuple[int, int]], most_characters: int
) -> None:
    found = shards(tmp_path, order, most_characters)
    assert len(found) == GROUPS
    for rows in found:
        (name,) = {row[0] for row in rows}
        group = int(name[1:])
        assert sorted(rows) == [(name, rank, f"text {group} {rank}") for rank in range(4)]
    # What was put aside is gone with its file.
    assert list(tmp_path.iterdir()) == []


def test_groups_without_samples_give_no_shard(tmp_path: Path) -> None:
    assert [len(rows) for rows in shards(tmp_path, [(0, 0), (2, 0)], 1)] == [1, 1]
