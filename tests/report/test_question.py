"""A question that only its file and the list of questions know: rows, columns, words, chart."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest
from rich.console import Console

from distlab.report import build_report, questions, render_terminal, write_report
from distlab.report.questions.order import QUESTIONS
from distlab.report.table import Table
from docs.examples.own_question import QUESTION
from tests.report.answers import COT, PROBLEMS, WARM, arm
from tests.runs.written import Make


def test_a_question_and_its_table_stand_in_one_place(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("build", "findings", "summary"):
        monkeypatch.setattr(f"distlab.report.{module}.QUESTIONS", (*QUESTIONS, QUESTION))
    run = make_run([COT, WARM], PROBLEMS, [*arm(COT, 30), *arm(WARM, 10)])
    study = build_report(run)
    page = write_report(run, study).read_text(encoding="utf-8")
    text = (run / "report.md").read_text(encoding="utf-8")
    for shown in (page, text):
        assert "What stays unsolved?" in shown
        assert "base/cot leaves 25.0 per cent unsolved." in shown
        assert "Problems that stay unsolved, per cent" in shown
        assert "share of problems without a correct sample." in shown
    assert '<a href="#shortfall">' in page
    with (run / "results" / "shortfall.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [
        {"arm": "base/cot", "unsolved": "0.25"},
        {"arm": "instruct/t0.05", "unsolved": "0.75"},
    ]
    names = {file.name for file in (run / "results").rglob("shortfall.*")}
    kinds = ("parquet", "csv", "md", "tex", "svg", "png")
    assert names == {f"shortfall.{kind}" for kind in kinds}
    out = io.StringIO()
    render_terminal(study, Console(file=out, width=80))
    shown = out.getvalue().split("Shortfall")[1]
    assert "25.0" in shown
    assert "75.0" not in shown


def _tables() -> Iterator[tuple[str, Table[object]]]:
    """Every table that a module of the report defines, with the name of the constant."""
    names = [f"distlab.report.questions.{found.name}" for found in iter_modules(questions.__path__)]
    for name in (*names, "distlab.report.gap_table", "distlab.report.score_table"):
        for constant, value in vars(import_module(name)).items():
            if isinstance(value, Table):
                yield constant, value


def test_a_table_has_one_name() -> None:
    assert {(constant, table.name.upper()) for constant, table in _tables()} == {
        (table.name.upper(), table.name.upper())
        for question in QUESTIONS
        for table in question.tables
    }


def test_names_are_unique() -> None:
    tables = Counter(table.name for question in QUESTIONS for table in question.tables)
    sections = Counter(question.name for question in QUESTIONS)
    assert max(*tables.values(), *sections.values()) == 1


def test_every_question_is_asked() -> None:
    modules = {question.statements.__module__ for question in QUESTIONS}
    files = {f"distlab.report.questions.{found.name}" for found in iter_modules(questions.__path__)}
    assert files - modules == {"distlab.report.questions.order"}
