"""Scale tables: gaps against the size of their families, ours and the paper's."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from distlab.analysis.replication import normal_error, published_gap
from distlab.analysis.scale import gap_trend
from distlab.report.figures import judge_name
from distlab.report.published import SAMPLES, published_figures
from distlab.report.records import GapRow, ScaleRow, TrendRow

OURS, PAPER = "ours", "paper"


def scale_rows(gaps: Sequence[GapRow], parameters: Mapping[str, float]) -> Iterator[ScaleRow]:
    """Our headline gaps, then the paper's to put beside them."""
    sized = [row for row in gaps if row.primary and row.headline and row.base.family in parameters]
    for row in sized:
        yield ScaleRow(
            source=OURS,
            family=row.base.family,
            parameters=parameters[row.base.family],
            dataset=row.base.dataset,
            prompt=row.base.prompt,
            judge=judge_name(row.judge),
            metric=row.metric,
            gap=row.gap.difference,
            error=row.gap.error,
        )
    for figure in published_figures() if sized else ():
        if figure.base is not None and figure.instruct is not None:
            yield ScaleRow(
                source=PAPER,
                family=figure.family,
                parameters=figure.parameters,
                dataset=figure.dataset,
                prompt=figure.prompt or "",
                judge=figure.grader,
                metric=f"Pass@{SAMPLES}",
                gap=(gap := published_gap(figure.base, figure.instruct, figure.problems)),
                error=normal_error(gap),
            )


def trend_rows(rows: Sequence[ScaleRow]) -> Iterator[TrendRow]:
    """A line for every setting of at least two families."""
    settings: dict[tuple[str, str, str, str, str], list[ScaleRow]] = {}
    for row in rows:
        key = (row.source, row.dataset, row.prompt, row.judge, row.metric)
        settings.setdefault(key, []).append(row)
    for key, found in settings.items():
        if len(found) > 1:
            trend = gap_trend(
                np.array([row.parameters for row in found]),
                np.array([row.gap.value for row in found]),
                np.array([row.error for row in found]),
            )
            yield TrendRow(*key, trend)
