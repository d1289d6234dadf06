"""What is asked for and what can be loaded."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NewType

from distlab.errors import UserError
from distlab.escape import plain

Variant = NewType("Variant", str)
"""Which of a family's checkpoints: "base", "instruct", or the name of a stage of a ladder."""

BASE: Final = Variant("base")
INSTRUCT: Final = Variant("instruct")
# Written as they are into addresses and file names, and without the "/" that parts a cell's key.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}")
# What models that read completions are filed under.
_RESERVED: Final = frozenset({"extractor"})


def variant_name(where: str, name: str) -> Variant:
    """A name as that of a variant.

    Args:
        where: What gives it, for the sentence.
        name: As it was given.

    Raises:
        UserError: It cannot name a folder as it is, or it is taken.
    """
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise UserError(
            f"`{where}` is {plain(repr(name), 100)}: take up to 63 letters, digits, '.', '_', '+' "
            "and '-', a letter or a digit first, and not 'extractor'"
        )
    return Variant(name)


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
