"""One study from a validated config to a report: prepare, sample, score, report."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from distlab import provenance
from distlab.cells import PlannedCell, Prepared, prepare
from distlab.config.study import Study
from distlab.engines.cluster import check_local, connected
from distlab.engines.dispatcher import FollowUp
from distlab.engines.events import EventLog
from distlab.engines.fleet import Fleet
from distlab.noise import quiet
from distlab.plan.machine import check_fits
from distlab.problems import write_problems
from distlab.progress import CellProgress, State, View, make_view
from distlab.reading import ModelReader, model_readers, plan_readings
from distlab.report import build_report, render_terminal, write_report
from distlab.runfolder import Manifest, RunFolder
from distlab.samples.store import Store
from distlab.sampling import Outcome, sample
from distlab.score import score_run, verdict_cache
from distlab.scoring.bench import Bench
from distlab.solving import UntilSolved

EXIT_FAILED = 1


def run(study: Study, config: DictConfig, folder: RunFolder, command: str) -> int:
    """One study, from a validated config to a report; returns the exit status.

    Args:
        study: What to do.
        config: The composed config it was validated from, for the run folder.
        folder: Where the run leaves its files.
        command: The command line that resumes it.

    Raises:
        UserError: Bad input; nothing was started.
    """
    check_local(study.cluster)
    check_fits(study.family, study.cluster)
    store = Store.open(study.store)
    clock = provenance.Stopwatch()
    console = Console()
    for note in study.family.notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    with clock.stage("prepare"):
        prepared = prepare(study, store)
        readers = model_readers(study)
    manifest = _begin(config, study, prepared, folder, store, command)
    _say_plan(console, prepared, folder, store)
    outcome, manifest = _work(study, prepared, readers, folder, manifest, store, clock)
    return _end(console, outcome, manifest, folder)


def _begin(
    config: DictConfig,
    study: Study,
    prepared: Prepared,
    folder: RunFolder,
    store: Store,
    command: str,
) -> Manifest:
    """Leave in the run folder all that `score` and `report` need, before anything can fail."""
    for name, dataset in prepared.datasets.items():
        write_problems(folder.problems(name), dataset.problems)
    (folder.path / "config.yaml").write_text(OmegaConf.to_yaml(config))
    manifest = provenance.manifest(
        folder.path.name,
        command,
        study,
        prepared,
        cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)),
        store,
    )
    folder.write_manifest(manifest)
    return manifest


def _say_plan(console: Console, prepared: Prepared, folder: RunFolder, store: Store) -> None:
    for planned in prepared.cells:
        planned.stored.create(planned.fields)
        if planned.differing:
            console.print(
                f"{planned.cell.key}: a new cell; the nearest stored one differs in "
                f"{', '.join(planned.differing)}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
    for dataset in prepared.datasets.values():
        for note in dataset.notes:
            console.print(f"note: {dataset.name}: {note}", markup=False, soft_wrap=True)
    missing = sum(len(draw.ranks) for planned in prepared.cells for draw in planned.draws)
    held = sum(planned.held for planned in prepared.cells)
    at_most = "at most " if any(p.cell.until_solved for p in prepared.cells) else ""
    console.print(
        f"{at_most}{missing} samples to draw, {held} in the store {store.uri} · log {folder.log}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _work(
    study: Study,
    prepared: Prepared,
    readers: Sequence[ModelReader],
    folder: RunFolder,
    manifest: Manifest,
    store: Store,
    clock: provenance.Stopwatch,
) -> tuple[Outcome, Manifest]:
    """Sample, read and score, the noise of it in the log; the manifest is kept up to date."""
    state = State(cells={p.cell.path: _progress(p) for p in prepared.cells})
    with _view(folder, state) as view, ExitStack() as ray:
        engines = _Engines(study, folder, state, view, ray, clock)
        outcome, saved = _sample(study, prepared, store, engines)
        manifest = provenance.after_sampling(manifest, outcome, clock)
        manifest = replace(manifest, notes=(*manifest.notes, *saved))
        folder.write_manifest(manifest)
        for reader in readers if outcome.signal is None else ():
            planned = plan_readings(study, reader, prepared.cells, store)
            planned.stored.create(planned.fields)
            state.cells[planned.cell.path] = _progress(planned)
            read = engines.draw([planned], f"read_{reader.name}")
            manifest = provenance.after_reading(manifest, read, reader.name, planned.cell.path)
            outcome = outcome.joined(read)
        folder.write_manifest(manifest)
        manifest = replace(manifest, replicas=engines.release())
        if outcome.signal is None:
            _score(folder, manifest, store, state, view, clock)
    manifest = replace(manifest, timings_s={**manifest.timings_s, **clock.seconds})
    folder.write_manifest(manifest)
    return outcome, manifest


def _sample(
    study: Study, prepared: Prepared, store: Store, engines: "_Engines"
) -> tuple[Outcome, tuple[str, ...]]:
    """Draw all that is missing, or until every problem is solved; and what that saved."""
    if study.waves is None:
        return engines.draw(prepared.cells, "sample"), ()
    golds = {
        name: {problem.id: problem.gold for problem in dataset.problems}
        for name, dataset in prepared.datasets.items()
    }
    with closing(Bench(study.extractors, study.graders, study.pool, verdict_cache(store))) as bench:
        until = UntilSolved(prepared.cells, golds, bench, study.waves, engines.moved)
        with engines.clock.stage("judge_stored"):
            cells = until.start()
        outcome = engines.draw(cells, "sample", until.follow_up)
    trouble = (until.trouble,) if until.trouble else ()
    return outcome, (until.spared().sentence, *trouble)


@dataclass(slots=True)
class _Engines:
    """Draws with engines; Ray starts with the first sample that is missing and then stays up."""

    study: Study
    folder: RunFolder
    state: State
    view: View
    ray: ExitStack
    clock: provenance.Stopwatch
    fleet: Fleet | None = None

    def draw(
        self, cells: Sequence[PlannedCell], stage: str, follow_up: FollowUp | None = None
    ) -> Outcome:
        if not any(planned.draws for planned in cells):
            return Outcome()
        if self.fleet is None:
            self.state.stage = "starting Ray"
            self.view.refresh(self.state)
            with self.clock.stage("ray_start"):
                self.ray.enter_context(connected(self.study.cluster))
            self.fleet = Fleet()
        with self.clock.stage(stage):
            return sample(
                cells,
                self.study.cluster,
                self.folder.path.name,
                self.fleet,
                self.state,
                self.view,
                EventLog(self.folder.events),
                follow_up,
            )

    def moved(self, path: str, done: int, spared: int) -> None:
        """Keep the view right where problems stop once they are solved."""
        row = self.state.cells[path]
        row.done_problems += done
        row.samples -= spared

    def release(self) -> tuple[Mapping[str, Any], ...]:
        """Stop the engines, since scoring needs their cores, and say where they ran."""
        if self.fleet is None:
            return ()
        self.fleet.close()
        return tuple(asdict(record) for record in self.fleet.records)


def _score(
    folder: RunFolder,
    manifest: Manifest,
    store: Store,
    state: State,
    view: View,
    clock: provenance.Stopwatch,
) -> None:
    def show(done: int, of: int) -> None:
        state.detail = f"{done}/{of} samples"
        view.refresh(state)

    state.stage, state.sampling_since = "scoring", None
    with clock.stage("score"):
        score_run(folder, manifest, show, skip_unread=True, store=store)


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
