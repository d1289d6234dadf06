"""A Ray of our own on this machine, for as long as it is needed."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from distlab.console.stopping import ending_children, starting_children
from distlab.errors import UserError, summary
from distlab.sockets import ray_folder


@contextmanager
def local_ray(
    object_store_bytes: int,
    say: Callable[[str], None] = print,
    *,
    cpus: int | None = None,
    quiet: bool = False,
) -> Iterator[None]:
    """Ray on this machine, for the block.

    Args:
        object_store_bytes: Memory for what crosses processes.
        say: Takes a line that a user should know of.
        cpus: Cores that Ray may count on; None for as many as it finds.
        quiet: Without what workers print and without Ray's own messages.

    Raises:
        UserError: Ray does not come up, or the temporary folder's path is too long for it.
    """
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if (folder := ray_folder(os.environ)) is not None:
        say(
            f"note: the temporary folder's path is too long for sockets: Ray's files go to {folder}"
        )
    try:
        with _explained(), starting_children():
            # "local", since without an address Ray joins whatever cluster it finds on the machine.
            ray.init(
                address="local",
                num_cpus=cpus,
                object_store_memory=object_store_bytes,
                include_dashboard=False,
                log_to_driver=not quiet,
                logging_level=logging.ERROR if quiet else logging.INFO,
                _temp_dir=folder,
            )
        yield
    finally:
        with ending_children():
            ray.shutdown()


@contextmanager
def _explained() -> Iterator[None]:
    """What Ray raises where its processes do not come up: a bare ``Exception`` among others."""
    try:
        yield
    except (TypeError, ValueError):
        raise
    except Exception as error:
        raise UserError(
            f"Ray did not start on this machine ({summary(error)}): it gives its processes 30 "
            "seconds, which a busy machine may take; run the same command again when less is "
            "going on, and look into the folder session_latest/logs of Ray's files if it persists"
        ) from error
