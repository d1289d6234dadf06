"""The sentence for a value of the config that cannot be used."""

from typing import Final, NoReturn

from distlab.errors import UserError
from distlab.escape import plain

# Characters of a value that a sentence repeats (ours).
_SHOWN: Final = 200


def refuse(key: str, value: object, remedy: str) -> NoReturn:
    """Refuse a value.

    Args:
        key: Of the config.
        value: As given.
        remedy: What to do, as an imperative.

    Raises:
        UserError: Always.
    """
    raise UserError(f"`{key}` is {plain(repr(value), _SHOWN)}: {remedy}")
