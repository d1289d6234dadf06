"""Values for Hydra's command line, which gives some characters a meaning of their own."""

import re
import shlex


def quoted(text: str) -> str:
    """A value that Hydra takes for the text itself."""
    # There a backslash counts as one only before a quote.
    escaped = re.sub(r"(\\*)'", r"\1\1\'", re.sub(r"(\\+)$", r"\1\1", text))
    return f"'{escaped}'"


def typed(key: str, value: str) -> str:
    """What to type in a shell to set a key to a text."""
    plain = not set(value) & {'"', "\\"}
    return shlex.quote(f'{key}="{value}"' if plain else f"{key}={quoted(value)}")
