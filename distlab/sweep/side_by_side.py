"""Functions that run side by side as Ray tasks: drivers, which hold neither a core nor a GPU."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from distlab.console.stopping import hear_interrupts

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Seconds that cancelled functions get to commit what they have (ours: halting takes 25 at most).
_LAST_WORDS_S = 60.0


def run_beside(
    function: Callable[[_Item], _Result],
    items: Sequence[_Item],
    each_second: Callable[[], None],
) -> Iterator[tuple[_Item, _Result | RayError]]:
    """Call a function on each item, all at once, in processes of their own on this node.

    They stay on the node that calls, since they read and write its files; what they start may go
    anywhere in the cluster. KeyboardInterrupt is passed on to them, and they get a minute.

    Args:
        function: Importable on this node.
        items: One call each.
        each_second: Called about once a second meanwhile.

    Yields:
        Item and result, or the error that its process died of, in the order in which they end.
    """
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    task = ray.remote(_hearing(function)).options(
        num_cpus=0, num_gpus=0, max_retries=0, scheduling_strategy=here
    )
    left = {task.remote(item): item for item in items}
    deadline = None
    while left and (deadline is None or time.monotonic() < deadline):
        try:
            done, _ = ray.wait(list(left), timeout=1.0)
            each_second()
        except KeyboardInterrupt:
            deadline = time.monotonic() + _LAST_WORDS_S
            for ref in left:
                # They stop their engines themselves, once what these have finished is here.
                ray.cancel(ref, recursive=False)
            continue
        for ref in done:
            item = left.pop(ref)
            try:
                yield item, ray.get(ref)
            except RayError as error:
                yield item, error
    for ref, item in left.items():
        with contextlib.suppress(RayError):
            ray.cancel(ref, force=True)
        yield item, RayError("it did not end within a minute of being told to")


def _hearing(function: Callable[[_Item], _Result]) -> Callable[[_Item], _Result]:
    """The function, in a process in which an interrupt is heard."""

    @functools.wraps(function)
    def call(item: _Item) -> _Result:
        hear_interrupts()
        return function(item)

    return call
