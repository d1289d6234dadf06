"""What runs have wanted of a cell, kept beside its samples, so that the store knows what it lacks.

    CELL/asked-HEX.json     one run: the problems and samples it wanted, and what failed

Written before the first sample is drawn and once more when the run is done with the cell.
"""

import datetime
import json
import re
import socket
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import pyarrow.fs as pafs

from distlab.errors import UserError, brief
from distlab.store.filesystem import patiently, publish, read
from distlab.store.store import StoredCell

ASK = re.compile(r"asked-[0-9a-f]{32}\.json")


@dataclass(frozen=True, slots=True)
class Ask:
    """What one run wanted of one cell.

    Attributes:
        run: Name of the run.
        n: Samples per problem.
        problems: Ids of the problems.
        failures: Problem id to why it has no samples.
        settled: Problems that stopped early, since they were solved or the study is decided: they
            lack nothing.
        stopped: Why the study stopped by itself, empty where it did not.
        host: Where the run was driven from.
        at: When this was written, UTC, ISO 8601.
        id: Hex name of the record.
    """

    run: str
    n: int
    problems: tuple[str, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    stopped: str = ""
    host: str = field(default_factory=socket.gethostname)
    at: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat())
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


def write_ask(cell: StoredCell, ask: Ask) -> None:
    """Leave a record, in the place of an earlier one of the same id.

    Raises:
        OSError: The store cannot be written.
    """
    # ASCII, so that a lone surrogate in an error message cannot stop the record.
    fs, data = cell.store.fs, json.dumps(asdict(ask)).encode()
    patiently(fs, lambda: publish(fs, f"{cell.path}/asked-{ask.id}.json", data))


def read_asks(cell: StoredCell) -> tuple[Ask, ...]:
    """Every record of a cell, the oldest first.

    Raises:
        UserError: One cannot be read.
    """
    fs = cell.store.fs
    inside = pafs.FileSelector(cell.path, allow_not_found=True)
    names = [i.path for i in patiently(fs, lambda: fs.get_file_info(inside))]
    asks = [_parse(cell, name) for name in names if ASK.fullmatch(name.rpartition("/")[2])]
    return tuple(sorted(asks, key=lambda ask: (ask.at, ask.id)))


def _parse(cell: StoredCell, path: str) -> Ask:
    try:
        return _ask(json.loads(read(cell.store.fs, path)))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path} cannot be read ({brief(str(error))}): move it away; no sample is in it"
        ) from error


def _ask(raw: object) -> Ask:
    """The record of a parsed file.

    Raises:
        TypeError: A field is of another type, or unknown.
    """
    if not isinstance(raw, dict):
        raise TypeError("it holds no object")
    lists = {name: tuple(raw.get(name, ())) for name in ("problems", "settled")}
    ask = Ask(**{**raw, **lists})
    if not isinstance(ask.n, int) or not isinstance(ask.failures, dict):
        raise TypeError("n or failures is of another type")
    texts = (*ask.problems, *ask.settled, *ask.failures.values())
    texts += (ask.stopped, ask.run, ask.host, ask.at, ask.id)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("something in it should be text and is not")
    return ask


def settled(asks: Iterable[Ask]) -> set[str]:
    """Problems that lack nothing, by the last run that wanted them.

    Args:
        asks: The oldest first.
    """
    last = {problem: ask for ask in asks for problem in ask.problems}
    return {problem for problem, ask in last.items() if problem in ask.settled}


def wanted(asks: Iterable[Ask]) -> dict[str, int]:
    """Problem id to the most samples that any run wanted of it."""
    most: dict[str, int] = {}
    for ask in asks:
        for problem in ask.problems:
            most[problem] = max(most.get(problem, 0), ask.n)
    return most
