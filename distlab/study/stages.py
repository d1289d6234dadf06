"""One study from a validated config to a report: prepare, sample, score, report.

A sweep takes the same steps with many studies: it draws for all of them at once in between.
"""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from distlab.config.entries import typed_entries
from distlab.config.values import Study
from distlab.console.display import Display
from distlab.console.exits import Exit, stopped_by
from distlab.console.printing import printer
from distlab.console.progress import State
from distlab.console.progress_view import make_progress_view
from distlab.console.quiet import quiet
from distlab.engines.cluster import check_local
from distlab.engines.engine_args import check_engine_args
from distlab.engines.leasing import FollowUp
from distlab.engines.machine import check_fits
from distlab.escape import plain
from distlab.files import whole
from distlab.problems import write_problems
from distlab.problems.problem import Gold
from distlab.report import build_report, render_terminal, write_report
from distlab.report.table import StudyTables
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.sampling.outcome import Outcome
from distlab.sampling.planned import PlannedCell, Prepared
from distlab.sampling.prepare import prepare, unshared
from distlab.sampling.readings import ModelReader, model_readers, plan_readings
from distlab.sampling.session import Session, cell_rows
from distlab.sampling.until_decided import comparisons, draw_until_decided
from distlab.sampling.until_solved import UntilSolved
from distlab.scoring.judging import Judging
from distlab.scoring.panel import JudgePanel
from distlab.store.asks import Ask, write_ask
from distlab.store.repair import healed
from distlab.store.store import Store
from distlab.study import provenance
from distlab.study.score_run import say_idle, score_run, verdict_cache
from distlab.trackers.record import TrackedRun
from distlab.trackers.track import check_tracker, track


@dataclass(slots=True)
class OngoingStudy:
    """A study on its way through the stages.

    Attributes:
        study: What to do.
        folder: Where the run leaves its files.
        store: Where samples are.
        prepared: Its cells, with what the store lacks.
        readers: Its extractors that read with a model.
        manifest: As written last.
        clock: Of its stages.
        asks: Path of a cell with something to draw to the record in the store.
        outcome: What sampling and reading did so far.
    """

    study: Study
    folder: RunFolder
    store: Store
    prepared: Prepared
    readers: Sequence[ModelReader]
    manifest: Manifest
    clock: provenance.Stopwatch
    asks: dict[str, Ask] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=Outcome)

    def write(self, manifest: Manifest) -> None:
        """Take over a manifest and write it."""
        self.manifest = replace(manifest, timings_s={**manifest.timings_s, **self.clock.seconds})
        self.folder.write_manifest(self.manifest)


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
    check(study)
    console = printer()
    store = Store.open(study.store)
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        _say(console, f"warning: {sentence}")

    def draw_and_score() -> OngoingStudy:
        work = begin(study, config, folder, folder.path.name, command, store)
        work.write(replace(work.manifest, notes=(*work.manifest.notes, *said)))
        say_plan(console, [work], folder.log)
        with (
            showing(folder.log) as display,
            Session(store, study.cluster, folder.path.name, folder.events) as session,
        ):
            draw([work], session, display)
            if work.outcome.signal is None:
                score(work, display)
        return work

    return _end(console, healed(store, folder.path.name, say, draw_and_score))


def check(study: Study) -> None:
    """Refuse what this machine or the described cluster cannot hold.

    Raises:
        UserError: It cannot.
    """
    check_local(study.cluster)
    check_engine_args(study.cluster.engine_args, study.cluster.device)
    check_fits(study.family, study.cluster)
    check_tracker(study.tracker)


