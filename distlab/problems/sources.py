"""Where a dataset's file is had: a local path, the hub, or the web."""

import datetime
import hashlib
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from distlab.errors import Unavailable, UserError
from distlab.files import cache_folder, whole
from distlab.problems.rows import Row, read_rows

_SUFFIXES = (".parquet", ".jsonl", ".csv", ".json")


@dataclass(frozen=True, slots=True)
class Source:
    """Rows and where they are from.

    Attributes:
        rows: Every row, in the files' order.
        label: Path, hub id or address.
        revision: Resolved hub commit, or None.
        notes: What the reader must know of the source.
    """

    rows: tuple[Row, ...]
    label: str
    revision: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Files of one split in a hub dataset.

    Attributes:
        repo: Hub id.
        patterns: Glob patterns of the split's files, inside the repository.
    """

    repo: str
    patterns: tuple[str, ...]


def from_path(path: str) -> Source:
    """Rows of a local file.

    Raises:
        UserError: The file is absent, empty or malformed.
    """
    return Source(read_rows(Path(path).expanduser()), path)


def from_hub(files: HubFiles, revision: str, dataset: str, setting: str) -> Source:
    """Rows of a split on the hub, from its cache where the hub cannot be reached.

    Args:
        files: Repository and the files wanted.
        revision: Branch, tag or commit.
        dataset: Name of the dataset, for the message.
        setting: The key that replaces the hub, for the message.

    Raises:
        UserError: Neither the hub nor its cache has the files.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        folder = Path(
            snapshot_download(
                files.repo,
                repo_type="dataset",
                revision=revision,
                allow_patterns=list(files.patterns),
            )
        )
    except (
        LocalEntryNotFoundError,
        EntryNotFoundError,
        OfflineModeIsEnabled,
        HfHubHTTPError,
        HFValidationError,
        OSError,
    ) as error:
        raise Unavailable(
            f" cannot be had from the hub: {_hub_reason(error)}, and nothing is in the hub's "
            f"cache; connect, or give {_of_any(setting, dataset)}=FILE",
            f"dataset {dataset} ({files.repo} at {revision})",
        ) from error
    found = _split_files(folder, files.patterns)
    if not found:
        raise UserError(
            f"dataset {dataset}: {files.repo} at {revision} has no file like "
            f"{' or '.join(files.patterns)}; give {setting}=FILE or another revision"
        )
    rows = tuple(row for path in found for row in read_rows(path))
    return Source(rows, f"hub:{files.repo}", folder.name)


def _of_any(setting: str, dataset: str) -> str:
    """The key as it reads of several datasets, so that one sentence does for all of them."""
    return setting.replace(f"dataset.sets.{dataset}.", "dataset.sets.NAME.")


def from_web(url: str, dataset: str, setting: str, commit: str | None = None) -> Source:
    """Rows of a file on the web; the last copy fetched serves where the web cannot be reached.

    Args:
        url: Address of the file.
        dataset: Name of the dataset, for the message.
        setting: The key that replaces the web, for the message.
        commit: The commit that the address names, or None.

    Raises:
        UserError: The address cannot be reached and no copy was kept.
    """
    name = Path(urllib.parse.urlparse(url).path).name
    kept = cache_folder() / "datasets" / hashlib.sha256(url.encode()).hexdigest()[:16] / name
    notes: tuple[str, ...] = ()
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            body = response.read()
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        if not kept.is_file():
            raise Unavailable(
                f"dataset {dataset} cannot be fetched from {url} ({_brief(error)}); "
                f"give {setting}=FILE"
            ) from error
        day = datetime.date.fromtimestamp(kept.stat().st_mtime).isoformat()
        notes = (f"{url} could not be reached: the copy fetched on {day} was read",)
    else:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with whole(kept) as stream:
            stream.write(body)
    return Source(read_rows(kept), url, commit, notes)


def _split_files(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The split's files in one format: a repository may hold the same rows in several."""
    paths = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    for suffix in _SUFFIXES:
        if same := [path for path in paths if path.suffix == suffix]:
            return same
    return []


def _hub_reason(error: BaseException) -> str:
    """Why the hub gave nothing; what is raised without a connection does not say it plainly."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    is_silent = isinstance(error, LocalEntryNotFoundError | ConnectionError)
    return "the hub does not answer" if is_silent else _brief(error)


def _brief(error: BaseException) -> str:
    """First line of an error's text: hub errors run over many."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
