"""A run's stored samples in; its verdicts out, with the components that its config names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from distlab.config.door import components, pool_settings
from distlab.config.entries import typed_entries
from distlab.config.schema import ExtractorGroup, GraderGroup
from distlab.errors import UserError
from distlab.problems import Problem, read_problems
from distlab.problems.opening import split_question
from distlab.problems.problem import GoldKind
from distlab.prompts.prompt import Shown
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.scoring.judging import GraderFacts, Judging
from distlab.scoring.nulls import grade_nulls
from distlab.scoring.pieces import CellSource, SourceProblem
from distlab.scoring.reading import reading_extractor
from distlab.scoring.stage import Progress, ScoreSummary, score_samples
from distlab.scoring.types import ComponentSpec
from distlab.store.cell import Cell
from distlab.store.store import Store

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
    summary = score_samples(
        _sources(manifest, store, problems),
        folder.verdicts,
        Judging(extractors, graders, settings, cache),
        progress=progress,
    )
    files = {name: folder.nulls(name) for name in problems}
    grade_nulls(problems, files, graders, settings, cache=cache)
    return summary


def refuse_empty(folder: RunFolder, manifest: Manifest) -> None:
    """Refuse to score a run that was stopped before its first sample.

    Raises:
        UserError: Its cells hold no sample, and none failed; the sentence says how to go on.
    """
    store = Store.look(manifest.store)
    cells = [store.cell(cell.path) for cell in manifest.cells]
    drawn = any(not cell.exists() or cell.shards() for cell in cells)
    if not drawn and not manifest.failures:
        cure = manifest.to_resume or "; the same `distlab ingest` command again brings them back"
        raise UserError(f"{folder.path} has no samples to score{cure}")


def idle_graders(folder: RunFolder, manifest: Manifest) -> tuple[str, ...]:
    """What to say of a run's graders that judge none of its golds.

    Raises:
        UserError: A grader does not load, or the problems cannot be read.
    """
    _, grader = _groups(manifest.config)
    names = dict.fromkeys(cell.dataset for cell in manifest.cells)
    golds = {
        problem.gold.kind for name in names for problem in read_problems(folder.problems(name))
    }
    return say_idle(components("grader", grader.use), golds)


def say_idle(graders: Sequence[ComponentSpec], golds: Collection[GoldKind]) -> tuple[str, ...]:
    """A sentence on each grader that judges none of these kinds of golds."""
    listed = " and ".join(sorted(golds))
    return tuple(
        f"note: the grader {spec.name} has no verdicts here: it judges no golds of kind {listed}"
        for spec in graders
        if GraderFacts.of(spec).kinds.isdisjoint(golds)
    )


def _with_readings(
    extractors: Sequence[ComponentSpec], manifest: Manifest, skip_unread: bool
) -> tuple[ComponentSpec, ...]:
    """Tell extractors that read with a model where their readings are."""
    told = []
    for spec in extractors:
        if reading_extractor(spec) is None:
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
    schema = {"extractor": ExtractorGroup, "grader": GraderGroup}
    given = {name: config[name] for name in schema}
    merged = OmegaConf.merge(OmegaConf.create(schema), given)
    assert isinstance(merged, DictConfig)
    typed = typed_entries(merged)
    extractor, grader = (OmegaConf.to_object(typed[name]) for name in schema)
    assert isinstance(extractor, ExtractorGroup)
    assert isinstance(grader, GraderGroup)
    return extractor, grader


def _sources(
    manifest: Manifest, store: Store, problems: Mapping[str, Sequence[Problem]]
) -> list[CellSource]:
    golds = {
        (name, shown): {problem.id: _source_problem(problem, shown) for problem in rows}
        for name, rows in problems.items()
        for shown in {manifest.shown(cell) for cell in manifest.cells if cell.dataset == name}
    }
    return [
        _source(cell, store, golds[cell.dataset, manifest.shown(cell)]) for cell in manifest.cells
    ]


def _source_problem(problem: Problem, shown: Shown) -> SourceProblem:
    hides = shown is Shown.OPENING
    return SourceProblem(problem.gold, rest=split_question(problem.question)[1] if hides else None)


def _source(cell: Cell, store: Store, problems: Mapping[str, SourceProblem]) -> CellSource:
    stored = store.cell(cell.path)
    if not stored.exists():
        raise UserError(
            f"the store {store.uri} has no cell {cell.path}, and the run's verdicts are left as "
            "they are: bring the store back to this place, or run again"
        )
    return CellSource(cell.key, stored.shards(), cell.n, problems, store.fs, store.keys)