def begin(
    study: Study, config: DictConfig, folder: RunFolder, name: str, command: str, store: Store
) -> OngoingStudy:
    """Prepare a study, and leave in its folder all that `score` and `report` need.

    Args:
        study: What to do.
        config: The composed config it was validated from.
        folder: Where the run leaves its files.
        name: Of the run.
        command: The command line that resumes it.
        store: Where samples are.

    Raises:
        UserError: A dataset, checkpoint or tokenizer cannot be had.
    """
    clock = provenance.Stopwatch()
    with clock.stage("prepare"):
        prepared = prepare(study, store)
        readers = model_readers(study)
    for dataset in prepared.datasets.values():
        write_problems(folder.problems(dataset.name), dataset.problems)
    composed = typed_entries(config)
    with whole(folder.path / "config.yaml") as stream:
        stream.write(OmegaConf.to_yaml(composed).encode())
    resolved = cast(dict[str, Any], OmegaConf.to_container(composed, resolve=True))
    manifest = provenance.manifest(name, command, study, prepared, resolved, store)
    work = OngoingStudy(study, folder, store, prepared, readers, manifest, clock)
    work.write(manifest)
    opened = tuple(planned.opened() for planned in prepared.cells)
    work.prepared = replace(prepared, cells=opened)
    for planned in opened:
        if planned.requests:
            work.asks[planned.cell.path] = ask = _ask(planned, name)
            write_ask(planned.stored, ask)
    return work


def _ask(planned: PlannedCell, run_name: str) -> Ask:
    failures = {failure.problem_id: failure.error for failure in planned.failures}
    return Ask(run_name, planned.arm.n, (*planned.prompt_hashes, *failures), failures)


def say_plan(console: Console, works: Sequence[OngoingStudy], log: Path) -> None:
    """Print what there is to know before the first sample.

    Args:
        console: Where to print.
        works: The studies; what several of them would say is said once.
        log: Where engine output goes.
    """
    for line in dict.fromkeys(line for work in works for line in _notes(work)):
        _say(console, line)
    rows = cell_rows(planned for work in works for planned in work.prepared.cells).values()
    held = sum(row.done_samples for row in rows)
    missing = sum(row.samples for row in rows) - held
    uri = works[0].store.uri
    at_most = "at most " if any(work.study.stops_early for work in works) else ""
    _say(console, f"{at_most}{missing} samples to draw, {held} in the store {uri} · log {log}")


def _notes(work: OngoingStudy) -> Iterator[str]:
    yield from (f"note: {note}" for note in (*work.study.family.notes, *work.prepared.notes))
    yield from (f"note: {note}" for note in unshared(work.study))
    for planned in work.prepared.cells:
        if planned.note:
            yield f"note: {planned.cell.key}: {planned.note}"
        if planned.differing:
            yield (
                f"{planned.cell.key}: a new cell; the nearest stored one differs in "
                f"{', '.join(planned.differing)}"
            )
    datasets = work.prepared.datasets.values()
    for dataset in datasets:
        yield from (f"note: {dataset.name}: {note}" for note in dataset.notes)
    golds = {problem.gold.kind for dataset in datasets for problem in dataset.problems}
    yield from say_idle(work.study.graders, golds)


def draw(works: Sequence[OngoingStudy], session: Session, display: Display) -> Outcome:
    """Draw what the studies miss, let models read it, and stop the engines.

    Args:
        works: Studies on one store and one cluster.
        session: Has the engines.
        display: Shows it.

    Raises:
        UserError: The store cannot be written, or the cluster cannot be had.
    """
    drawn = Outcome()
    for alike in _by_pace(works):
        if drawn.signal is None:
            drawn = drawn.joined(_sample(alike, session, display))
    for work in works:
        # What all share is entered with the first, so that sums over the studies are right.
        shared = drawn if work is works[0] else replace(drawn, load_s=[], engine_s=0.0)
        work.outcome = _part(shared, work)
        _finish_asks(work)
        origins = {planned.cell.key: planned.stored.origins() for planned in work.prepared.cells}
        work.manifest = provenance.with_origins(work.manifest, origins)
        work.write(provenance.after_sampling(work.manifest, work.outcome, work.clock))
    if drawn.signal is None:
        drawn = drawn.joined(_read(works, session, display))
    ran = tuple(asdict(record) for record in session.release())
    for work in works:
        work.write(replace(work.manifest, replicas=ran))
    return drawn


