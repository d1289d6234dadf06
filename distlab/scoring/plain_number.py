"""Numbers in plain notation, as one spelling each."""

import re
from typing import Final

# "1,200" is a number, "1,2" is none.
PLAIN: Final = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")


def plain_number(text: str) -> str | None:
    """One spelling of what only commas, zeros and blanks distinguish; None for what is no number.

    1,000, 1000 and 1000.00 are 1000.
    """
    text = "".join(text.split())
    if not PLAIN.fullmatch(text):
        return None
    whole, _, decimals = text.replace(",", "").removeprefix("-").partition(".")
    value = f"{whole.lstrip('0') or '0'}.{decimals.rstrip('0')}".rstrip(".")
    return f"-{value}" if text.startswith("-") and value != "0" else value
