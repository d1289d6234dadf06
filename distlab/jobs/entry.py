"""``python -m distlab.jobs.entry OVERRIDES``: a submitted study, where it runs."""

import json
import os
import sys

from distlab import run
from distlab.errors import UserError
from distlab.escape import plain
from distlab.versions import check_pins, pinned_versions

PINS = "DISTLAB_PINS"
EXIT_BAD_INPUT = 2


def main() -> None:
    """Compare the versions with the submitter's, then be ``distlab.run``."""
    try:
        if pinned := os.environ.get(PINS):
            check_pins(json.loads(pinned), pinned_versions())
    except UserError as error:
        print(f"distlab: {plain(str(error), None)}", file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
    run.main()


if __name__ == "__main__":
    main()
