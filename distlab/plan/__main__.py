"""``python -m distlab.plan [OVERRIDES]``: what a run would do, without an engine or Ray."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from distlab.config.complaints import explain
from distlab.config.compose import compose_config, conf_folder
from distlab.errors import UserError
from distlab.report.escape import plain

if TYPE_CHECKING:
    from distlab.config.study import Cluster
    from distlab.plan.placement import Node

EXIT_BAD_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Print the plan of a run with the same overrides; the store is only read.

    Args:
        argv: Arguments without the program's name; None for the command line's.

    Returns:
        Exit status: 0, or 2 for bad input.
    """
    arguments = _parser().parse_intermixed_args(argv)
    try:
        _plan(arguments.overrides, arguments.problem, prompts=arguments.prompts)
    except Exception as error:
        sentence = explain(error, conf_folder())
        if sentence is None:
            raise
        print(f"distlab: {plain(sentence, None)}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m distlab.plan",
        description="Say what a run would do, without an engine. Nothing is written to the store.",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="OVERRIDE",
        help="as for distlab.run: model=NAME dataset.limit=20 decoding.n=20",
    )
    parser.add_argument(
        "--problem",
        metavar="ID",
        help="show this problem's prompts (default: each dataset's first)",
    )
    parser.add_argument(
        "--prompts",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="show one rendered prompt of each dataset x prompt x variant",
    )
    return parser


def _plan(overrides: Sequence[str], problem: str | None, *, prompts: bool) -> None:
    config = compose_config(overrides)
    # Imported late: --help and a misspelt key should not wait for transformers.
    from distlab.config.door import validate
    from distlab.plan.engines import plan_engines
    from distlab.plan.study import make_plan
    from distlab.plan.survey import survey
    from distlab.plan.terminal import render_plan
    from distlab.samples.store import Store

    study = validate(config)
    nodes = _nodes(study.cluster)
    # What does not fit is refused before a hub is asked.
    plan_engines(study, nodes)
    found = survey(study, Store.look(study.store), problem)
    render_plan(make_plan(study, found, nodes), Console(), prompts=prompts)


def _nodes(cluster: Cluster) -> tuple[Node, ...]:
    """The cluster's nodes."""
    from distlab.plan.machine import known_nodes

    nodes = known_nodes(cluster)
    if nodes is not None:
        return nodes
    raise UserError(
        f"`cluster.address` is {cluster.address}: describe the cluster's machines in cluster.nodes"
    )


if __name__ == "__main__":
    sys.exit(main())
