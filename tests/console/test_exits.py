import re
from pathlib import Path

from distlab.console.exits import Exit, Statuses, Task

TABLE = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def test_the_docs_have_every_status_and_no_other() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", TABLE.read_text(), re.MULTILINE)
    assert {name: int(code) for code, name in rows} == {each.name: each.value for each in Exit}


def test_the_worst_of_the_jobs_is_kept_by_the_command_and_by_no_other() -> None:
    one, other = Statuses(), Statuses()
    task = Task(lambda config: {"a": 0, "b": 1}[config], one)
    assert [task("b"), task("a")] == [1, 0]
    assert (one.worst, other.worst) == (1, 0)
