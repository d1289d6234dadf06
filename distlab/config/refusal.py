"""The sentence for a value of the config that cannot be used."""

from typing import Final, NoReturn

from distlab.errors import UserError
from distlab.escape import plain

# Characters of a value that a sentence repeats (ours).
_SHOWN: Final = 200
# What OmegaConf says of a value of another type than the key's, and what to give.
_TYPES: Final = {
    "could not be converted to Integer": "a whole number",
    "could not be converted to Float": "a number",
    "is not a valid bool": "true or false",
    "to string:": "a text",
    "is not Optional": "other than null",
    "Incompatible value 'None'": "other than null",
}


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


def type_fault(key: str, value: object, detail: str) -> str | None:
    """The sentence for a value of another type than its key's; None where that is not the fault.

    Args:
        key: Of the config.
        value: As given.
        detail: What OmegaConf says of it.
    """
    wanted = next((wanted for said, wanted in _TYPES.items() if said in detail), None)
    shown = "null" if value is None else str(value)
    return wanted and f"`{key}` is {plain(shown, _SHOWN)}, and has to be {wanted}"
