"""``distlab plan [OVERRIDES]``: what a run would do, before a GPU is held."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from distlab.config.compose import compose_config, own_folders
from distlab.console.exits import Exit
from distlab.console.main import Command, add_config_dir
from distlab.console.printing import printer
from distlab.errors import UserError
from distlab.escape import plain

if TYPE_CHECKING:
    from distlab.config.values import Cluster, Study
    from distlab.placement.placement import Node
    from distlab.plan.plan import Plan
    from distlab.plan.survey import Survey

_PROBE_PROBLEMS = 4


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab plan",
        description="Say what a run would do, before a GPU is held. Nothing is written to the "
        "store, but for the samples that --probe draws.",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="OVERRIDE",
        help="as for distlab.run: model=NAME dataset.limit=20 decoding.n=20 +experiment=paper",
    )
    parser.add_argument(
        *("-m", "--multirun"),
        action="store_true",
        help="nothing more: a sweep is planned as one, with a line per job, either way",
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
    parser.add_argument(
        "--probe",
        type=int,
        nargs="?",
        const=_PROBE_PROBLEMS,
        metavar="PROBLEMS",
        help="start an engine and measure tokens/s on the first missing samples "
        f"(default: of {_PROBE_PROBLEMS} problems), which stay in the store",
    )
    add_config_dir(parser)
    return parser


def _plan_jobs(arguments: argparse.Namespace) -> int:
    """Plan a study, or a sweep's jobs as one bill."""
    from distlab.config.sweeps import set_apart, sweep_jobs

    jobs = sweep_jobs([*own_folders(arguments.config_dir), *arguments.overrides])
    if len(jobs) == 1:
        _plan(jobs[0], arguments.problem, arguments.probe, prompts=arguments.prompts)
        return Exit.DONE
    if arguments.probe is not None or arguments.problem is not None:
        raise UserError("--probe and --problem are for one job: leave them out of a sweep")
    from distlab.plan.bill import BillLine, render_bill

    items = [
        BillLine(number, apart, *_planned(job))
        for number, (job, apart) in enumerate(zip(jobs, set_apart(jobs), strict=True))
    ]
    render_bill(items, printer())
    return Exit.BAD_INPUT if any(item.plan is None for item in items) else Exit.DONE


def _planned(overrides: Sequence[str]) -> tuple[Plan | None, str]:
    """The plan of a job of a sweep, or why it has none."""
    from distlab.config.door import validate
    from distlab.plan.estimate import make_plan
    from distlab.plan.survey import survey
    from distlab.store.store import Store

    # A misspelt name is refused for the whole sweep, as a run would.
    study = validate(compose_config(overrides))
    try:
        nodes = _nodes(study.cluster)
        return make_plan(study, survey(study, Store.look(study.store), None), nodes), ""
    except UserError as error:
        return None, str(error)


def _plan(
    overrides: Sequence[str], problem: str | None, probe: int | None, *, prompts: bool
) -> None:
    config = compose_config(overrides)
    # Imported late: --help and a misspelt key should not wait for transformers.
    from distlab.config.door import validate
    from distlab.plan.estimate import make_plan, plan_engines
    from distlab.plan.plan_text import render_plan
    from distlab.plan.survey import survey
    from distlab.store.store import Store

    study = validate(config)
    nodes = _nodes(study.cluster)
    # What does not fit is refused before a hub is asked.
    plan_engines(study, nodes)
    found = survey(study, Store.look(study.store), problem)
    if probe is not None:
        study = _probed(study, found, probe)
        found = survey(study, Store.look(study.store), problem)
    render_plan(make_plan(study, found, nodes), printer(), prompts=prompts)


def _probed(study: Study, found: Survey, problems: int) -> Study:
    """The study with the throughput that an engine showed."""
    from distlab.engines.cluster import check_local
    from distlab.plan.probe import probe
    from distlab.sampling.planned import PlannedCell
    from distlab.store.store import Store

    if problems < 1:
        raise UserError(f"--probe is {problems}: give the number of problems to draw, 1 or more")
    check_local(study.cluster)
    rendered = [cell for cell in found.cells if isinstance(cell, PlannedCell)]
    if not rendered:
        raise UserError(f"a probe needs prompts, and none can be rendered here: {found.gaps[0]}")
    Store.open(study.store)
    measured = probe(rendered, study.cluster, problems)
    print(
        f"probe · {measured.tokens_per_s:.1f} tokens/s of one engine, over {measured.samples} "
        f"samples of {plain(measured.cell, None)}, which are in the store"
    )
    return replace(study, cluster=replace(study.cluster, tokens_per_s=measured.tokens_per_s))


def _nodes(cluster: Cluster) -> tuple[Node, ...]:
    """The cluster's nodes; Ray is asked only about one that is live and not described."""
    from distlab.engines.machine import known_nodes

    nodes = known_nodes(cluster)
    if nodes is not None:
        return nodes
    from distlab.plan.probe import nodes_of

    return nodes_of(cluster)


main: Final = Command(_parser, _plan_jobs, stopped="stopped; what was sampled is committed")

if __name__ == "__main__":
    sys.exit(main())
