"""StudyTables and findings in; report.html out: one file that asks nobody for anything."""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from distlab.escape import plain
from distlab.report.charts.kinds import Chart, LineChart, SizeChart, describe, lines_of
from distlab.report.charts.live import figure_json
from distlab.report.charts.pictures import Picture
from distlab.report.page.board import first_screen
from distlab.report.page.facts import cell_facts, dataset_facts, run_facts, token_facts
from distlab.report.page.prose import methods
from distlab.report.page.words import WORDS, button, glossed
from distlab.report.question import Finding, Statement
from distlab.report.table import StudyTables
from distlab.tables.latex import latex_escapes
from distlab.tables.text import TextTable, lay_texts

# Rows of a table that the page holds, and answers to a question that it shows at once: fewer where
# there are many (ours).
_MOST_ROWS: Final = 200
_MOST_STATEMENTS, _FEW_STATEMENTS, _MANY_STATEMENTS = 4, 1, 12
# Figures of a question up to which they are shown at once (ours); the others open at a click.
_MOST_FIGURES: Final = 2
# Marks above each other up to which a figure is shown at once (ours); a longer one is folded.
_SHOWN_LINES: Final = 50
# Characters of a cell (ours); ``results/`` has the whole text.
_CELL_CHARACTERS: Final = 300
_FAILURES_LISTED: Final = 20
_NONE: Final = "'none'"


@dataclass(frozen=True, slots=True)
class _PageChart:
    """A chart as the page takes it: a picture, and the data of the live figure."""

    title: str
    description: str
    svg: str
    figure: str
    is_long: bool
    is_wide: bool


@dataclass(frozen=True, slots=True)
class _Section:
    """A finding with its charts and tables.

    Attributes:
        finding: The finding.
        shown: Figures that are seen at once.
        folded: The others.
        tables: Those with rows.
        said: Answers that are seen at once.
        more_said: The others.
        words: The words of ours that are explained where they come first.
    """

    finding: Finding
    shown: tuple[_PageChart, ...]
    folded: tuple[_PageChart, ...]
    tables: tuple[TextTable, ...]
    said: tuple[Statement, ...]
    more_said: tuple[Statement, ...]
    words: set[str]


def render_page(
    study: StudyTables,
    findings: Sequence[Finding],
    pictures: Mapping[str, Picture],
) -> str:
    """The whole page.

    Every text goes through ``escape.plain`` and is then escaped for HTML; the page's policy lets
    two scripts run, by their hashes, and lets none of them reach the network.

    Args:
        study: The tables.
        findings: The questions and their answers.
        pictures: Each chart's picture, by the chart's name.
    """
    sections = [_section(finding, pictures) for finding in findings if finding.has_answer]
    manifest = study.manifest
    failed = [(row.cell, row.problem_id, row.error) for row in manifest.failures]
    js = _asset("page.js")
    is_live = any(finding.charts for finding in findings)
    return _template().render(
        title=f"distlab: {manifest.run}",
        first=first_screen(study, findings),
        sides=study.sides,
        run=manifest.run,
        policy=_policy([get_plotlyjs(), js] if is_live else [js]),
        css=Markup(_asset("page.css")),
        js=js,
        plotly=_packed_plotly() if is_live else "",
        notes=manifest.notes,
        sections=sections,
        cannot=(*study.cannot, *study.remarks),
        unanswered=[finding for finding in findings if not finding.has_answer],
        failures=lay_texts(
            "failures",
            "Failed problems",
            ("cell", "problem", "error"),
            failed[:_FAILURES_LISTED],
        ),
        failed=len(failed),
        methods=methods(manifest),
        glossary=[term for finding in findings for term in finding.terms],
        commands=manifest.command.split("\n"),
        facts=[
            cell_facts(study),
            *([token_facts(study)] if manifest.tokens else []),
            dataset_facts(study),
            run_facts(study),
        ],
        most_rows=_MOST_ROWS,
        words=WORDS,
        latex=json.dumps(dict(latex_escapes())).replace("<", "\\u003c"),
    )


def _section(finding: Finding, pictures: Mapping[str, Picture]) -> _Section:
    charts = [_draw(chart, pictures[chart.name]) for chart in finding.charts]
    shown = [chart for chart in charts if not chart.is_long]
    # What takes the whole width stands alone.
    most = 1 if shown and shown[0].is_wide else _MOST_FIGURES
    answers = finding.statements
    seen = _FEW_STATEMENTS if len(answers) > _MANY_STATEMENTS else _MOST_STATEMENTS
    return _Section(
        finding,
        tuple(shown[:most]),
        tuple(chart for chart in charts if chart not in shown[:most]),
        tuple(map(_folded, (table for table in finding.tables if table.rows))),
        answers[:seen],
        answers[seen:],
        set(WORDS),
    )


def _folded(text: TextTable) -> TextTable:
    """A label that every row shares moves into the caption and is folded away."""
    first, *others = text.rows
    shared = [
        place > 0 and not number and bool(others) and len({row[place] for row in text.rows}) == 1
        for place, number in enumerate(text.numbers)
    ]
    named = (f"{text.titles[at]} {first[at]}" for at, is_shared in enumerate(shared) if is_shared)
    return replace(
        text,
        caption="; ".join((text.caption, *named)),
        spare=tuple(a or b for a, b in zip(text.spare, shared, strict=True)),
    )


def _draw(chart: Chart, picture: Picture) -> _PageChart:
    return _PageChart(
        title=chart.title,
        description=describe(chart),
        svg=picture.svg,
        # Inside a script element nothing but its end tag has a meaning.
        figure=figure_json(chart).replace("<", "\\u003c"),
        is_long=lines_of(chart) > _SHOWN_LINES,
        is_wide=isinstance(chart, LineChart | SizeChart) and len(chart.panels) > 1,
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["glossed"] = glossed
    environment.filters["button"] = button
    environment.filters["shown"] = lambda text: plain(text, _CELL_CHARACTERS)
    return environment.from_string(_asset("page.html.j2"))


def _finalize(value: object) -> object:
    """What is not markup of our own shows no control character."""
    return plain(value, None) if isinstance(value, str) and not isinstance(value, Markup) else value


def _asset(name: str) -> str:
    return files("distlab.report").joinpath("page", name).read_text(encoding="utf-8")


@cache
def _packed_plotly() -> Markup:
    """plotly.js, gzipped, as base64; the clock is left out so that equal reports are equal."""
    packed = gzip.compress(get_plotlyjs().encode(), compresslevel=9, mtime=0)
    return Markup(base64.b64encode(packed).decode())


def _policy(scripts: Sequence[str]) -> str:
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    ]
    return (
        f"default-src 'none'; script-src {' '.join(hashes or [_NONE])}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
