"""Where a store can be: a folder, or an object store behind pyarrow; whole writes and patience.

A store on a network has outages. What was begun goes on when it is back: an operation that fails
in a way that can pass is tried again for ``PATIENCE_S``, with growing pauses.
"""

import errno
import logging
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.fs as pafs

from distlab.errors import DISK_FULL, UserError, brief
from distlab.files import whole

_Result = TypeVar("_Result")

# Seconds that an outage of a remote store is waited out (ours), and the first and longest pause.
PATIENCE_S = 300.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0

# What object stores say when no waiting helps. pyarrow gives their errors as text alone.
_NO_CREDENTIALS = (
    *("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE", "UNRECOGNIZED_CLIENT"),
    *("MISSING_AUTHENTICATION", "AccessDenied", "InvalidAccessKeyId", "Unauthorized"),
    *("HTTP status 401", "HTTP status 403", "Forbidden", "credential"),
)
_S3_CREDENTIALS = (
    *("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
)
_NO_BUCKET = ("NO_SUCH_BUCKET", "NoSuchBucket", "Bucket '", "PERMANENT_REDIRECT")

# Addresses such as s3:/BUCKET; file:/PATH has an empty host, which a path as such needs not.
_SHORT_OF_SLASHES = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?!/)")

_log = logging.getLogger(__name__)


def open_filesystem(uri: str) -> tuple[pafs.FileSystem, str]:
    """The file system behind an address, and the path inside it.

    Args:
        uri: A local path, or ``s3://BUCKET/PATH``, ``gs://...`` and whatever pyarrow knows.

    Raises:
        OSError, pyarrow.ArrowException: The address is malformed or of an unknown kind.
        UserError: It is an address with too few slashes.
    """
    if short := _SHORT_OF_SLASHES.match(uri):
        raise UserError(
            f"the store {uri} lacks a slash: write {short[1]}://{uri[short.end() :]}, or ./{uri} "
            "for a folder of that name"
        )
    if "://" not in uri:
        return pafs.LocalFileSystem(), str(Path(uri).expanduser().absolute())
    if uri.startswith("s3://"):
        # Where no credentials are set, Amazon's client asks the machine's metadata service and
        # waits for it; on a machine outside of EC2 nothing answers.
        os.environ.setdefault("AWS_METADATA_SERVICE_TIMEOUT", "1")
    fs, root = pafs.FileSystem.from_uri(uri)
    return fs, root.rstrip("/")


def is_local(fs: pafs.FileSystem) -> bool:
    """Whether it is a disk of this machine, or one mounted here."""
    return isinstance(fs, pafs.LocalFileSystem)


def check_bucket(fs: pafs.FileSystem, root: str) -> None:
    """See that the bucket of a path exists.

    Raises:
        OSError: It does not, or the object store does not answer.
    """
    bucket = root.partition("/")[0]
    if fs.get_file_info(bucket).type == pafs.FileType.NotFound:
        raise FileNotFoundError(f"Bucket '{bucket}' not found")


def publish(fs: pafs.FileSystem, path: str, data: bytes | pa.Buffer) -> None:
    """Write an object whole or not at all.

    Object stores publish an object when its upload ends; a disk needs fsync and rename.

    Raises:
        OSError: It cannot be written.
    """
    if is_local(fs):
        with whole(Path(path)) as stream:
            stream.write(data)
        return
    with fs.open_output_stream(path) as stream:
        stream.write(data)
    size = data.size if isinstance(data, pa.Buffer) else len(data)
    # Closing a stream publishes what has arrived: see that it is all.
    if (found := fs.get_file_info(path).size) != size:
        raise OSError(f"{path} holds {found} bytes of {size}")


def read(fs: pafs.FileSystem, path: str) -> bytes:
    """The content of a small object; an outage is waited out.

    Raises:
        FileNotFoundError: There is none.
        OSError: It cannot be read.
    """

    def attempt() -> bytes:
        with fs.open_input_stream(path) as stream:
            return bytes(stream.readall())

    return patiently(fs, attempt)


def patiently(fs: pafs.FileSystem, attempt: Callable[[], _Result]) -> _Result:
    """Do something with a file system; on a remote one wait out an outage.

    Args:
        fs: The file system.
        attempt: May be called many times.

    Raises:
        OSError: The last error, after ``PATIENCE_S`` or at once where waiting cannot help.
    """
    since, pause = time.monotonic(), _FIRST_PAUSE_S
    while True:
        try:
            return attempt()
        except OSError as error:
            if is_local(fs) or not _can_pass(error) or time.monotonic() - since > PATIENCE_S:
                raise
            _log.warning("the store does not answer, trying again in %.1f s: %s", pause, error)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _can_pass(error: OSError) -> bool:
    lasting = isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError)
    return not lasting and not _says(error, _NO_CREDENTIALS + _NO_BUCKET)


def _says(error: BaseException, phrases: tuple[str, ...]) -> bool:
    return any(phrase in str(error) for phrase in phrases)


def unusable(uri: str, what: str, error: BaseException) -> UserError:
    """The sentence for a store that cannot be used.

    Args:
        uri: The store.
        what: "read" or "written".
        error: Why.
    """
    if "://" in uri and (_says(error, _NO_CREDENTIALS) or _lacks_credentials(uri, error)):
        return UserError(
            f"the store {uri} cannot be {what}: credentials are missing or not accepted "
            f"({_brief(error)}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what your "
            "object store asks for, in the environment"
        )
    if "://" in uri and _says(error, _NO_BUCKET):
        return UserError(
            f"the store {uri} cannot be {what}: there is no such bucket ({_brief(error)}); "
            "make it, or set `store` to one that exists"
        )
    return UserError(f"the store {uri} cannot be {what} ({_brief(error)}): {_cure(error)}")


def _cure(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in DISK_FULL:
        return "make room, and give the command again"
    if number == errno.EROFS:
        return "make it writable, or set `store` to another folder"
    return "set `store` to a folder that can"


def _lacks_credentials(uri: str, error: BaseException) -> bool:
    """Whether the server failed on a request that nothing could sign."""
    if not uri.startswith("s3://") or _says(error, (*_NO_BUCKET, "NETWORK_CONNECTION")):
        return False
    files = (
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        ("AWS_CONFIG_FILE", "~/.aws/config"),
    )
    return not any(os.environ.get(name) for name in _S3_CREDENTIALS) and not any(
        Path(os.environ.get(name) or default).expanduser().exists() for name, default in files
    )


def _brief(error: BaseException) -> str:
    return brief(str(error)) or type(error).__name__
