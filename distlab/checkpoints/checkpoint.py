"""What is asked for and what can be loaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Variant = Literal["base", "instruct"]
"""Which of a family's two checkpoints."""

VARIANTS: Final[tuple[Variant, ...]] = ("base", "instruct")

CheckpointSource = Literal["hub", "local", "packaged", "server", "tiny"]
"""Where a checkpoint is from: resolved to a commit, a folder, a converted GGUF file, made here; or
only a server has it, and nothing of it is known but its name there."""

# Those that a config can name.
SOURCES: Final[tuple[CheckpointSource, ...]] = ("hub", "local", "packaged", "server")


def recognised_source(name: str) -> CheckpointSource:
    """Where a checkpoint is from, by its id.

    A folder that is there goes before a hub id of the same name, as it does in vLLM.

    Args:
        name: Hub id, folder, or "DISTRIBUTION:FILE.gguf".
    """
    if name.startswith(("/", "~", "./", "../")) or name in (".", "..") or Path(name).is_dir():
        return "local"
    return "packaged" if ":" in name and name.endswith(".gguf") else "hub"


@dataclass(frozen=True, slots=True)
class CheckpointSpec:
    """A checkpoint as the config asks for it.

    Attributes:
        id: Hub id, folder, or "DISTRIBUTION:FILE.gguf" for a packaged one.
        source: Where it is from.
        revision: Hub branch, tag or commit.
    """

    id: str
    source: CheckpointSource
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that can be loaded.

    Attributes:
        id: As in the spec; what people call it.
        model: What the engine loads: a folder or a hub id.
        revision: Hub commit to load, or None for a folder.
        digest: Identity of the weights: the hub commit, or a hash of the files (hex).
    """

    id: str
    model: str
    revision: str | None
    digest: str
