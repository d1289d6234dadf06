from dataclasses import replace
from pathlib import Path

import pytest

from distlab.report import build_report
from distlab.report.questions.formats import FORMATS
from distlab.report.table import StudyTables
from distlab.store.cell import Cell
from tests.report.answers import answers
from tests.report.prompted import fields
from tests.runs.written import Make, Samples, make_cell, make_problem

PROBLEMS = [make_problem(f"p{i:03d}") for i in range(200)]
ARMS = ("base/cot", "base/t0.05", "instruct/cot", "instruct/t0.05")
CELLS = {
    (arm, prompt): replace(make_cell(arm), prompt=prompt)
    for arm in ARMS
    for prompt in ("plain", "chat")
}
Effects = dict[str, int]


def solved(cell: Cell, effects: Effects) -> int:
    """Problems that an arm solves: effects add up, on top of 40."""
    return 40 + sum(
        by for name, by in effects.items() if name in (cell.variant, cell.prompt, cell.decoding)
    )


def written(make_run: Make, effects: Effects, **prompt: str) -> Path:
    rows = [
        Samples(cell, problem.id, "0001" if place < solved(cell, effects) else "0000")
        for cell in CELLS.values()
        for place, problem in enumerate(PROBLEMS)
    ]
    prints = {
        cell.key: fields(cell, format=cell.prompt, **({} if cell.prompt == "plain" else prompt))
        for cell in CELLS.values()
    }
    return make_run(list(CELLS.values()), PROBLEMS, rows, fingerprints=prints)


def said(study: StudyTables) -> str:
    (found,) = answers(study, "formats")
    return " ".join([found.text, *found.controls])


def test_the_gap_is_split_in_three_and_their_interactions(make_run: Make) -> None:
    study = build_report(written(make_run, {"instruct": 20, "chat": 60, "t0.05": -20}))
    (row,) = study.rows(FORMATS)
    assert (row.base.prompt, row.base.decoding) == ("plain", "cot")
    assert (row.instruct.prompt, row.instruct.decoding) == ("chat", "t0.05")
    assert row.split.total.value == pytest.approx(0.3)
    parts = {name: part.value for name, part in row.named}
    assert parts == pytest.approx(
        {"checkpoint": 0.1, "format": 0.3, "decoding": -0.1, "interactions": 0}
    )
    text = said(study)
    assert "of a gap of +30.0 (" in text
    assert "points in Pass@4 the checkpoint makes +10.0 (" in text
    assert "Told from zero: checkpoint, format, decoding." in text
    assert "Cannot be told from zero here: interactions." in text
    assert FORMATS.as_records(study)[0]["part"] == "gap"


@pytest.mark.parametrize(
    ("effects", "sentence"),
    [
        ({"instruct": 0, "chat": 100}, "The format explains it away: with plain text for both"),
        ({"instruct": 100, "chat": 0}, "The format does not explain it away: with plain text"),
        ({"instruct": 9, "chat": 60}, "Whether the format explains it away cannot be told apart"),
        ({"instruct": -30, "chat": 120}, "The format explains more than all of it: "),
    ],
)
def test_whether_the_format_explains_the_gap_away(
    make_run: Make, effects: Effects, sentence: str
) -> None:
    assert sentence in said(build_report(written(make_run, effects)))


def test_nothing_is_explained_where_no_gap_is_told(make_run: Make) -> None:
    assert "explain" not in said(build_report(written(make_run, {})))


@pytest.mark.parametrize("other", [{"instruction": "Prove it."}, {"exemplars": '["e1"]'}])
def test_styles_that_differ_in_more_than_the_format_are_not_crossed(
    make_run: Make, other: dict[str, str]
) -> None:
    study = build_report(written(make_run, {"chat": 60}, **other))
    assert not study.rows(FORMATS)
    assert "run with prompt=crossed" in said(study)


def test_what_a_chat_template_adds_is_of_the_format(make_run: Make) -> None:
    lent = {"chat_template_of": "org/instruct", "chat_template_sha256": "f00d"}
    assert build_report(written(make_run, {"chat": 60}, **lent)).rows(FORMATS)


@pytest.mark.parametrize(
    ("formats", "part"),
    [
        (("plain", "chat"), "the model with its prompt format (plain for base, chat for instruct)"),
        (("chat", "chat"), "points the model makes"),
        ((None, None), "the model with its prompt format makes"),
    ],
)
def test_the_model_part_says_whether_the_format_is_in_it(
    make_run: Make, formats: tuple[str | None, str | None], part: str
) -> None:
    cells = [make_cell(arm) for arm in ARMS]
    rows = [
        Samples(cell, problem.id, "0001" if place < 20 + 20 * (cell.variant == "base") else "0000")
        for cell in cells
        for place, problem in enumerate(PROBLEMS[:60])
    ]
    named = dict(zip(("base", "instruct"), formats, strict=True))
    prints = {c.key: fields(c, format=named[c.variant]) for c in cells if named[c.variant]}
    study = build_report(make_run(cells, PROBLEMS[:60], rows, fingerprints=prints))
    (decoding,) = answers(study, "decoding")
    assert part in decoding.text
    caveat = "holds the prompt's format, too (plain for base/cot, chat for instruct/t0.05)"
    controls = " ".join(answers(study, "gap")[0].controls)
    assert (caveat in controls) == (formats == ("plain", "chat"))
