"""What is known of a cell."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellStatus:
    """What a cell has and lacks.

    Attributes:
        name: Its path in the store.
        samples: Distinct samples that it holds, wanted or not.
        wanted: Samples that were asked for.
        done: Of those, the ones it holds.
        missing: Of those, the ones it lacks, failed problems left out; problems that engines died
            of count here, since a run draws them again.
        failed: Problem id to why it has no samples.
        last: When the last samples were committed; None before the first.
        runs: Run to the samples that it drew.
        drawing: The run that draws it at this moment, empty for none. One look cannot tell that
            another machine's driver has died.
        stopped: Why the last run of it stopped by itself, empty where it did not.
        unreadable: Why shards of it cannot be read; what they hold counts as missing.
    """

    name: str
    samples: int
    wanted: int
    done: int
    missing: int
    failed: Mapping[str, str]
    last: datetime.datetime | None
    runs: Mapping[str, int]
    drawing: str
    stopped: str = ""
    unreadable: tuple[str, ...] = ()
