"""Command lines that stand for several jobs."""

from collections.abc import Sequence

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode

from distlab.config.compose import conf_folder, explained, register_schema


def sweep_jobs(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """The overrides of each job that ``distlab.run`` makes of a command line.

    Args:
        overrides: As typed: a value with commas is swept, and so is what an experiment names in
            ``hydra.sweeper.params``, unless it is typed.

    Raises:
        UserError: An override is wrong; the sentence gives the nearest names.
    """
    register_schema()
    parser = OverridesParser.create()
    with explained():
        parsed = parser.parse_overrides(list(overrides))
        fixed = [str(o.input_line) for o in parsed if not o.is_sweep_override()]
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            hydra = compose("config", overrides=fixed, return_hydra_config=True).hydra
        params = hydra.sweeper.params if hydra.mode == RunMode.MULTIRUN else None
        swept = [f"{key}={value}" for key, value in (params or {}).items()]
        both = parser.parse_overrides([*swept, *overrides])
    if not any(override.is_sweep_override() for override in both):
        return [tuple(str(override.input_line) for override in both)]
    (jobs,) = BasicSweeper.split_arguments(both, None)
    return [tuple(job) for job in jobs]


def set_apart(jobs: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Of the overrides of each job, those that not all jobs share; all of a single job's."""
    if len(jobs) == 1:
        return [tuple(jobs[0])]
    everywhere = set.intersection(*map(set, jobs))
    return [tuple(override for override in job if override not in everywhere) for job in jobs]
