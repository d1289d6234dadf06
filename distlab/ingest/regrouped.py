"""Samples in any order in; the samples of whole groups out, in flat memory.

A shard should hold whole problems, and files may have one sample of every problem before the second
of any. What waits for the rest of its group is put aside in a file once it is much.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

import pyarrow as pa

from distlab.decoding.interface import Sample
from distlab.store.batches import to_batch

if TYPE_CHECKING:
    from io import IOBase

# Characters of text that wait in memory (ours), and what a sample counts for beside its text.
_MOST_CHARACTERS: Final = 2**26
_SAMPLE_CHARACTERS: Final = 1000


def regrouped(
    samples: Iterable[tuple[int, Sample]],
    sizes: Sequence[int],
    run: str,
    folder: Path,
    most_characters: int = _MOST_CHARACTERS,
) -> Iterator[list[pa.RecordBatch]]:
    """The samples of each group that has some, as soon as all of them are there.

    Args:
        samples: A group's number and a sample of it; as many of each group as ``sizes`` says.
        sizes: Samples of each group.
        run: Name of the run that brings them.
        folder: Where samples are put aside, in a file without a name.
        most_characters: Text that waits in memory before it is.

    Raises:
        OSError: The disk is full.
    """
    left = list(sizes)
    waiting: dict[int, list[Sample]] = defaultdict(list)
    characters = 0
    with tempfile.TemporaryFile(dir=folder) as file:
        aside = _Aside(file)
        for group, sample in samples:
            waiting[group].append(sample)
            left[group] -= 1
            characters += _SAMPLE_CHARACTERS + len(sample.text)
            if not left[group] and not aside.holds(group):
                done = waiting.pop(group)
                characters -= sum(_SAMPLE_CHARACTERS + len(each.text) for each in done)
                yield [to_batch(done, run)]
            elif characters > most_characters:
                for number, some in waiting.items():
                    aside.put(number, to_batch(some, run))
                waiting.clear()
                characters = 0
        for group in sorted(aside.groups() | waiting.keys()):
            rest = [to_batch(waiting[group], run)] if group in waiting else []
            yield [*aside.take(group), *rest]


class _Aside:
    """Batches of groups in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = cast("IOBase", file)
        self._places: dict[int, list[int]] = defaultdict(list)

    def groups(self) -> set[int]:
        return set(self._places)

    def holds(self, group: int) -> bool:
        return group in self._places

    def put(self, group: int, batch: pa.RecordBatch) -> None:
        self._places[group].append(self._file.tell())
        with pa.ipc.new_stream(self._file, batch.schema) as stream:
            stream.write_batch(batch)

    def take(self, group: int) -> Iterator[pa.RecordBatch]:
        for place in self._places[group]:
            self._file.seek(place)
            with pa.ipc.open_stream(self._file) as stream:
                yield from stream
