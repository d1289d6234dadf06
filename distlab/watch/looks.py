"""A training's folder in; the checkpoints that are whole and no longer written out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from distlab.checkpoints.unfinished import unfinished
from distlab.config.ladder import step_folders

# File name to size in bytes and time of the last change in nanoseconds.
Files = Mapping[str, tuple[int, int]]


@dataclass(slots=True)
class Looks:
    """Looks at a folder, each of which knows what the one before saw.

    Attributes:
        folder: Where the training writes a folder for each checkpoint.
        pattern: Finds the step in their names, as ``model.steps.pattern`` does.
        is_calm: Whether the last look found everything as the one before had left it.
    """

    folder: Path
    pattern: str
    is_calm: bool = False
    _seen: dict[Path, Files] = field(default_factory=dict)

    def whole(self) -> list[Path]:
        """The checkpoints that lack nothing and have not changed since the last look, by step.

        Raises:
            UserError: The pattern is none.
        """
        if not self.folder.is_dir():
            return []
        found = {
            path: _files(path) for path in step_folders(self.folder, self.pattern, "--pattern")
        }
        settled = [path for path, files in found.items() if self._seen.get(path) == files]
        self.is_calm, self._seen = found == self._seen, found
        return [path for path in settled if unfinished(path) is None]

    def files(self, checkpoint: Path) -> Files:
        """What the last look saw of a checkpoint."""
        return self._seen[checkpoint]


def _files(folder: Path) -> Files:
    found = {}
    for path in folder.iterdir():
        try:
            status = path.stat()
        except FileNotFoundError:  # a draft that was renamed meanwhile
            continue
        found[path.name] = (status.st_size, status.st_mtime_ns)
    return found
