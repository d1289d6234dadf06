"""StudyTables in; the text of report.md out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from distlab.escape import markdown, plain
from distlab.report.page.facts import cell_facts, dataset_facts, run_facts, token_facts
from distlab.report.page.prose import methods
from distlab.report.question import Finding, Statement
from distlab.report.table import StudyTables
from distlab.tables.markdown import table
from distlab.tables.text import TextTable, lay_texts

# Failed problems listed by name, and rows of a table that are shown (ours); all are in the
# manifest, and in ``results/``.
_FAILURES_LISTED: Final = 20
_MOST_ROWS: Final = 100


def render_markdown(study: StudyTables, findings: Sequence[Finding]) -> str:
    """The whole report.

    Args:
        study: The tables; text in them is escaped here.
        findings: The questions and their answers.
    """
    parts = [
        _opening(study),
        *(_finding(finding) for finding in findings if finding.has_answer),
        _section("What cannot be said", _unsaid(study, findings)),
        _section("Failed problems", _failures(study)),
        _section("What the columns mean", "".join(map(_terms, findings))),
        _section("Methods", _bullets(methods(study.manifest))),
        _section("Cells", table(cell_facts(study))),
        _section("New tokens drawn", table(token_facts(study))) if study.manifest.tokens else "",
        _section("Datasets", table(dataset_facts(study))),
        _section("Versions and timings", table(run_facts(study))),
    ]
    return "\n".join(part for part in parts if part)


def _finding(finding: Finding) -> str:
    said = "".join(_statement(statement) for statement in finding.statements)
    return _section(finding.question, said, *map(_captioned, finding.tables))


def _unsaid(study: StudyTables, findings: Sequence[Finding]) -> str:
    """Questions without an answer, and what the data lacks."""
    unanswered = "".join(
        f"- **{markdown(finding.question, None)}** {markdown(finding.why_not, None)}\n"
        for finding in findings
        if not finding.has_answer
    )
    return unanswered + _bullets((*study.cannot, *study.remarks))


def _statement(statement: Statement) -> str:
    lines = [f"- {markdown(statement.text, None)}"]
    lines += [f"  - **{markdown(f'Warning: {text}', None)}**" for text in statement.warnings]
    lines += [f"  - {markdown(text, None)}" for text in statement.controls]
    return "".join(f"{line}\n" for line in lines)


def _terms(finding: Finding) -> str:
    return "".join(f"- **{titles}**: {meaning}\n" for titles, meaning in finding.terms)


def _captioned(text: TextTable) -> str:
    if not text.rows:
        return ""
    shown = table(replace(text, rows=text.rows[:_MOST_ROWS]))
    more = len(text.rows) - _MOST_ROWS
    rest = f"\n{more} more rows are in `results/{text.name}.csv`.\n" if more > 0 else ""
    return f"{markdown(text.caption, None)}:\n\n{shown}{rest}"


def _section(title: str, *bodies: str) -> str:
    kept = [body for body in bodies if body]
    return "\n".join([f"## {title}", "", *kept]) if kept else ""


def _bullets(sentences: Iterable[str]) -> str:
    return "".join(f"- {markdown(sentence, None)}\n" for sentence in sentences)


def _opening(study: StudyTables) -> str:
    doubts = [f"**{markdown(f'Warning: {text}', None)}**" for text in study.doubts]
    notes = [markdown(note, None) for note in study.manifest.notes]
    quoted = "".join(f"> {line}\n>\n" for line in (*doubts, *notes))
    command = plain(study.manifest.command, None)
    return f"# {markdown(study.manifest.run)}\n\n{quoted}\nCommand:\n\n    {command}\n"


def _failures(study: StudyTables) -> str:
    failures = study.manifest.failures
    listed = [(row.cell, row.problem_id, row.error) for row in failures[:_FAILURES_LISTED]]
    shown = table(lay_texts("failures", "Failed problems", ("cell", "problem", "error"), listed))
    more = len(failures) - len(listed)
    return f"{shown}\n{more} more are in the manifest.\n" if more else shown
