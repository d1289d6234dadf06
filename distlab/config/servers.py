"""The keys below ``cluster`` that name servers which run already; checked, as values."""

import math
import re
from collections.abc import Mapping
from typing import Final

from distlab.config.refusal import refuse
from distlab.config.schema import ClusterConfig
from distlab.config.values import ANY, Server
from distlab.errors import UserError

_URL: Final = re.compile(r"https?://[^\s/?#]+(?:/[^\s?#]*)?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def servers(raw: ClusterConfig) -> dict[str, Server]:
    """Variant, or ``ANY``, to its server; empty where engines are started.

    Raises:
        UserError: A value is none that its key takes, or two do not fit.
    """
    if (raw.base_url is None) != (raw.device != "server"):
        if raw.base_url is None:
            refuse("cluster.base_url", None, "give the server's address, http://HOST:PORT/v1")
        refuse("cluster.base_url", raw.base_url, "a server needs cluster=endpoint; take it")
    urls = _by_variant("cluster.base_url", raw.base_url)
    if not urls:
        return {}
    names = _by_variant("cluster.served_model", raw.served_model)
    _check_limits(raw)
    return {
        variant: Server(
            url=_url(url),
            model=names.get(variant, names.get(ANY)),
            api_key_env=_variable(raw.api_key_env),
            timeout_s=raw.request_timeout_s,
        )
        for variant, url in _spread(urls, names).items()
    }


def _by_variant(key: str, raw: object) -> dict[str, str]:
    """One text for all, or a text for each variant."""
    if raw is None:
        return {}
    given = dict(raw) if isinstance(raw, Mapping) else {ANY: raw}
    for variant, text in given.items():
        if not isinstance(text, str) or not text.strip():
            place = key if variant == ANY else f"{key}.{variant}"
            refuse(
                place, text, "give a text, or one for each variant as {base: ..., instruct: ...}"
            )
    return {str(variant): str(text).strip() for variant, text in given.items()}


def _spread(urls: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """The addresses, that of all also under every variant with a name of its own."""
    shared = {variant: urls[ANY] for variant in names if ANY in urls}
    return {**shared, **urls}


def _url(text: str) -> str:
    if not _URL.fullmatch(text):
        refuse("cluster.base_url", text, "give http://HOST:PORT/v1, or https")
    return text.rstrip("/")


def _variable(name: str | None) -> str | None:
    """The name of an environment variable; what is none may be the key itself, and is not said."""
    if name is not None and not _VARIABLE.fullmatch(name):
        raise UserError(
            "`cluster.api_key_env` is no name of an environment variable: put the key into one, "
            "and give the variable's name"
        )
    return name


def _check_limits(raw: ClusterConfig) -> None:
    if not 0 < raw.request_timeout_s < math.inf:
        remedy = "set it to a finite number of seconds above 0"
        refuse("cluster.request_timeout_s", raw.request_timeout_s, remedy)
    if raw.max_num_seqs is None:
        refuse("cluster.max_num_seqs", None, "give the completions to ask for at once")
    if raw.hang_s <= raw.request_timeout_s:
        refuse(
            "cluster.hang_s",
            raw.hang_s,
            "a completion may take cluster.request_timeout_s="
            f"{raw.request_timeout_s:g}; set it higher, or that lower",
        )
    if raw.engine_args:
        refuse("cluster.engine_args", raw.engine_args, "the server has its own; leave it out")
