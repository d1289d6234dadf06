"""What a person is shown while a run works, and what shows it, as one value to hand around."""

from dataclasses import dataclass

from distlab.console.progress import ProgressView, State


@dataclass(frozen=True, slots=True)
class Display:
    """The state of a run and the view that shows it.

    Attributes:
        state: What is shown; whoever changes it calls ``refresh``.
        view: Shows it.
    """

    state: State
    view: ProgressView

    def refresh(self) -> None:
        """The state changed."""
        self.view.refresh(self.state)

    def enter(self, stage: str) -> None:
        """Show what is going on now, as a phrase."""
        self.state.enter(stage)
        self.refresh()

    def say(self, line: str) -> None:
        """A line that stays."""
        self.view.say(line)
