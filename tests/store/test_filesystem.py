import errno
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from distlab.errors import UserError
from distlab.store import filesystem
from distlab.store.filesystem import open_filesystem, patiently, unusable

S3 = pafs.S3FileSystem(anonymous=True, region="us-east-1")
PAUSES: list[float] = []


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    PAUSES.clear()
    monkeypatch.setattr(filesystem.time, "sleep", PAUSES.append)
    monkeypatch.setattr(filesystem.time, "monotonic", lambda: sum(PAUSES))


def failing(times: int, error: OSError) -> object:
    left = [error] * times

    def attempt() -> str:
        if left:
            raise left.pop()
        return "done"

    return attempt


def test_what_can_pass_is_tried_again_with_growing_pauses() -> None:
    outage = OSError("AWS Error NETWORK_CONNECTION during HeadObject operation")
    assert patiently(S3, failing(8, outage)) == "done"  # type: ignore[arg-type]
    assert PAUSES == [0.5, 1, 2, 4, 8, 15, 15, 15]


def test_patience_ends() -> None:
    with pytest.raises(OSError, match="SLOW_DOWN"):
        patiently(S3, failing(10**6, OSError("SLOW_DOWN")))  # type: ignore[arg-type]
    assert filesystem.PATIENCE_S < sum(PAUSES) < filesystem.PATIENCE_S + 20


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError("no such object"),
        OSError("AWS Error ACCESS_DENIED during PutObject operation"),
        OSError("AWS Error NO_SUCH_BUCKET during PutObject operation"),
    ],
)
def test_what_waiting_cannot_help_fails_at_once(error: OSError) -> None:
    with pytest.raises(OSError, match=str(error)):
        patiently(S3, failing(1, error))  # type: ignore[arg-type]
    assert PAUSES == []


def test_a_disk_is_not_waited_for() -> None:
    with pytest.raises(OSError, match="No space"):
        patiently(pafs.LocalFileSystem(), failing(1, OSError(28, "No space")))  # type: ignore[arg-type]
    assert PAUSES == []


def test_a_folder_called_like_an_error_of_s3_is_still_a_folder(tmp_path: Path) -> None:
    error = PermissionError(13, "Permission denied", str(tmp_path / "Forbidden"))
    assert "set `store` to a folder that can" in str(unusable(str(tmp_path), "written", error))


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "make room, and give the command again"),
        (errno.EROFS, "make it writable, or set `store` to another folder"),
        (errno.ENOTDIR, "set `store` to a folder that can"),
    ],
)
def test_a_store_on_a_disk_that_refuses_has_its_own_cure(number: int, cure: str) -> None:
    error = OSError(number, f"Error writing. Detail: [errno {number}]")
    assert str(unusable("/store", "written", error)).endswith(f"): {cure}")


@pytest.mark.parametrize("uri", ["s3:/bucket/store", "gs:/b", "memory:/x", "S3:/b"])
def test_an_address_that_lacks_a_slash_is_no_folder(uri: str) -> None:
    scheme, _, rest = uri.partition(":/")
    with pytest.raises(UserError) as caught:
        open_filesystem(uri)
    assert f"write {scheme}://{rest}, or ./{uri} for a folder" in str(caught.value)


@pytest.mark.parametrize("path", ["a:b/c", "./s3:/x", "x/s3:/b", "/s3:/b"])
def test_colons_in_paths_are_colons(path: str, tmp_path: Path) -> None:
    filesystem, root = open_filesystem(path)
    assert isinstance(filesystem, pafs.LocalFileSystem)
    assert root.endswith(path.removeprefix("./"))
