"""The prompts of a cell's samples, as the model saw them, kept once per problem.

    CELL/prompts-HEX.parquet    named by its sha256, so that a changed bit is noticed

Samples name their prompt by its hash. Cells that an earlier distlab drew, or that were ingested,
have no such file until a run renders them again.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from distlab.errors import UserError
from distlab.prompts.prompt import Prompt, Turn
from distlab.store.batches import prompt_hash
from distlab.store.filesystem import patiently, publish, read
from distlab.store.store import StoredCell

PROMPTS = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("prompt_hash", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field(
            "turns",
            pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
            nullable=False,
        ),
    ]
)
_FILE = re.compile(r"prompts-[0-9a-f]{32}\.parquet")


@dataclass(frozen=True, slots=True)
class KeptPrompt:
    """A prompt for people; see ``distlab.prompts.prompt.Prompt`` for the other fields.

    Attributes:
        prompt_hash: Of its token ids, as samples name it.
    """

    problem_id: str
    prompt_hash: str
    text: str
    turns: tuple[Turn, ...] = ()

    @classmethod
    def of(cls, prompt: Prompt) -> "KeptPrompt":
        """What is kept of a rendered prompt."""
        return cls(prompt.problem_id, prompt_hash(prompt.token_ids), prompt.text, prompt.turns)


def keep_prompts(cell: StoredCell, prompts: Iterable[KeptPrompt]) -> None:
    """Write the prompts that the cell does not keep yet.

    Args:
        cell: Its folder is there.
        prompts: Each names a problem and a prompt of it once.

    Raises:
        UserError: Those that are there are damaged or cannot be read.
        OSError: The store cannot be written.
    """
    held = {
        (row["problem_id"], row["prompt_hash"])
        for table in _tables(cell, ["problem_id", "prompt_hash"])
        for row in table.to_pylist()
    }
    new = [one for one in prompts if (one.problem_id, one.prompt_hash) not in held]
    if not new:
        return
    data = _encoded(new)
    fs, path = cell.store.fs, f"{cell.path}/{_name(data)}"
    patiently(fs, lambda: publish(fs, path, data))


def prompt_table(cell: StoredCell) -> pa.Table:
    """Every prompt that a cell keeps, with the columns of ``PROMPTS``.

    Raises:
        UserError: A file is damaged or cannot be read.
    """
    tables = list(_tables(cell, PROMPTS.names))
    return pa.concat_tables(tables) if tables else PROMPTS.empty_table()


def find_prompt(cell: StoredCell, problem_id: str, prompt_hash: str) -> KeptPrompt | None:
    """The prompt that a sample names; None where the cell keeps none.

    Raises:
        UserError: A file is damaged or cannot be read.
    """
    for table in _tables(cell, PROMPTS.names):
        rows = zip(table["problem_id"].to_pylist(), table["prompt_hash"].to_pylist(), strict=True)
        for place, key in enumerate(rows):
            if key == (problem_id, prompt_hash):
                (row,) = table.slice(place, 1).to_pylist()
                turns = tuple(Turn(turn["role"], turn["content"]) for turn in row["turns"])
                return KeptPrompt(problem_id, prompt_hash, row["text"], turns)
    return None


def _encoded(prompts: Sequence[KeptPrompt]) -> bytes:
    table = pa.Table.from_pylist([asdict(one) for one in prompts], schema=PROMPTS)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _name(data: bytes) -> str:
    return f"prompts-{hashlib.sha256(data).hexdigest()[:32]}.parquet"


def _tables(cell: StoredCell, columns: Sequence[str]) -> Iterator[pa.Table]:
    fs = cell.store.fs
    inside = pafs.FileSelector(cell.path, allow_not_found=True)
    for info in sorted(
        patiently(fs, lambda: fs.get_file_info(inside)), key=lambda info: str(info.path)
    ):
        if _FILE.fullmatch(info.base_name):
            yield _read(cell, str(info.path), columns)


def _read(cell: StoredCell, path: str, columns: Sequence[str]) -> pa.Table:
    try:
        data = read(cell.store.fs, path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    if _name(data) != path.rpartition("/")[2]:
        raise UserError(
            f"{path} is damaged: delete it, no sample is in it; the next run of the cell keeps its "
            "prompts anew"
        )
    return pq.read_table(pa.BufferReader(data), columns=list(columns))
