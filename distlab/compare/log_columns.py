"""LogColumns: where the columns of a log are that problems are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from distlab.problems.rows import Row
from distlab.tabular.columns import ProblemColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class LogColumns(ProblemColumns):
    """The columns of a log, which its reader has named."""

    def named_by(self, name: str) -> str:
        """What names a column."""
        return f"the log has for {name}"

    def naming(self, *names: str) -> str:
        """What to do to name columns."""
        return f"ingest the log with --map, and name {' and '.join(names)}"

    def remedy(self, rows: Sequence[Row]) -> str:
        """How to go on without rows."""
        return f"leave out {rows[0].place}"
