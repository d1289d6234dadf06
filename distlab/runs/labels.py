"""Labels that came with ingested samples: the verdicts of a judge of their own.

They stand in files of the run folder that scoring does not touch, one for each cell and judge, and
are put beside the verdicts of our graders, under each extractor, wherever verdicts are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from distlab.errors import UserError
from distlab.escape import plain
from distlab.files import folder_name, whole
from distlab.runs.folder import RunFolder
from distlab.scoring.types import Verdict
from distlab.scoring.verdict_schema import VERDICTS
from distlab.store.columns import strings

LABELS: Final = pa.schema(
    [VERDICTS.field(name) for name in ("cell", "problem_id", "rank", "grader", "verdict")]
)


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of one cell's samples, one entry per sample.

    Attributes:
        cell: Key of the cell.
        judge: What stands where others have the name of a grader.
        problem_ids: The sample's problem.
        ranks: Its draw index.
        correct: What its label says.
    """

    cell: str
    judge: str
    problem_ids: Sequence[str]
    ranks: npt.NDArray[np.int64]
    correct: npt.NDArray[np.bool_]

    def as_table(self) -> pa.Table:
        """Rows in the schema ``LABELS``."""
        names = pa.array([Verdict.INCORRECT.value, Verdict.CORRECT.value])
        columns = {
            "cell": _repeated(self.cell, len(self.ranks)),
            "problem_id": pa.array(self.problem_ids, pa.string()),
            "rank": pa.array(self.ranks, pa.int32()),
            "grader": _repeated(self.judge, len(self.ranks)),
            "verdict": pa.DictionaryArray.from_arrays(self.correct.astype(np.int32), names),
        }
        return pa.table(columns, schema=LABELS)


def _repeated(text: str, times: int) -> "pa.Array[pa.Scalar[pa.DataType]]":
    """A text as many times as asked, stored once."""
    return pa.DictionaryArray.from_arrays(np.zeros(times, np.int32), pa.array([text]))


def judge_of(column: str) -> str:
    """The judge that a column of labels is: "given:score"."""
    return f"given:{plain(column)}"


def write_labels(folder: RunFolder, labels: Labels) -> None:
    """Write the labels of a cell in one step, in place of earlier ones of the same judge.

    Raises:
        OSError: The disk is full or the folder is gone.
    """
    name = folder_name(f"{labels.cell} {labels.judge}")
    folder.labels.mkdir(parents=True, exist_ok=True)
    with whole(folder.labels / f"{name}.parquet") as stream:
        pq.write_table(labels.as_table(), stream, compression="zstd", write_page_checksum=True)


def read_labels(file: Path) -> Labels:
    """Read one file of a run's labels.

    Raises:
        UserError: It is damaged, or no file of labels.
    """
    try:
        table = pq.ParquetFile(file, page_checksum_verification=True).read()
        if not table.schema.equals(LABELS):
            raise ValueError("it is no file of labels")
        (cell,), (judge,) = (set(table.column(name).to_pylist()) for name in ("cell", "grader"))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UserError(
            f"{file} cannot be read ({str(error).splitlines()[0]}); ingest the samples again "
            f"with --into {file.parent.parent}, and the labels are written anew"
        ) from error
    return Labels(
        cell=str(cell),
        judge=str(judge),
        problem_ids=strings(table.column("problem_id")),
        ranks=table.column("rank").to_numpy().astype(np.int64),
        correct=np.array(table.column("verdict").to_pylist()) == Verdict.CORRECT.value,
    )
