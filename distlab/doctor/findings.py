"""A finding: one thing looked at, and what to do where it is not as it should be."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

from distlab.escape import plain

Level = Literal["ok", "warn", "fail"]
"""As it should be; slow or risky; or a run would break."""

_ORDER: Final[tuple[Level, ...]] = ("fail", "warn", "ok")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: How it is.
        check: What was looked at: "driver".
        said: What was found, one line.
        remedy: What to do; empty where all is well.
    """

    level: Level
    check: str
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" · {self.remedy}" if self.remedy else ""
        return plain(f"{self.level:4} · {self.check} · {self.said}{remedy}", None)


def verdict(findings: Sequence[Finding]) -> str:
    """All of it in one line."""
    counts = [f"{sum(f.level == level for f in findings)} {level}" for level in _ORDER]
    return f"doctor: {', '.join(counts)}"


def as_json(findings: Iterable[Finding]) -> str:
    """The findings as one JSON list."""
    return json.dumps([asdict(finding) for finding in findings], indent=2)
