"""Which sentences of a report changed: two ``report.md`` of the same verdicts, old and new.

    python -m tests.report.sentences OLD/report.md NEW/report.md

``make sentences`` writes the old one with the code of another commit first.
"""

import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path


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


if __name__ == "__main__":
    texts = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:3])
    print("\n".join(changes(*texts)))
