"""The nodes of a live cluster, and a measured throughput: the part of a plan that needs Ray.

Imported only where it is asked for: a described cluster is planned without Ray.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TextIO

from rich.console import Console

from distlab.config.values import Cluster
from distlab.console.display import Display
from distlab.console.progress import CellProgress, State
from distlab.console.progress_view import make_progress_view
from distlab.console.quiet import quiet
from distlab.console.stopping import Stopped
from distlab.engines.cluster import connected
from distlab.engines.events import EventLog
from distlab.engines.fleet import Fleet
from distlab.engines.nodes import asked_for_memory, host_names, live_nodes
from distlab.errors import UserError
from distlab.placement.placement import Node
from distlab.sampling.outcome import Outcome
from distlab.sampling.planned import PlannedCell
from distlab.sampling.sampler import Engines, sample

# The run that a probe's samples name.
_RUN = "probe"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a probe found.

    Attributes:
        tokens_per_s: New tokens that one engine generates per second.
        samples: That it drew; they are in the store.
        cell: Key of the cell that it drew them for.
    """

    tokens_per_s: float
    samples: int
    cell: str


def nodes_of(cluster: Cluster) -> tuple[Node, ...]:
    """The nodes of a running cluster with what is taken on them, by host name.

    Raises:
        UserError: No cluster answers at ``cluster.address``.
    """
    with _out_of_the_way(), connected(cluster):
        return _by_host(asked_for_memory(live_nodes()), host_names())


def probe(cells: Sequence[PlannedCell], cluster: Cluster, problems: int) -> Measured:
    """Draw the first missing samples of the first cell that lacks any, with one engine.

    They are samples like any other and stay in the store, so nothing is drawn for nothing.

    Args:
        cells: The study's, rendered.
        cluster: Where the engine runs.
        problems: How many problems to draw.

    Raises:
        UserError: Nothing is missing, or the engine does not load.
        Stopped: A signal stopped it.
    """
    wanting = next((planned for planned in cells if planned.requests), None)
    if wanting is None:
        raise UserError("nothing is missing that a probe could draw: leave --probe out")
    wanting = wanting.opened()
    few = replace(wanting, requests=wanting.requests[:problems])
    outcome = _draw(few, replace(cluster, replicas=1))
    if outcome.signal is not None:
        raise Stopped(outcome.signal)
    if outcome.errors or not outcome.samples:
        raise UserError(f"the probe drew nothing: {'; '.join(outcome.errors) or 'no sample came'}")
    if outcome.engine_s <= 0:
        raise UserError("the probe was over too soon to be measured: give it more problems")
    return Measured(outcome.computed / outcome.engine_s, outcome.samples, wanting.cell.key)


def _draw(planned: PlannedCell, cluster: Cluster) -> Outcome:
    row = CellProgress(
        label=planned.cell.key,
        problems=len(planned.requests),
        samples=sum(len(request.ranks) for request in planned.requests),
        max_tokens=planned.arm.decoding.max_tokens,
    )
    state = State(cells={planned.cell.path: row})
    with (
        _out_of_the_way() as (folder, terminal),
        connected(cluster, partial(print, file=terminal)),
    ):
        fleet = Fleet()
        try:
            with make_progress_view(Console(file=terminal), state).running() as view:
                engines = Engines(cluster, fleet, EventLog(folder / "events.jsonl"))
                return sample([planned], engines, _RUN, Display(state, view))
        finally:
            fleet.close()


@contextmanager
def _out_of_the_way() -> Iterator[tuple[Path, TextIO]]:
    """What Ray and vLLM print goes to a file that is thrown away."""
    with tempfile.TemporaryDirectory() as name, quiet(Path(name) / "log.txt") as terminal:
        yield Path(name), terminal


def _by_host(nodes: Iterable[Node], hosts: Mapping[str, str]) -> tuple[Node, ...]:
    """Nodes under their host names; those that share one keep a part of their id."""
    found = tuple(nodes)
    shared = Counter(hosts.get(node.name, node.name) for node in found)
    return tuple(replace(node, name=_label(node.name, hosts, shared)) for node in found)


def _label(name: str, hosts: Mapping[str, str], shared: Mapping[str, int]) -> str:
    host = hosts.get(name, name)
    return host if shared[host] == 1 else f"{host}/{name[:6]}"
