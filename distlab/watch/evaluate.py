"""Checkpoints in; their samples in the store, a scored run for each, and one report on all out."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from distlab.config.derive import derived
from distlab.config.door import validate
from distlab.config.ladder import step_folders
from distlab.config.own_parts import recorded_parts
from distlab.config.values import Study
from distlab.console.printing import say
from distlab.errors import UserError, counted
from distlab.report import build_report, write_report
from distlab.runs.folder import RunFolder
from distlab.sampling.session import Session
from distlab.store.repair import healed
from distlab.store.store import Store
from distlab.study.stages import OngoingStudy, begin, check, draw, score, showing

# Checkpoints that are drawn together before the report is written anew (ours).
_AT_ONCE = 8


@dataclass(slots=True)
class Evaluation:
    """The runs of a training's checkpoints, one folder each, and the report on all of them.

    Attributes:
        config: Composed, of a family without stages.
        config_dirs: Folders of the user's that it was composed with.
        pattern: Finds the step in a checkpoint's name.
        format: How stages are prompted: plain or chat.
        into: Folder of the runs and of their report.
        command: What to type to go on.
        console: Where to say what happens.
        store: Where samples are.
        signal: Of the stop that was asked for, None so far.
        errors: What could not be evaluated, one sentence each.
    """

    config: DictConfig
    config_dirs: Sequence[Path]
    pattern: str
    format: str
    into: Path
    command: str
    console: Console
    store: Store
    signal: int | None = None
    errors: list[str] = field(default_factory=list)
    _session: Session | None = None

    def is_done(self, checkpoint: Path) -> bool:
        """Whether a checkpoint's run is whole: its samples are drawn, and have verdicts."""
        folder = RunFolder(self.into / checkpoint.name)
        if not folder.manifest_file.is_file() or not folder.is_scored:
            return False
        return not any(failure.set_aside for failure in folder.read_manifest().failures)

    def evaluate(self, checkpoints: Sequence[Path]) -> None:
        """Draw and score checkpoints, some at a time, and report after each of these times.

        Args:
            checkpoints: Whole ones, by step.
        """
        for start in range(0, len(checkpoints), _AT_ONCE):
            self._evaluate(checkpoints[start : start + _AT_ONCE])
            if self.signal is not None:
                return
            self.report()

    def report(self) -> None:
        """Write the report on all checkpoints that are done, those since deleted too."""
        done = [run for run in step_folders(self.into, self.pattern) if self.is_done(run)]
        if done:
            path = write_report(self.into, build_report(*done))
            say(self.console, f"{counted(len(done), 'checkpoint')} · report {path}")

    def close(self) -> None:
        """Stop what is up."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _evaluate(self, checkpoints: Sequence[Path]) -> None:
        log = self.into / "log.txt"

        def draw_and_score() -> None:
            works = list(self._begin(checkpoints))
            if not works:
                return
            with showing(log) as display:
                outcome = draw(works, self._engines(works[0]), display)
                self.signal = outcome.signal
                for work in works if self.signal is None else ():
                    score(work, display)
            for work in works:
                self._complain(work.folder.path.name, work.outcome.errors)

        healed(self.store, self.into.name, self._warn, draw_and_score)

    def _begin(self, checkpoints: Sequence[Path]) -> Iterator[OngoingStudy]:
        for checkpoint in checkpoints:
            folder = RunFolder(self.into / checkpoint.name)
            folder.path.mkdir(parents=True, exist_ok=True)
            say(self.console, f"evaluating {checkpoint}")
            name = f"{self.into.name}/{checkpoint.name}"
            try:
                study, config = self._study(checkpoint)
                check(study)
                work = begin(study, config, folder, name, self.command, self.store)
            except UserError as error:
                self._complain(checkpoint.name, [str(error)])
                continue
            before = work.manifest
            parts = recorded_parts((), self.config_dirs, before.parts)
            work.write(replace(before, parts=parts))
            yield work

    def _study(self, checkpoint: Path) -> tuple[Study, DictConfig]:
        """The study of a checkpoint: a ladder of one stage, in the family of all.

        Raises:
            UserError: The config does not fit it, or its name cannot be a stage's.
        """
        config = copy.deepcopy(self.config)
        place = str(checkpoint.absolute())
        stage = {"name": checkpoint.name, "id": place, "source": "local", "format": self.format}
        config.model.stages = [stage]
        config = derived(config)
        return validate(config), config

    def _engines(self, work: OngoingStudy) -> Session:
        """One session for all checkpoints, so that Ray starts once."""
        if self._session is None:
            events = self.into / "events.jsonl"
            self._session = Session(self.store, work.study.cluster, self.into.name, events)
        return self._session

    def _complain(self, checkpoint: str, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            self.errors.append(f"{checkpoint}: {sentence}")
            say(self.console, f"failed: {checkpoint}: {sentence}")

    def _warn(self, sentence: str) -> None:
        say(self.console, f"warning: {sentence}")
