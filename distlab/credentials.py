"""Credentials in an address or a name, refused before manifests, reports and logs repeat them."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from distlab.errors import UserError

_SCHEME: Final = r"\b(?P<scheme>[a-z][a-z0-9+.-]*)://"
_HOST: Final = r"[^\s/?#@,'\"{}\[\]]*"
_ANY: Final = r"[^\s,'\"]*"
# A secret key may hold a slash, so that it seems to end the host; what follows a colon there is
# then no port.
_PASSWORD: Final = re.compile(rf"{_SCHEME}{_HOST}:(?!\d{{1,5}}(?:[/?#,'\"\]}}\s]|$)){_ANY}@", re.I)
_USER: Final = re.compile(rf"{_SCHEME}{_HOST}@", re.I)
_QUERY: Final = re.compile(
    rf"{_SCHEME}{_ANY}[?&][^=&\s]*"
    r"(?:secret|token(?!iz)|passw|signature|credential|(?:access|account|api)_?key|\bsig)[^=&\s]*=",
    re.I,
)
_HUB_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}")
# Where a user alone is part of an address: a container, an anonymous reader, an account.
_NAMED_USERS: Final = ("abfs", "abfss", "gs", "gcs", "hdfs", "viewfs")
_AWS: Final = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_AZURE: Final = "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
_GOOGLE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
_HUB: Final = "HF_TOKEN"
# A server's key has a key of the config, and no service says what the variable is called.
_SERVER: Final = "base_url"
_SERVERS_CURE: Final = (
    "put the server's key into an environment variable, and name that in `cluster.api_key_env`"
)
_VARIABLES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("s3", "s3a"), _AWS),
    **dict.fromkeys(("gs", "gcs"), _GOOGLE),
    **dict.fromkeys(("abfs", "abfss", "az"), _AZURE),
    **dict.fromkeys(("http", "https", "hf"), _HUB),
}


def refuse_credentials(place: str, text: str) -> None:
    """Refuse a text that holds a password, a key or a token.

    Args:
        place: What the text is the value of, for the sentence.
        text: An address, a name, or more words that may hold some.

    Raises:
        UserError: It does; the sentence says where they belong, and not the secret.
    """
    if (variables := _variables(text)) is not None:
        is_server = _SERVER in place or _SERVER in text
        cure = _SERVERS_CURE if is_server else f"set {variables} in the environment"
        raise UserError(
            f"{place} holds credentials, which manifests, reports and logs would repeat: leave "
            f"them out, and {cure}"
        )


def refuse_typed(words: Iterable[str]) -> None:
    """Refuse a command line that holds a password, a key or a token.

    Raises:
        UserError: It does.
    """
    for word in words:
        key, equals, _ = word.partition("=")
        is_named = equals and key.lstrip("+-").replace(".", "").replace("_", "").isalnum()
        refuse_credentials(f"`{key}`" if is_named else "the command line", word)


def _variables(text: str) -> str | None:
    """Where the credentials of a text belong; None where it has none."""
    if _HUB_TOKEN.search(text):
        return _HUB
    found = _PASSWORD.search(text) or _QUERY.search(text)
    if found is None:
        users = (user for user in _USER.finditer(text) if user["scheme"] not in _NAMED_USERS)
        found = next(users, None)
    if found is None:
        return None
    return _VARIABLES.get(found["scheme"].lower(), "what that service asks for")
