"""``make sentences``: which sentences of a run's report another commit's code would have said.

    python -m tests.report.sentences RUN COMMIT

Both reports are of the same verdicts. The run's own report is left as it is.
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from distlab.errors import UserError

_HERE: Final = Path(__file__).parents[2]


def by_question(text: str) -> dict[str, list[str]]:
    """Question to its sentences: the list items below each heading."""
    found: dict[str, list[str]] = {}
    question = ""
    for line in text.splitlines():
        if line.startswith("## "):
            question = line.removeprefix("## ")
        elif line.lstrip().startswith("- "):
            found.setdefault(question, []).append(line.strip().removeprefix("- "))
    return found


def changes(old: str, new: str) -> Iterator[str]:
    """Lines that say what went (-) and what came (+), question by question."""
    before, after = by_question(old), by_question(new)
    for question in dict.fromkeys([*before, *after]):
        one, two = before.get(question, []), after.get(question, [])
        if one == two:
            continue
        yield f"## {question}"
        for kind, a, b, c, d in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
            if kind != "equal":
                yield from (f"- {sentence}" for sentence in one[a:b])
                yield from (f"+ {sentence}" for sentence in two[c:d])


def unpack(commit: str, folder: Path) -> None:
    """Put the package of a commit into a folder.

    Raises:
        UserError: There is no such commit, or it has no package.
    """
    packed = subprocess.run(
        ["git", "archive", "--format=tar", "--end-of-options", commit, "distlab"],
        capture_output=True,
        cwd=_HERE,
    )
    if packed.returncode:
        said = packed.stderr.decode(errors="replace").strip()
        raise UserError(f"no distlab can be taken from OLD={commit} ({said}): name a commit of it")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")


def reported(code: Path, run: Path, into: Path) -> str:
    """The report that the package in a folder writes of a run.

    Raises:
        UserError: It cannot read the run, or knows no ``--into``.
    """
    written = subprocess.run(
        [sys.executable, "-P", "-m", "distlab.report", str(run), "--into", str(into)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(code)},
    )
    if written.returncode:
        said = (written.stderr.strip() or written.stdout.strip() or "no word").splitlines()[-1]
        raise UserError(f"no report of {run} ({said})")
    return (into / "report.md").read_text(encoding="utf-8")


def _reported_of_old(commit: str, code: Path, run: Path) -> str:
    try:
        return reported(code, run, code / "before")
    except UserError as fault:
        raise UserError(
            f"the code of OLD={commit} writes {fault}: name a later commit, or a run that is as "
            "old as the commit"
        ) from fault


def main(argv: Sequence[str] | None = None) -> int:
    """Print what changed."""
    parser = argparse.ArgumentParser(prog="make sentences RUN=runs/NAME OLD=COMMIT")
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("commit", metavar="OLD")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        old, run = Path(scratch), asked.run.absolute()
        try:
            unpack(asked.commit, old)
            after = reported(_HERE, run, old / "after")
            before = _reported_of_old(asked.commit, old, run)
        except UserError as fault:
            print(fault, file=sys.stderr)
            return 2
    print("\n".join(changes(before, after)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