def _part(outcome: Outcome, work: OngoingStudy) -> Outcome:
    """What of an outcome is about a study: of a cell that it shares, its own problems' failures."""
    part = outcome.of(planned.cell for planned in work.prepared.cells)
    for planned in work.prepared.cells:
        if (drawn := part.cells.get(planned.cell.path)) is not None:
            own = [f for f in drawn.failures if f.problem_id in planned.prompt_hashes]
            part.cells[planned.cell.path] = replace(drawn, failures=own)
    return part


def _by_pace(works: Sequence[OngoingStudy]) -> list[list[OngoingStudy]]:
    """Studies that draw all, and those that stop under the same judges, together."""
    groups: list[tuple[object, list[OngoingStudy]]] = []
    for work in works:
        study = work.study
        judges = study.extractors, study.graders, study.pool
        pace = (study.waves, study.decided, judges) if study.stops_early else None
        found = next((group for known, group in groups if known == pace), None)
        if found is None:
            groups.append((pace, [work]))
        else:
            found.append(work)
    return [group for _, group in groups]


def _sample(works: Sequence[OngoingStudy], session: Session, display: Display) -> Outcome:
    """Draw all that is missing, or until problems are solved or studies decided."""
    study, clock = works[0].study, works[0].clock
    if not study.stops_early:
        cells = [planned for work in works for planned in work.prepared.cells]
        with clock.stage("sample"):
            return session.draw(cells, display)
    cache = verdict_cache(works[0].store)
    with (
        clock.stage("sample"),
        closing(JudgePanel(Judging(study.extractors, study.graders, study.pool, cache))) as bench,
    ):
        if study.waves is None:
            return _sample_until_decided(works, session, display, bench)
        return _sample_until_solved(works, study.waves, session, display, bench)


def _sample_until_solved(
    works: Sequence[OngoingStudy],
    waves: Sequence[int],
    session: Session,
    display: Display,
    bench: JudgePanel,
) -> Outcome:
    """Draw until every problem is solved, and say what that saved."""
    cells = [planned for work in works for planned in work.prepared.cells]
    solving = _Solving(waves, _golds(works), bench, display.state, works[0].clock)
    drawn = session.draw(cells, display, solving)
    for work in works:
        work.write(replace(work.manifest, notes=(*work.manifest.notes, *solving.notes())))
        for path, ask in work.asks.items():
            settled = [p for until in solving.begun for p in until.settled(path)]
            work.asks[path] = replace(ask, settled=tuple(settled))
    return drawn


def _sample_until_decided(
    works: Sequence[OngoingStudy], session: Session, display: Display, bench: JudgePanel
) -> Outcome:
    """Draw look by look until every gap is decided, and say when that was."""
    compared = [comparisons(work.study, work.prepared, bench) for work in works]
    drawn = draw_until_decided(
        [one for each in compared for one in each],
        lambda cells: session.draw(cells, display),
        bench,
    )
    for work, each in zip(works, compared, strict=True):
        decisions = tuple(one.decision for one in each)
        notes = (*work.manifest.notes, *(decision.sentence for decision in decisions))
        work.write(replace(work.manifest, decisions=decisions, notes=notes))
        for one in each:
            for planned in one.cells:
                if (ask := work.asks.get(planned.cell.path)) is not None:
                    work.asks[planned.cell.path] = replace(
                        ask, settled=one.settled(planned, drawn), stopped=one.decision.sentence
                    )
    return drawn


def _golds(works: Sequence[OngoingStudy]) -> dict[str, dict[str, Gold]]:
    golds: dict[str, dict[str, Gold]] = {}
    for work in works:
        for name, dataset in work.prepared.datasets.items():
            golds.setdefault(name, {}).update({p.id: p.gold for p in dataset.problems})
    return golds


@dataclass(slots=True)
class _Solving:
    """The pace of a study that stops at problems once they are solved."""

    waves: Sequence[int]
    golds: Mapping[str, Mapping[str, Gold]]
    bench: JudgePanel
    state: State
    clock: provenance.Stopwatch
    begun: list[UntilSolved] = field(default_factory=list)

    def __call__(
        self, cells: Sequence[PlannedCell]
    ) -> tuple[Sequence[PlannedCell], FollowUp | None]:
        until = UntilSolved(cells, self.golds, self.bench, self.waves, self.state.moved)
        self.begun.append(until)
        with self.clock.stage("judge_stored"):
            return until.start(), until.follow_up

    def notes(self) -> list[str]:
        """What stopping early saved, and what went wrong."""
        saved = [until.spared().sentence for until in self.begun]
        return [*saved, *(until.trouble for until in self.begun if until.trouble)]


