"""Verdict files kept over runs: a file's name says everything that its verdicts depend on."""

import contextlib
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from distlab.files import whole
from distlab.scoring.score_piece import PieceSummary
from distlab.scoring.verdict_schema import VERDICTS

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VerdictFiles:
    """A folder of verdict files that runs share.

    Attributes:
        folder: It; made with the first file.
    """

    folder: Path

    def recall(self, file: Path) -> bool:
        """Put the kept file of the same name at ``file``; False where there is none."""
        source = self.folder / file.name
        if not stands(source):
            return False
        try:
            _share(source, file)
        except OSError:
            return False
        return True

    def keep(self, file: Path, summary: PieceSummary) -> None:
        """Keep a piece's file, unless a grader failed or ran out of time in it.

        Another run may be luckier. Where it cannot be kept, a later run judges again.
        """
        if summary.errors or summary.timeouts:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            _share(file, self.folder / file.name)


def stands(file: Path) -> bool:
    """Whether a file of verdicts is there, whole and readable; a damaged one is removed.

    A run that took a damaged file for done work could never be scored or reported again.
    """
    try:
        stored = pq.ParquetFile(file, page_checksum_verification=True)
        if stored.schema_arrow.equals(VERDICTS):
            for _ in stored.iter_batches():
                pass
            return True
    except FileNotFoundError:
        return False
    except Exception as error:
        # Damage raises what it likes.
        _log.warning("%s is damaged (%s): its samples are judged again", file, error)
    with contextlib.suppress(OSError):
        file.unlink()
    return False


def _share(source: Path, target: Path) -> None:
    """One file under two names, or a copy where the disks differ: neither is ever changed."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        with source.open("rb") as found, whole(target) as stream:
            shutil.copyfileobj(found, stream)
