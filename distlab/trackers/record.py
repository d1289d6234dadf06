"""TrackedRun: what a tracker is told of a run."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distlab.analysis.estimate import Estimate
from distlab.report.gap_table import GAPS
from distlab.report.score_table import SCORES
from distlab.report.table import StudyTables
from distlab.report.wording import judge_name


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What a tracker is told of a run.

    Attributes:
        name: Of the run folder.
        folder: The run folder.
        config: The composed config.
        metrics: Name to value: "score/CELL/JUDGE/pass@1", "gap/.../Pass@20", shares in [0, 1], with
            their 95 % intervals in "... low" and "... high".
        report: ``report.html``.
    """

    name: str
    folder: Path
    config: Mapping[str, Any]
    metrics: Mapping[str, float]
    report: Path

    @classmethod
    def of(cls, folder: Path, tables: StudyTables, report: Path) -> "TrackedRun":
        """A run whose report is written.

        Args:
            folder: The run folder.
            tables: What its report shows.
            report: ``report.html``.
        """
        figures = {name: value for name, value in _metrics(tables) if math.isfinite(value)}
        return cls(tables.manifest.run, folder, tables.manifest.config, figures, report)


def _metrics(tables: StudyTables) -> Iterator[tuple[str, float]]:
    for row in tables.rows(SCORES):
        place = f"score/{row.cell.key}/{judge_name(row.judge)}"
        yield from _figure(f"{place}/pass@1", row.pass_1)
        yield from _figure(f"{place}/pass@{row.cell.n}", row.pass_n)
        yield from _figure(f"{place}/maj@{row.cell.n}", row.majority)
        yield from _figure(f"{place}/no answer", row.no_answer)
        yield from _figure(f"{place}/truncated", row.truncated)
    for gap in tables.rows(GAPS):
        arms = f"{gap.instruct.arm} minus {gap.base.arm}"
        setting = f"{gap.base.family}/{gap.base.dataset}/{gap.base.prompt}"
        place = f"gap/{setting}/{arms}/{judge_name(gap.judge)}/{gap.metric}"
        yield from _figure(place, gap.gap.difference.estimate)
        yield f"{place} p", gap.gap.difference.p


def _figure(name: str, figure: Estimate) -> Iterator[tuple[str, float]]:
    yield from ((name, figure.value), (f"{name} low", figure.low), (f"{name} high", figure.high))
