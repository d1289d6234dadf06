"""Log a run that is done. Whatever goes wrong there, the run stays as it is."""

import importlib.util

from distlab.config.values import TrackerSettings
from distlab.errors import UserError, brief
from distlab.trackers.kinds import KINDS
from distlab.trackers.record import TrackedRun


def check_tracker(settings: TrackerSettings | None) -> None:
    """Refuse a tracker whose library is not installed, before anything is drawn.

    Raises:
        UserError: It is not.
    """
    if settings is not None and importlib.util.find_spec(settings.kind) is None:
        raise UserError(
            f"tracker={settings.kind} needs a library that is not installed: "
            f"pip install 'distlab[{settings.kind}]', or set tracker=none"
        )


def track(run: TrackedRun, settings: TrackerSettings) -> str | None:
    """Log a run.

    Args:
        run: What there is to log.
        settings: With what.

    Returns:
        What went wrong, in a sentence; None where nothing did.
    """
    try:
        KINDS[settings.kind](run, settings)
    except Exception as error:  # whatever the library or its network raises: the run is done
        reason = brief(str(error)) or type(error).__name__
        return f"{settings.kind} did not take the run ({reason}); its folder holds all of it"
    return None
