"""MedCalc-Bench (Khandekar et al., arXiv 2406.12036): a clinical value worked out of a note.

How a gold is to be read follows from its calculator id, never from Output Type: the published
type of gestational ages is "integer".
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from distlab.errors import UserError
from distlab.problems.content import Known, compare, content_hash, text_hash
from distlab.problems.dataset_options import check_names, choice
from distlab.problems.problem import DatasetSpec, Exemplar, Gold, GoldKind, LoadedDataset, Problem
from distlab.problems.problem_table import unique
from distlab.problems.rows import Row
from distlab.problems.sources import HubFiles, Source, from_hub, from_path

# The rule by calculator id, as the official scorer has it; every other calculator is a decimal.
DATES = frozenset({13, 68})
WEEKS_DAYS = 69
INTEGERS = frozenset({4, 15, 16, 17, 18, 20, 21, 25, 27, 28, 29, 32, 33, 36, 43, 45, 48, 51})

_REPOS = {
    "v1.0": "ncbi/MedCalc-Bench-v1.0",
    "v1.1": "ncbi/MedCalc-Bench-v1.1",
    "v1.2": "ncbi/MedCalc-Bench-v1.2",
    "verified": "nsk7153/MedCalc-Bench-Verified",
}
# Only v1.0 was at hand to hash.
_KNOWN = {
    "v1.0": Known(1047, "f58a19b47d3dcd5c3e921515003e17cd4f078015c6ef374a3f221405166f5093"),
    "v1.1": Known(1100, None),
    "v1.2": Known(1100, None),
    "verified": Known(1100, None),
}
_KNOWN_CORRECTED = Known(887, "ab32c9592af0d7403a94d61a1a416edc6bbce22337e77d54bb7017d99ba59672")
_OPTIONS = ("version", "labels", "corrected_path")
_FIELDS = (
    "Row Number",
    "Calculator ID",
    "Patient Note",
    "Question",
    "Ground Truth Answer",
    "Lower Limit",
    "Upper Limit",
)
_CORRECTED_FIELDS = ("Unique ID", "Ground Truth Answer", "Lower Limit", "Upper Limit")
_STRATA = {
    "calculator": "Calculator Name",
    "category": "Category",
    "output_type": "Output Type",
    "note_type": "Note Type",
}
_WEEKS_DAYS = re.compile(r"\D*\d+\s*weeks?\W+\d+\s*days?\W*")
# The audit's mark for a note that the question cannot be answered from.
_UNANSWERABLE = "N/A"
# Characters of an exemplar's note (ours): eight notes of full length fit few contexts.
_MAX_NOTE = 2000


@dataclass(frozen=True, slots=True)
class _MedCalcSettings:
    """The options, checked."""

    version: str
    corrected_path: str | None


class MedCalc:
    """The test set. Options: version, labels ("published" or "corrected"), corrected_path."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """Test rows; ids are Row Numbers, clusters are calculators.

        With ``labels: corrected`` (v1.0 alone) the problems are those that the audit's file
        answers, with its golds; questions and ids stay, so that stored samples serve both.
        """
        settings = _settings(spec)
        source = _test_source(spec, settings)
        problems = tuple(_problem(row, spec.name, settings.version) for row in source.rows)
        unique(problems, source.rows)
        found = content_hash(_content(row, _FIELDS) for row in source.rows)
        notes = source.notes + compare(
            _KNOWN[settings.version],
            len(problems),
            found,
            f"check that it is version {settings.version} and set options.version",
        )
        notes += _limit_notes(problems)
        if settings.corrected_path is not None:
            problems, corrected = _corrected(problems, from_path(settings.corrected_path))
            notes += corrected
        return LoadedDataset(
            name=spec.name,
            problems=problems[: spec.limit],
            rows=len(source.rows),
            content_hash=found,
            source=f"{source.label} ({settings.version})",
            revision=source.revision,
            notes=notes,
        )

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """Train rows, or the one-shot file's, with short notes that no test row has.

        9 of the 55 notes of the published one-shot file are notes of the v1.0 test set.
        """
        settings = _settings(spec)
        test = _test_source(spec, settings).rows
        evaluated = {_note_key(row) for row in test}
        train = _train_rows(spec, settings, test)
        return tuple(
            _exemplar(row)
            for row in train
            if _note_key(row) not in evaluated and len(row.text("Patient Note")) <= _MAX_NOTE
        )

    def published_rows(self, spec: DatasetSpec) -> int | None:
        """Rows of the version; None for the corrected subset, which a file decides."""
        settings = _settings(spec)
        return _KNOWN[settings.version].rows if settings.corrected_path is None else None


def _settings(spec: DatasetSpec) -> _MedCalcSettings:
    check_names(spec, _OPTIONS)
    version = choice(spec, "version", "v1.0", tuple(_REPOS))
    labels = choice(spec, "labels", "published", ("published", "corrected"))
    path = spec.options.get("corrected_path")
    if labels == "published":
        return _MedCalcSettings(version, None)
    field = f"dataset.sets.{spec.name}.options"
    if version != "v1.0":
        raise UserError(f"{field}.labels is corrected, which there is for v1.0 alone; set version")
    if not isinstance(path, str):
        raise UserError(f"{field}.labels is corrected; give the audit's CSV as corrected_path")
    return _MedCalcSettings(version, path)


def _test_source(spec: DatasetSpec, settings: _MedCalcSettings) -> Source:
    if spec.path is not None:
        return from_path(spec.path)
    files = HubFiles(_REPOS[settings.version], ("test*", "data/test*"))
    return from_hub(files, spec.revision, spec.name, spec.setting("path"))


def _train_rows(
    spec: DatasetSpec, settings: _MedCalcSettings, test: Iterable[Row]
) -> tuple[Row, ...]:
    if spec.train_path is None:
        files = HubFiles(_REPOS[settings.version], ("train*", "data/train*"))
        return from_hub(files, spec.revision, spec.name, spec.setting("train_path")).rows
    rows = from_path(spec.train_path).rows
    if Path(spec.train_path).suffix == ".json":
        return _one_shot_rows(rows, test)
    return rows


def _one_shot_rows(rows: Iterable[Row], test: Iterable[Row]) -> tuple[Row, ...]:
    """The one-shot file's entries as train rows.

    It has no questions. Calculators have one wording each in the test set, bar one calculator
    with many, whose entry is left out.
    """
    wordings: dict[str, set[str]] = defaultdict(set)
    for row in test:
        wordings[row.text("Calculator ID")].add(row.text("Question"))
    made = []
    for row in rows:
        response = row.fields.get("Response")
        if not isinstance(response, Mapping):
            raise row.fault("Response", "must be an object")
        calculator = row.text("key")
        if len(wordings[calculator]) != 1:
            continue
        fields = {
            "Calculator ID": calculator,
            "Patient Note": row.text("Patient Note"),
            "Question": next(iter(wordings[calculator])),
            "Ground Truth Answer": _plain_answer(response.get("answer")),
            "Ground Truth Explanation": response.get("step_by_step_thinking"),
        }
        made.append(Row(row.place, fields))
    return tuple(made)


def _plain_answer(value: object) -> object:
    """Weeks and days are a list of two texts there, and a tuple written out in the CSV."""
    return f"({', '.join(map(str, value))})" if isinstance(value, list | tuple) else value


def _exemplar(row: Row) -> Exemplar:
    answer = row.text("Ground Truth Answer")
    if row.integer("Calculator ID") == WEEKS_DAYS and answer.startswith("('"):
        try:
            answer = str(_plain_answer(ast.literal_eval(answer)))
        except (ValueError, SyntaxError):
            raise row.fault("Ground Truth Answer", "must be weeks and days") from None
    question = _question(row)
    return Exemplar(
        id=f"medcalc-train-{row.integer('Calculator ID')}-{text_hash(question)}",
        question=question,
        reasoning=row.text("Ground Truth Explanation").strip(),
        answer=answer,
    )


def _note_key(row: Row) -> str:
    return text_hash(row.text("Patient Note"))


def _question(row: Row) -> str:
    return f"Patient note: {row.text('Patient Note').strip()}\n\n{row.text('Question').strip()}"


def _content(row: Row, names: tuple[str, ...]) -> dict[str, str | int | float | None]:
    return {name: row.text(name) for name in names}


def _problem(row: Row, dataset: str, version: str) -> Problem:
    calculator = row.integer("Calculator ID")
    return Problem(
        id=f"medcalc-{version}-{row.integer('Row Number')}",
        dataset=dataset,
        question=_question(row),
        gold=_gold(row, calculator),
        cluster=f"calculator-{calculator:02d}",
        strata={"calculator_id": str(calculator)}
        | {name: row.text(column) for name, column in _STRATA.items()},
    )


def _gold(row: Row, calculator: int) -> Gold:
    field = "Ground Truth Answer"
    text = row.text(field).strip()
    if calculator in DATES:
        try:
            datetime.strptime(text, "%m/%d/%Y")
        except ValueError:
            raise row.fault(field, f"must be month/day/year, not {text!r}") from None
        return Gold(GoldKind.DATE, text)
    if calculator == WEEKS_DAYS:
        if not _WEEKS_DAYS.fullmatch(text):
            raise row.fault(field, f"must be weeks and days, not {text!r}")
        return Gold(GoldKind.WEEKS_DAYS, text)
    if calculator in INTEGERS:
        row.integer(field)
        return Gold(GoldKind.INTEGER, text)
    row.number(field)
    # Five per cent of a negative truth turns the limits round.
    lower, upper = sorted((row.number("Lower Limit"), row.number("Upper Limit")))
    return Gold(GoldKind.INTERVAL, text, lower=lower, upper=upper)


def _limit_notes(problems: tuple[Problem, ...]) -> tuple[str, ...]:
    outside = [problem.id for problem in problems if not _within(problem.gold)]
    if not outside:
        return ()
    return (f"{len(outside)} golds lie outside of their own limits: {', '.join(outside)}",)


def _within(gold: Gold) -> bool:
    if gold.lower is None or gold.upper is None:
        return True
    return gold.lower <= float(gold.text) <= gold.upper


def _corrected(
    problems: tuple[Problem, ...], source: Source
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """Problems that the audit answers, with its golds, and what to say about the others."""
    by_number = {problem.id.rpartition("-")[2]: problem for problem in problems}
    made = []
    for row in source.rows:
        number = str(row.integer("Unique ID"))
        if number not in by_number:
            raise row.fault("Unique ID", f"names no Row Number of the test set: {number}")
        if row.text("Ground Truth Answer").strip() != _UNANSWERABLE:
            problem = by_number[number]
            gold = _corrected_gold(row, int(problem.strata["calculator_id"]))
            made.append(replace(problem, gold=gold))
    unique(made, source.rows)
    found = content_hash(_content(row, _CORRECTED_FIELDS) for row in source.rows)
    note = (
        f"corrected labels of {source.label} (content hash {found[:12]}): {len(made)} of "
        f"{len(problems)} problems; the audit covers {len(source.rows)} and calls "
        f"{len(source.rows) - len(made)} unanswerable"
    )
    mismatch = compare(_KNOWN_CORRECTED, len(source.rows), found, "check options.corrected_path")
    return tuple(made), (note, *(f"corrected labels: {text}" for text in mismatch))


def _corrected_gold(row: Row, calculator: int) -> Gold:
    """The audit asks gestational ages in days; we keep the published question's weeks and days."""
    if calculator != WEEKS_DAYS:
        return _gold(row, calculator)
    weeks, days = divmod(row.integer("Ground Truth Answer"), 7)
    return Gold(GoldKind.WEEKS_DAYS, f"('{weeks} weeks', '{days} days')")
