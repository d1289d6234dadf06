"""The options of a config group, each with the first sentence of its file's leading comment."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from distlab.errors import UserError

# What a user calls a kind of thing, and its config group.
GROUPS: Final[Mapping[str, str]] = {
    "models": "model",
    "datasets": "dataset",
    "prompts": "prompt",
    "decodings": "decoding",
    "extractors": "extractor",
    "graders": "grader",
    "trackers": "tracker",
    "clusters": "cluster",
    "experiments": "experiment",
}
_SENTENCE: Final = re.compile(r"(.+?)[.?!](?=\s|$)")
# Hydra's own header, which is no comment for people.
_HEADER: Final = "@package"


class GroupOption(NamedTuple):
    """One choice of a group.

    Attributes:
        name: What to type after ``GROUP=``.
        summary: What it is, in a line.
    """

    name: str
    summary: str


def options(group: str, folders: Sequence[Path]) -> tuple[GroupOption, ...]:
    """The options of a group, by name; a file whose name begins with ``_`` is a part of others.

    Args:
        group: As in conf/.
        folders: Config folders; of two files of one name the first folder's counts, as for Hydra.

    Raises:
        UserError: A folder does not exist.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"the config folder {folder} does not exist: name one that does")
        for file in (folder / group).glob("[!_]*.yaml"):
            found.setdefault(file.stem, file)
    return tuple(GroupOption(name, summary(found[name])) for name in sorted(found))


def summary(file: Path) -> str:
    """The first sentence of a file's leading comment; empty where it has none."""
    text = " ".join(_leading_comment(file.read_text(encoding="utf-8")))
    sentence = _SENTENCE.match(text)
    return text if sentence is None else sentence[1]


def _leading_comment(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("#"):
            return
        if not (words := line.lstrip("# ")).startswith(_HEADER):
            yield words
