"""A view for tests."""

from distlab.console.progress import State


class Said:
    """Keeps the lines that it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def refresh(self, state: State) -> None:
        pass

    def say(self, line: str) -> None:
        self.lines.append(line)
