"""One study from a validated config to a report: prepare, sample, score, report."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from distlab import provenance
from distlab.cells import PlannedCell, Prepared, prepare
from distlab.config.door import validate
from distlab.config.study import Study
from distlab.engines.cluster import check_local, connected
from distlab.noise import quiet
from distlab.problems import write_problems
from distlab.progress import CellProgress, State, View, make_view
from distlab.report import build_report, render_terminal, write_report
from distlab.runfolder import Manifest, RunFolder
from distlab.samples.store import Store
from distlab.sampling import Outcome, sample
from distlab.score import score_run

EXIT_FAILED = 1


def run(config: DictConfig, folder: RunFolder) -> int:
    """One study, from a composed config to a report; returns the exit status.

    Raises:
        UserError: Bad input; nothing was started.
    """
    study = validate(config)
    check_local(study.cluster)
    store = Store.open(study.store)
    clock = provenance.Stopwatch()
    console = Console()
    for note in study.family.notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    with clock.stage("prepare"):
        prepared = prepare(study, store)
    manifest = _begin(config, study, prepared, folder, store)
    _say_plan(console, prepared, folder, store)
    outcome, manifest = _work(study, prepared, folder, manifest, clock)
    return _end(console, outcome, manifest, folder)


def _begin(
    config: DictConfig, study: Study, prepared: Prepared, folder: RunFolder, store: Store
) -> Manifest:
    """Leave in the run folder all that `score` and `report` need, before anything can fail."""
    for name, dataset in prepared.datasets.items():
        write_problems(folder.problems(name), dataset.problems)
    (folder.path / "config.yaml").write_text(OmegaConf.to_yaml(config))
    manifest = provenance.manifest(
        folder.path.name,
        resume_command(),
        study,
        prepared,
        cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)),
        store,
    )
    folder.write_manifest(manifest)
    return manifest


def resume_command() -> str:
    """The command line that was typed."""
    return shlex.join(["python", "-m", "distlab.run", *sys.argv[1:]])


def _say_plan(console: Console, prepared: Prepared, folder: RunFolder, store: Store) -> None:
    for planned in prepared.cells:
        if differing := planned.stored.create(planned.fields):
            console.print(
                f"{planned.cell.key}: a new cell; the nearest stored one differs in "
                f"{', '.join(differing)}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
    for dataset in prepared.datasets.values():
        for note in dataset.notes:
            console.print(f"note: {dataset.name}: {note}", markup=False, soft_wrap=True)
    missing = sum(len(draw.ranks) for planned in prepared.cells for draw in planned.draws)
    held = sum(planned.held for planned in prepared.cells)
    console.print(
        f"{missing} samples to draw, {held} in the store {store.uri} · log {folder.log}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _work(
    study: Study,
    prepared: Prepared,
    folder: RunFolder,
    manifest: Manifest,
    clock: provenance.Stopwatch,
) -> tuple[Outcome, Manifest]:
    """Sample and score with the engines' noise in the log; the manifest is kept up to date."""
    state = State(cells={p.cell.key: _progress(p) for p in prepared.cells})
    with _view(folder, state) as view:
        outcome = Outcome()
        with ExitStack() as ray:
            if any(planned.draws for planned in prepared.cells):
                with clock.stage("ray_start"):
                    ray.enter_context(connected(study.cluster))
                with clock.stage("sample"):
                    outcome = sample(study, prepared.cells, folder.path.name, state, view)
            manifest = provenance.after_sampling(manifest, outcome, clock)
            folder.write_manifest(manifest)
            if outcome.signal is None:
                _score(folder, manifest, state, view, clock)
    manifest = replace(manifest, timings_s={**manifest.timings_s, **clock.seconds})
    folder.write_manifest(manifest)
    return outcome, manifest


def _score(
    folder: RunFolder, manifest: Manifest, state: State, view: View, clock: provenance.Stopwatch
) -> None:
    def show(done: int, of: int) -> None:
        state.detail = f"{done}/{of} samples"
        view.refresh(state)

    state.stage, state.sampling_since = "scoring", None
    with clock.stage("score"):
        score_run(folder, manifest, show)


@contextmanager
def _view(folder: RunFolder, state: State) -> Iterator[View]:
    is_terminal = sys.stdout.isatty()
    with quiet(folder.log) as terminal:
        console = Console(file=terminal, force_terminal=is_terminal)
        with make_view(console, state).running() as view:
            yield view


def _progress(planned: PlannedCell) -> CellProgress:
    cell, n = planned.cell, planned.arm.n
    return CellProgress(
        label=f"{cell.arm} · {cell.dataset} · {cell.prompt}",
        problems=len(planned.prompt_hashes),
        samples=n * len(planned.prompt_hashes),
        done_problems=len(planned.prompt_hashes) - len(planned.draws),
        done_samples=planned.held,
        failed=len(planned.failures),
    )


def _end(console: Console, outcome: Outcome, manifest: Manifest, folder: RunFolder) -> int:
    """Tables, paths and the exit status."""

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    if outcome.signal is not None:
        say(f"stopped; {outcome.samples} samples of this run are committed. Resume with:")
        say(f"  {manifest.command}")
        return 128 + outcome.signal
    tables = build_report(folder.path)
    report = write_report(folder.path, tables)
    render_terminal(tables, console)
    say(f"samples   {manifest.store}")
    say(f"verdicts  {folder.verdicts}")
    say(f"report    {report}")
    say(f"manifest  {folder.manifest_file}")
    for error in outcome.errors:
        say(f"failed: {error}")
    return EXIT_FAILED if outcome.errors else 0
