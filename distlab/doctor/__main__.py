"""``distlab doctor [OVERRIDES]``: what would break, hang or crawl, before GPU-hours are spent."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final

from distlab.config.compose import compose_config, own_folders
from distlab.config.sweeps import set_apart, sweep_jobs
from distlab.console.exits import Exit
from distlab.console.main import Command, add_config_dir
from distlab.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from omegaconf import DictConfig

    from distlab.doctor.findings import Finding


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab doctor",
        description="Look at this machine, or at a cluster (cluster=ray), as a run would find it. "
        "No engine is loaded and no sample is drawn; it takes two minutes at most.",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="OVERRIDE",
        help="as for distlab.run: model=NAME cluster=ray store=PATH",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    add_config_dir(parser)
    return parser


def _doctor(arguments: argparse.Namespace) -> int:
    # Imported late: --help should not wait for Ray.
    from distlab.doctor.findings import as_json, verdict

    os.environ.setdefault("RAY_DEDUP_LOGS", "1")
    config = compose_config(_one_job([*own_folders(arguments.config_dir), *arguments.overrides]))
    findings: list[Finding] = []
    for finding in _found(config):
        findings.append(finding)
        if not arguments.json:
            print(finding, flush=True)
    print(as_json(findings) if arguments.json else verdict(findings))
    failed = any(finding.level == "fail" for finding in findings)
    return Exit.FAILED if failed else Exit.DONE


def _one_job(overrides: list[str]) -> list[str]:
    """The overrides, where they stand for one job.

    Raises:
        UserError: They stand for several, as an experiment's may; or one is wrong.
    """
    jobs = sweep_jobs(overrides)
    if len(jobs) > 1:
        one = " ".join(set_apart(jobs)[0])
        raise UserError(
            f"these overrides stand for {len(jobs)} jobs, and doctor looks at one: give it {one}"
        )
    return overrides


def _found(config: DictConfig) -> Iterator[Finding]:
    """The findings; a study that a run would refuse is one, too."""
    from distlab.config.door import validate
    from distlab.doctor.examine import examine
    from distlab.doctor.findings import Finding

    try:
        study = validate(config)
    except UserError as error:
        yield Finding("fail", "study", str(error), "do what the sentence says")
    else:
        yield from examine(study)


main: Final = Command(_parser, _doctor, stopped="stopped; nothing was changed")

if __name__ == "__main__":
    sys.exit(main())
