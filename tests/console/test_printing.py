"""How wide the console of a command is."""

import io

import pytest

from distlab.console.printing import printer

LINE = "word " * 40


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, stdout: io.StringIO) -> str:
    monkeypatch.setattr("sys.stdout", stdout)
    printer().print(LINE)
    return stdout.getvalue().rstrip("\n")


@pytest.fixture(autouse=True)
def _no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def test_lines_are_whole_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, io.StringIO()).strip() == LINE.strip()


def test_lines_are_as_wide_as_columns_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, printed(monkeypatch, io.StringIO()).splitlines())) <= 40


def test_lines_are_as_wide_as_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\n" in printed(monkeypatch, Terminal())
