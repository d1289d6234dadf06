"""A run's report beside its samples: sentences and figures lead to the samples behind them."""

from pathlib import Path
from typing import Final

# The report's scripts stand in its page, and its own policy names them by their hashes. To the
# pages of the view it is a stranger, which can read none of them and asks nobody for anything.
SERVED_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts allow-downloads"
)
_PLAIN: Final = '<html lang="en">'
# Links to samples stand in every report; where they lead nowhere, its style hides them.
_SERVED: Final = '<html lang="en" class="in-view">'


def served_report(file: Path) -> str:
    """A report's page with its links to samples shown.

    Raises:
        OSError: It cannot be read.
    """
    return file.read_text(encoding="utf-8").replace(_PLAIN, _SERVED, 1)
