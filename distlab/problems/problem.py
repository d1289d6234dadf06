"""Problem and Gold: what every dataset is turned into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, Protocol, runtime_checkable

Side = Literal["seed", "simple", "hard", "twin"]
"""A problem's place in its pair: the original, or how it was perturbed."""

SIDES: Final[tuple[Side, ...]] = ("seed", "simple", "hard", "twin")


class GoldKind(StrEnum):
    """How a gold is to be read. A grader says which kinds it understands."""

    NUMBER = "number"  # one number in plain notation, maybe with commas or a sign
    LATEX = "latex"  # one LaTeX expression, interval or tuple
    LIST = "list"  # several values that must all be given ("a or b"), order free
    DATE = "date"  # month/day/year
    WEEKS_DAYS = "weeks_days"  # "(3 weeks, 4 days)"
    INTEGER = "integer"  # equal after rounding the answer (MedCalc scores)
    INTERVAL = "interval"  # any number within [lower, upper] (MedCalc decimals)
    CHOICE = "choice"  # the letter of one of several choices, or that choice's text
    TEXT = "text"  # words, equal after normalising case, blanks and punctuation


@dataclass(frozen=True, slots=True)
class Gold:
    """The reference answer of a problem.

    Attributes:
        kind: How ``text`` is to be read.
        text: The gold as the dataset publishes it.
        items: For ``LIST``: each value, in the dataset's order. For ``CHOICE``: the text of every
            choice from A on, where they are known. For ``TEXT``: what else is accepted.
        lower: For ``INTERVAL``: the least accepted value, inclusive.
        upper: For ``INTERVAL``: the greatest accepted value, inclusive.
    """

    kind: GoldKind
    text: str
    items: tuple[str, ...] = ()
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One dataset item.

    Attributes:
        id: Unique within ``dataset`` and stable over runs and over the order of the file.
        dataset: Name of the dataset, as in ``conf/dataset``.
        question: The text put to the model.
        gold: The reference answer.
        cluster: Problems that share a source share this name; standard errors cluster on it.
        pair: Key shared by a seed problem and its perturbations, over datasets; None if unpaired.
        side: Which side of its pair this is; None if unpaired.
        strata: Names to values for breakdowns: level, subject, calculator, original_split, ...
    """

    id: str
    dataset: str
    question: str
    gold: Gold
    cluster: str
    pair: str | None = None
    side: Side | None = None
    strata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One solved training problem for a few-shot prompt.

    Attributes:
        id: Where it is from, for the manifest.
        question: The question.
        reasoning: The worked solution, without the final answer sentence.
        answer: The final answer as the prompt's answer sentence states it.
    """

    id: str
    question: str
    reasoning: str
    answer: str


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A dataset as the config asks for it, validated.

    Attributes:
        name: Key in ``dataset.sets``.
        loader: Import path ``module:attribute`` of a ``DatasetLoader``.
        path: Local file that replaces the hub or web source, or None.
        train_path: Local file of the train split (few-shot exemplars), or None.
        revision: Hub revision (branch, tag or commit).
        limit: Keep the first ``limit`` problems (whole pairs where twins are made), None for all.
        options: Loader-specific settings (MedCalc's version, gsm-symbolic's seed, ...).
        columns: For loaders of anybody's files: what of a problem is in which column.
        is_alone: Whether it is the run's only dataset, so that ``dataset.path`` is its path.
    """

    name: str
    loader: str
    path: str | None = None
    train_path: str | None = None
    revision: str = "main"
    limit: int | None = None
    options: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    is_alone: bool = True

    def setting(self, name: str) -> str:
        """The key that sets something of it, for messages.

        Args:
            name: As the group calls it: "path", "columns.answer", or an option such as "split".
        """
        if self.is_alone:
            return f"dataset.{name}"
        is_option = name not in ("path", "train_path") and not name.startswith("columns.")
        return f"dataset.sets.{self.name}.{'options.' if is_option else ''}{name}"


@dataclass(frozen=True, slots=True)
class LoadedDataset:
    """Problems with their provenance.

    Attributes:
        name: As in the spec.
        problems: In the source's order, after ``limit``.
        rows: Rows of the whole source, before ``limit``.
        content_hash: sha256 (hex) over the whole source's rows, not the file's bytes.
        source: Where the rows are from, for people: a path, or hub id.
        revision: The resolved hub commit, or None where there is none.
        notes: What the reader of the report must know (a mismatch with the known hash, ...).
    """

    name: str
    problems: tuple[Problem, ...]
    rows: int
    content_hash: str
    source: str
    revision: str | None = None
    notes: tuple[str, ...] = ()


class DatasetLoader(Protocol):
    """One dataset's file: rows in, Problems out."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """Read every row, checked; raises UserError naming file, row and field."""
        ...

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """All solved problems a few-shot prompt may draw from, never evaluated ones."""
        ...


@runtime_checkable
class PublishedSet(Protocol):
    """A loader that knows how many rows the published set has."""

    def published_rows(self, spec: DatasetSpec) -> int | None:
        """Rows, for a plan that cannot read the files; None where they vary."""
        ...
