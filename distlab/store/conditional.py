"""Objects that are written only if nobody was faster, on object stores that promise it.

S3, GCS and Azure take a condition with a write: that nothing is there yet, or that what is there
is still what was read. pyarrow has no such call, so these few small objects go through obstore,
with the credentials of the environment.
"""

import configparser
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore, from_url

from distlab.errors import brief

_Result = TypeVar("_Result")

_SCHEMES = ("s3", "gs", "az", "abfs", "abfss")
# Query parameters of pyarrow's addresses to obstore's names.
_S3_QUERY = {"region": "region", "endpoint_override": "endpoint"}


class Unconditional(Exception):
    """The store takes no condition, or obstore cannot reach it; the message says why."""


@dataclass(frozen=True, slots=True)
class Version:
    """An object as it was read.

    Attributes:
        data: Its content.
        tag: Its entity tag; that of equal contents may be equal.
    """

    data: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class ConditionalObjects:
    """The objects below a store's address."""

    _objects: ObjectStore

    @classmethod
    def open(cls, uri: str) -> "ConditionalObjects | None":
        """Those of an address; None where it is of a kind without conditions, such as a disk.

        Raises:
            Unconditional: obstore refuses the address.
        """
        parts = urlsplit(uri)
        if parts.scheme not in _SCHEMES:
            return None
        config: dict[str, str] = {}
        if parts.scheme == "s3":
            config = _s3_config({name: of[-1] for name, of in parse_qs(parts.query).items()})
        plain = parts._replace(query="").geturl()
        try:
            # The stubs want a literal of keys for each kind of store.
            made = from_url(plain, config=config, client_options={"allow_http": True})  # type: ignore[call-overload]
        except (BaseError, ValueError) as error:
            raise Unconditional(brief(str(error))) from error
        return cls(made)

    def check(self, path: str) -> None:
        """See that the store heeds conditions: some take any write and say nothing.

        Args:
            path: Where nothing is; a small object is left there.

        Raises:
            Unconditional: It does not.
            OSError: It does not answer, or not to obstore.
        """
        if not self.create(path, b"1"):
            raise Unconditional(f"it holds {path} already")
        first = self.read(path)
        if first is None or self.create(path, b"2"):
            raise Unconditional("it takes writes whatever their condition")
        if not self.replace(path, b"3", first) or self.replace(path, b"4", first):
            raise Unconditional("it takes writes whatever their condition")

    def read(self, path: str) -> Version | None:
        """An object, or None where there is none.

        Raises:
            OSError: The store does not answer.
        """

        def read() -> Version:
            found = obstore.get(self._objects, path)
            return Version(bytes(found.bytes()), found.meta["e_tag"] or "")

        try:
            return _translated(read)
        except FileNotFoundError:
            return None

    def create(self, path: str, data: bytes) -> bool:
        """Write an object where there is none; whether there was none.

        Raises:
            Unconditional: The store takes no condition.
            OSError: The store does not answer.
        """
        return self._put(path, data, None)

    def replace(self, path: str, data: bytes, seen: Version) -> bool:
        """Write an object where it is still as it was seen; whether it was.

        Raises:
            Unconditional: The store takes no condition.
            OSError: The store does not answer.
        """
        return self._put(path, data, seen)

    def _put(self, path: str, data: bytes, seen: Version | None) -> bool:
        def put() -> bool:
            try:
                if seen is None:
                    obstore.put(self._objects, path, data, mode="create")
                else:
                    obstore.put(self._objects, path, data, mode={"e_tag": seen.tag})
            except (AlreadyExistsError, PreconditionError):
                # A try whose answer was lost may have been our own.
                return (found := self.read(path)) is not None and found.data == data
            return True

        return _translated(put)


def _translated(attempt: Callable[[], _Result]) -> _Result:
    """Do something with obstore, whose errors become those of Python."""
    try:
        return attempt()
    except FileNotFoundError:
        raise
    except (UnauthenticatedError, PermissionDeniedError) as error:
        raise PermissionError(brief(str(error))) from error
    except NotSupportedError as error:
        raise Unconditional(brief(str(error))) from error
    except BaseError as error:
        raise OSError(brief(str(error))) from error


def _s3_config(query: dict[str, str]) -> dict[str, str]:
    """What pyarrow reads off the address and out of files, which obstore does not."""
    config = {_S3_QUERY[name]: value for name, value in query.items() if name in _S3_QUERY}
    if "endpoint" in config and "://" not in config["endpoint"]:
        config["endpoint"] = f"{query.get('scheme', 'https')}://{config['endpoint']}"
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return config
    profile = os.environ.get("AWS_PROFILE", "default")
    return {**_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile), **config}


def _file(variable: str, name: str, profile: str) -> dict[str, str]:
    """Keys of a profile in Amazon's file of credentials; none where it has none."""
    file = Path(os.environ.get(variable) or Path.home() / ".aws" / name).expanduser()
    profiles = configparser.ConfigParser(interpolation=None)
    try:
        profiles.read(file)
    except (configparser.Error, UnicodeDecodeError):
        return {}
    keys = dict(profiles[profile]) if profiles.has_section(profile) else {}
    wanted = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return {key: keys[key] for key in wanted if key in keys}
