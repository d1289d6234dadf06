"""The exit status of a command that runs several jobs: the worst of theirs."""

BAD_INPUT = 2
FAILED = 1

_statuses: list[int] = []


def note(status: int) -> None:
    """Take a job's status into account."""
    _statuses.append(status)


def worst() -> int:
    """The status to exit with."""
    return max(_statuses, default=0)
