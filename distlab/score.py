"""``python -m distlab.score RUN``: extract and grade a run's samples again, without an engine."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console

from distlab.config.compose import compose
from distlab.config.door import components, pool_settings
from distlab.config.schema import ExtractorGroup, GraderGroup
from distlab.console.noise import quiet
from distlab.errors import UserError
from distlab.problems import Problem, read_problems
from distlab.report import build_report, render_terminal, write_report
from distlab.runfolder import Manifest, RunFolder
from distlab.samples.cell import Cell
from distlab.samples.store import Store
from distlab.scoring.extractors.llm import LLM
from distlab.scoring.nulls import grade_nulls
from distlab.scoring.sources import CellSource, SourceProblem
from distlab.scoring.stage import Progress, ScoreSummary, score
from distlab.scoring.types import ComponentSpec, load_component

# Beside the cells: verdicts hold for every run of the store.
_CACHE = "verdict-cache"


def verdict_cache(store: Store) -> Path | None:
    """Folder of the verdicts that every run of a store shares; None where it is not local."""
    return Path(store.root) / _CACHE if store.is_local else None


def score_run(
    folder: RunFolder,
    manifest: Manifest,
    progress: Progress | None = None,
    *,
    skip_unread: bool = False,
    store: Store | None = None,
) -> ScoreSummary:
    """Extract and grade every stored sample of a run, with the components its config names.

    Args:
        folder: The run.
        manifest: Its manifest.
        progress: Called with samples done and samples in all.
        skip_unread: Leave out extractors whose model has read nothing, instead of refusing.
        store: The run's store where it is open already, with what was read of it.

    Raises:
        UserError: A component does not load, a shard is damaged, or no grader judges a gold.
    """
    extractor, grader = _groups(manifest.config)
    extractors = _with_readings(components("extractor", extractor.use), manifest, skip_unread)
    graders, settings = components("grader", grader.use), pool_settings(grader)
    store = store or Store.look(manifest.store)
    cache = verdict_cache(store)
    problems = {
        cell.dataset: read_problems(folder.problems(cell.dataset)) for cell in manifest.cells
    }
    summary = score(
        _sources(manifest, store, problems),
        folder.verdicts,
        extractors,
        graders,
        settings,
        cache=cache,
        progress=progress,
    )
    files = {name: folder.nulls(name) for name in problems}
    grade_nulls(problems, files, graders, settings, cache=cache)
    return summary


def _with_readings(
    extractors: Sequence[ComponentSpec], manifest: Manifest, skip_unread: bool
) -> tuple[ComponentSpec, ...]:
    """Tell extractors that read with a model where their readings are."""
    told = []
    for spec in extractors:
        if not isinstance(load_component(spec), LLM):
            told.append(spec)
        elif spec.name in manifest.readings:
            place = {"store": manifest.store, "cell": manifest.readings[spec.name]}
            told.append(replace(spec, options={**spec.options, **place}))
        elif not skip_unread:
            raise UserError(
                f"the extractor {spec.name} reads with a model and this run has no readings of it: "
                f"run again with extractor=[rules,{spec.name}], or score with extractor=rules"
            )
    return tuple(told)


def _groups(config: Mapping[str, Any]) -> tuple[ExtractorGroup, GraderGroup]:
    extractor = OmegaConf.merge(OmegaConf.structured(ExtractorGroup), config["extractor"])
    grader = OmegaConf.merge(OmegaConf.structured(GraderGroup), config["grader"])
    made = OmegaConf.to_object(extractor), OmegaConf.to_object(grader)
    assert isinstance(made[0], ExtractorGroup)
    assert isinstance(made[1], GraderGroup)
    return made[0], made[1]


def _sources(
    manifest: Manifest, store: Store, problems: Mapping[str, Sequence[Problem]]
) -> list[CellSource]:
    golds = {
        name: {problem.id: SourceProblem(problem.gold) for problem in rows}
        for name, rows in problems.items()
    }
    return [_source(cell, store, golds[cell.dataset]) for cell in manifest.cells]


def _source(cell: Cell, store: Store, problems: Mapping[str, SourceProblem]) -> CellSource:
    stored = store.cell(cell.path)
    if not stored.exists():
        raise UserError(
            f"the store {store.uri} has no cell {cell.path}, and the run's verdicts are left as "
            "they are: bring the store back to this place, or run again"
        )
    return CellSource(cell.key, stored.shards(), cell.n, problems, store.fs, store.keys)


def main(argv: Sequence[str] | None = None) -> int:
    """Score a run again and rebuild its report.

    Args:
        argv: Arguments without the program's name; None for the command line's.

    Returns:
        Exit status: 0, or 2 for bad input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m distlab.score",
        description="Extract and grade a run's samples again, and rebuild its report.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, as in runs/NAME")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="other components: grader=[standard,math-verify] extractor=rules grader.deadline_s=10",
    )
    arguments = parser.parse_args(argv)
    try:
        folder = RunFolder(arguments.run)
        manifest = _with_overrides(folder.read_manifest(), arguments.overrides)
        with quiet(folder.log):
            summary = score_run(folder, manifest)
        folder.write_manifest(manifest)
        tables = build_report(folder.path)
        report = write_report(folder.path, tables)
    except UserError as error:
        print(f"distlab: {error}", file=sys.stderr)
        return 2
    console = Console()
    render_terminal(tables, console)
    console.print(
        f"scored {summary.samples} samples in {summary.seconds:.1f} s · {report}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return 0


def _with_overrides(manifest: Manifest, overrides: Sequence[str]) -> Manifest:
    """The manifest with other extractors or graders, as the overrides say."""
    for override in overrides:
        if override.partition("=")[0].partition(".")[0] not in ("extractor", "grader"):
            raise UserError(f"'{override}' does not concern scoring: give extractor or grader keys")
    if not overrides:
        return manifest
    composed = compose(overrides)
    extractor, grader = composed.extractor, composed.grader
    changed = {"extractor": asdict(extractor), "grader": asdict(grader)}
    groups = {o.partition("=")[0].partition(".")[0] for o in overrides}
    return replace(
        manifest,
        config={**manifest.config, **{name: changed[name] for name in sorted(groups)}},
    )


if __name__ == "__main__":
    sys.exit(main())
