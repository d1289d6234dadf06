"""Which differences a report takes for none: as it was asked, or as its runs were configured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import MARGINS, Margins
from distlab.errors import UserError
from distlab.runs.manifest import Manifest


@dataclass(frozen=True, slots=True)
class AskedMargins:
    """What was asked of a report; None for what its runs' config says.

    Attributes:
        equivalence: Difference of our figures, as a share.
        replication: Difference from the paper's figures, as a share.
    """

    equivalence: float | None = None
    replication: float | None = None

    def settle(self, manifests: Sequence[Manifest]) -> Margins:
        """The margins of a study.

        Raises:
            UserError: Its runs have different ones, and none was asked for.
        """
        return Margins(
            equivalence=self.equivalence
            or _configured(manifests, "margin", MARGINS.equivalence, "--margin"),
            replication=self.replication
            or _configured(
                manifests, "replication_margin", MARGINS.replication, "--replication-margin"
            ),
        )


AS_CONFIGURED: Final = AskedMargins()


def _configured(manifests: Sequence[Manifest], key: str, default: float, option: str) -> float:
    """What all runs say; runs from before there was the key, and ingested ones, have ours."""
    found = {float(run.config.get("report", {}).get(key, default)) for run in manifests}
    if len(found) > 1:
        listed = " and ".join(f"{value:g}" for value in sorted(found))
        raise UserError(
            f"the runs have `report.{key}` at {listed}, so they share no report: name one in "
            f"points with {option}"
        )
    return found.pop()
