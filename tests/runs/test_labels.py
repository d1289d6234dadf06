from pathlib import Path

import numpy as np
import pytest

from distlab.errors import UserError
from distlab.runs.folder import RunFolder
from distlab.runs.labels import Labels, judge_of, read_labels, write_labels
from distlab.runs.verdicts import read_study
from distlab.scoring.types import CORRECT, INCORRECT, NO_VERDICT
from distlab.view.index import RunIndex
from tests.runs.written import Make, Samples, make_cell, make_problem, make_run

__all__ = ["make_run"]

CELL = make_cell("base/t0.6", n=3)


@pytest.fixture
def labelled(make_run: Make) -> Path:
    """Three samples of one of two problems, under two extractors, and labels of those and more."""
    rows = [Samples(CELL, "a", "10-", extractor=extractor) for extractor in ("rules", "other")]
    run = make_run([CELL], [make_problem("a"), make_problem("b")], rows)
    names, ranks = ["a", "a", "a", "a", "b", "gone"], [0, 1, 2, 3, 0, 0]
    said = np.array([False, False, True, True, True, True])
    write_labels(RunFolder(run), Labels(CELL.key, judge_of("score"), names, np.array(ranks), said))
    return run


def test_labels_stand_beside_verdicts_under_each_extractor(labelled: Path) -> None:
    study = read_study([labelled])
    assert [(table.extractor, table.grader) for table in study.tables] == [
        ("other", "given:score"),
        ("other", "standard"),
        ("rules", "given:score"),
        ("rules", "standard"),
    ]
    for table in study.tables[::2]:
        np.testing.assert_array_equal(
            table.codes, [[INCORRECT, INCORRECT, CORRECT], [NO_VERDICT] * 3]
        )
    assert study.remarks == ()


def test_the_view_shows_labels_as_a_grader(labelled: Path) -> None:
    index = RunIndex.open(labelled)
    (cell,) = index.cell_counts()
    assert cell.correct["rules", "given:score"] == cell.correct["other", "given:score"] == (1, 3)
    assert cell.correct["rules", "standard"] == (1, 3)


def test_damaged_labels_are_one_sentence(labelled: Path) -> None:
    (file,) = RunFolder(labelled).label_files()
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"cannot be read .* ingest the samples again with --into"):
        read_labels(file)
