"""The manifest of a run."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from distlab.prompts.prompt import Shown
from distlab.runs.decisions import Decision
from distlab.store.cell import Cell, ProblemFailure, StagePair

# Key of the config under which an ingested run names its files; no run that sampled has it.
INGESTED: Final = "ingested"


JudgePart = Literal["extractor", "grader"]
"""What a judge is made of."""

PaperFamilies = Literal["own", "all"]
"""Whose figures of the paper are drawn: those of the study's families, or of all."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ran.

    Attributes:
        run: Name of the run folder.
        command: The command line that resumes the run.
        store: Where the samples are.
        cells: The cells, in the order of the tables.
        failures: Problems without samples, with the reason.
        config: The composed config.
        fingerprints: Cell key to the fields behind its fingerprint.
        datasets: Dataset name to provenance (rows, content_hash, source, revision, notes).
        versions: Package to version; git commit as "distlab_commit".
        host: Host name, device, cores, memory.
        timings_s: Stage to wall seconds.
        counts: Samples and tokens drawn by this run and found in the store.
        tokens: Cell key to the new tokens that this run drew in it (``kept``) and what engines
            generated for them (``computed``): fewer where siblings were drawn together.
        notes: What the output must say.
        replicas: Where every engine ran and how it ended (``engines.fleet.ReplicaRecord``).
        readings: Extractor that reads with a model to the folder of its readings in the store.
        decisions: How far each gap was decided, where the study stops by itself.
        parts: Where parts that are not distlab's came from: ``folders`` of YAML, and of
            ``modules`` the folder in which each was found, by ``module:Class``.
        origins: Cell key to what drew its stored samples (``store.origin.Origin``), each with how
            many; of those that do not say, ``device`` is null.
    """

    run: str
    command: str
    store: str
    cells: tuple[Cell, ...]
    failures: tuple[ProblemFailure, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    fingerprints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    host: Mapping[str, Any] = field(default_factory=dict)
    timings_s: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    tokens: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    replicas: Sequence[Mapping[str, Any]] = ()
    readings: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    parts: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """The folders of YAML that are still there."""
        named = map(Path, self.parts.get("folders", ()))
        return tuple(folder for folder in named if folder.is_dir())

    @property
    def own_modules(self) -> tuple[str, ...]:
        """The folders in which modules were found."""
        return tuple(self.parts.get("modules", {}).values())

    @property
    def to_resume(self) -> str:
        """How to go on with the run, as the end of a sentence; empty for samples from elsewhere."""
        if INGESTED in self.config:
            return ""
        return f"; a run that was stopped goes on with `{self.command}`"

    def shown(self, cell: Cell) -> Shown:
        """How much of its questions the prompts of a cell show."""
        prompt = self.fingerprints.get(cell.key, {}).get("prompt", {})
        return Shown(prompt.get("shows", Shown.QUESTION))

    @property
    def paper(self) -> PaperFamilies:
        """Whose figures of the paper the config asks for."""
        return "all" if self.config.get("report", {}).get("paper") == "all" else "own"

    @property
    def pairs(self) -> tuple[StagePair, ...]:
        """Stages that the config asks to be compared, beside the ends of a ladder."""
        asked = self.config.get("report", {}).get("pairs", ())
        return tuple((first, second) for first, second in asked)

    def in_order(self, group: JudgePart, names: Set[str]) -> tuple[str, ...]:
        """Extractors or graders in the order of the config, then any others by name."""
        configured: Mapping[str, Any] = self.config.get(group, {}).get("use", {})
        return (*(name for name in configured if name in names), *sorted(names - set(configured)))