def _read(works: Sequence[OngoingStudy], session: Session, display: Display) -> Outcome:
    """Let the readers of all studies read, each checkpoint's engines once."""
    readings: list[tuple[OngoingStudy, ModelReader, PlannedCell]] = []
    for work in works:
        for reader in work.readers:
            planned = plan_readings(work.study, reader, work.prepared.cells, work.store)
            planned.stored.create(planned.fields)
            readings.append((work, reader, planned))
    if not readings:
        return Outcome()
    with works[0].clock.stage("read"):
        read = session.draw([planned for _, _, planned in readings], display)
    for work, reader, planned in readings:
        part = read.of([planned.cell])
        path = planned.cell.path
        work.write(provenance.after_reading(work.manifest, part, reader.name, path))
        work.outcome = work.outcome.joined(part)
    return read


def _finish_asks(work: OngoingStudy) -> None:
    """Say in the store what failed and what stopped early, so that others see it too."""
    for path, ask in work.asks.items():
        drawn = work.outcome.cells.get(path)
        failures = () if drawn is None else drawn.failures
        # What was set aside is missing: the next run draws it again.
        failed = {f.problem_id: f.error for f in failures if not f.set_aside}
        if failed or ask.settled:
            done = replace(ask, failures={**ask.failures, **failed})
            write_ask(work.store.cell(path), done)


def score(work: OngoingStudy, display: Display) -> None:
    """Extract and grade the study's samples.

    Args:
        work: The study.
        display: Shows it.

    Raises:
        UserError: A shard is damaged, or no grader judges a gold.
    """
    state = display.state

    def show(done: int, of: int) -> None:
        state.detail = f"{done}/{of} samples"
        display.refresh()

    def wait() -> None:
        state.detail = "waiting for another process that scores this run"
        display.refresh()

    state.sampling_since = None
    display.enter("scoring")
    with work.clock.stage("score"), work.folder.alone(wait), work.folder.judging():
        score_run(work.folder, work.manifest, show, skip_unread=True, store=work.store)
    work.write(work.manifest)


def report(work: OngoingStudy) -> tuple[StudyTables, Path]:
    """Write the study's report and results, and log them; returns tables and the report's path."""
    with work.folder.alone(lambda: None):
        tables = build_report(work.folder.path)
        path = write_report(work.folder.path, tables)
    if work.study.tracker is not None:
        with quiet(work.folder.log):
            fault = track(TrackedRun.of(work.folder.path, tables, path), work.study.tracker)
        if fault is not None:
            print(plain(f"warning: {fault}", None), file=sys.stderr)
    return tables, path


@contextmanager
def showing(log: Path) -> Iterator[Display]:
    """A display on the terminal for the block; what else is printed goes to the file ``log``."""
    state, is_terminal = State(), sys.stdout.isatty()
    with quiet(log) as terminal:
        console = Console(file=terminal, force_terminal=is_terminal)
        with make_progress_view(console, state).running() as view:
            yield Display(state, view)


def _end(console: Console, work: OngoingStudy) -> int:
    """Tables, paths and the exit status."""
    outcome = work.outcome
    if outcome.signal is not None:
        _say(console, f"stopped; {outcome.samples} samples of this run are committed. Resume with:")
        _say(console, f"  {work.manifest.command}")
        return stopped_by(outcome.signal)
    tables, path = report(work)
    render_terminal(tables, console)
    _say(console, f"report    {path}")
    look = shlex.join(["python", "-m", "distlab.view", str(work.folder.path)])
    _say(console, f"samples   {look}")
    _say(console, f"manifest  {work.folder.manifest_file} · store {work.manifest.store}")
    for error in outcome.errors:
        _say(console, f"failed: {error}")
    return Exit.FAILED if outcome.errors else Exit.DONE


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
