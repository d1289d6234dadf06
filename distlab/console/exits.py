"""The exit statuses of every command; docs/exit-codes.md explains them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig


class Exit(IntEnum):
    """What a status says. A command that a signal stopped ends with 128 and the signal's number."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    WORSE = 3
    CANNOT_TELL = 4
    FAULT = 70


def stopped_by(signal: int) -> int:
    """The status of a command that a signal stopped, as shells number it."""
    return 128 + signal


@dataclass(slots=True)
class Statuses:
    """The statuses of the jobs of one command."""

    noted: list[int] = field(default_factory=list)

    def note(self, status: int) -> None:
        """Take a job's status into account."""
        self.noted.append(status)

    @property
    def worst(self) -> int:
        """The status to exit with: the highest."""
        return max(self.noted, default=int(Exit.DONE))


@dataclass(frozen=True, slots=True)
class Task:
    """What Hydra calls for a job. Hydra drops what a task returns, so its status is kept here.

    Attributes:
        work: Runs a job from its composed config; returns its status.
        statuses: Where statuses go; a launcher that runs jobs in its own way notes them here.
    """

    work: "Callable[[DictConfig], int]"
    statuses: Statuses

    def __call__(self, config: "DictConfig") -> int:
        """Run a job and note its status."""
        status = self.work(config)
        self.statuses.note(status)
        return status
