"""What a filter finds as JSON lines: one sample each, with text, answers and verdicts."""

import json
from collections.abc import Iterator
from typing import Final

from distlab.store.columns import strings
from distlab.view.index import RunIndex
from distlab.view.samples import Filter, SampleRow
from distlab.view.texts import Texts

# Samples whose verdicts are looked up at once (ours).
_AT_ONCE: Final = 500


def found_lines(index: RunIndex, texts: Texts, wanted: Filter) -> Iterator[bytes]:
    """Samples of a filter, each as a line of JSON, in the order of the store.

    Memory is that of a shard and of the numbers of one cell's samples.

    Args:
        index: The run.
        texts: Where its texts are.
        wanted: The filter; its order is not kept.

    Raises:
        UserError: A shard is gone or damaged.
    """
    for cell in index.cells:
        places = dict(index.places(wanted, cell))
        paths = (path for key, path in texts.shards if key == cell.key)
        # Whoever was found is taken away: of a repeat the first counts.
        while places and (path := next(paths, None)) is not None:
            table = texts.shard(cell.key, path, ["problem_id", "rank", "text"])
            names = zip(strings(table["problem_id"]), table["rank"].to_pylist(), strict=True)
            taken = [(row, places.pop(name)) for row, name in enumerate(names) if name in places]
            for begin in range(0, len(taken), _AT_ONCE):
                part = taken[begin : begin + _AT_ONCE]
                found = strings(table["text"].take([row for row, _ in part]))
                text = dict(zip((number for _, number in part), found, strict=True))
                for row in index.rows(list(text)):
                    yield _line(row, text[row.number])


def _line(row: SampleRow, text: str) -> bytes:
    facts = {
        "cell": row.cell.key,
        "family": row.cell.family,
        "arm": row.cell.arm,
        "dataset": row.cell.dataset,
        "prompt": row.cell.prompt,
        "problem_id": row.problem.id,
        "rank": row.rank,
        "gold": row.problem.gold.text,
        "tokens": row.tokens,
        "truncated": row.truncated,
        "answers": {reading.extractor: reading.answer for reading in row.readings},
        "verdicts": {reading.extractor: dict(reading.verdicts) for reading in row.readings},
        "text": text,
    }
    return json.dumps(facts, ensure_ascii=True).encode() + b"\n"
