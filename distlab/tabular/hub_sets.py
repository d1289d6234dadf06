"""Which files of a dataset repository are a split: as its card says, or as they are named."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from distlab.problems.sources import HubFiles, Source, from_hub

_SUFFIXES: Final = ("parquet", "jsonl", "json", "csv")


@dataclass(frozen=True, slots=True)
class HubSet:
    """A split on the hub.

    Attributes:
        repo: Hub id.
        split: Its name: test, validation, ...
        subset: Which of the repository's configurations; None for the default one.
        revision: Branch, tag or commit.
    """

    repo: str
    split: str
    subset: str | None = None
    revision: str = "main"


def from_hub_set(wanted: HubSet, dataset: str, setting: str) -> Source:
    """Rows of a split, from the hub's cache where the hub cannot be reached.

    Args:
        wanted: The split.
        dataset: Name of the dataset, for the message.
        setting: The key that replaces the hub, for the message.

    Raises:
        Unavailable: Neither the hub nor its cache has the files.
        UserError: The repository has no such split.
    """
    patterns = declared(wanted, _card(wanted)) or tuple(usual(wanted))
    return from_hub(HubFiles(wanted.repo, patterns), wanted.revision, dataset, setting)


def declared(wanted: HubSet, card: Mapping[str, Any]) -> tuple[str, ...]:
    """Patterns of the split's files in the front matter of a card; empty where it has none.

    https://huggingface.co/docs/hub/datasets-manual-configuration
    """
    configs = [each for each in card.get("configs") or () if isinstance(each, Mapping)]
    for config in configs:
        is_wanted = config.get("config_name") == (wanted.subset or "default")
        if is_wanted or (wanted.subset is None and (len(configs) == 1 or config.get("default"))):
            return _patterns(config.get("data_files"), wanted.split)
    return ()


def _patterns(files: object, split: str) -> tuple[str, ...]:
    if not isinstance(files, Sequence) or isinstance(files, str):
        return ()
    found = [
        each["path"] for each in files if isinstance(each, Mapping) and each.get("split") == split
    ]
    return tuple(path for one in found for path in ([one] if isinstance(one, str) else one))


def usual(wanted: HubSet) -> Iterator[str]:
    """Patterns of the names that splits commonly have.

    https://huggingface.co/docs/hub/datasets-file-names-and-splits
    """
    folders = (f"{wanted.subset}/",) if wanted.subset else ("", "data/")
    for folder in folders:
        for suffix in _SUFFIXES:
            yield f"{folder}{wanted.split}.{suffix}"
            yield f"{folder}{wanted.split}-*.{suffix}"
            yield f"{folder}{wanted.split}/*.{suffix}"


def _card(wanted: HubSet) -> Mapping[str, Any]:
    """The front matter of the repository's README; empty where there is none at hand."""
    import yaml
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        file = hf_hub_download(
            wanted.repo, "README.md", repo_type="dataset", revision=wanted.revision
        )
    except (HfHubHTTPError, HFValidationError, OSError):
        # The split's own files say what cannot be reached.
        return {}
    match = re.match(r"---\n(.*?)\n---", Path(file).read_text(encoding="utf-8"), re.DOTALL)
    try:
        front = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError:
        return {}
    return front if isinstance(front, Mapping) else {}
