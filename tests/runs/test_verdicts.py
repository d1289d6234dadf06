from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.errors import UserError
from distlab.runs.scores import problem_scores
from distlab.runs.verdicts import read_study
from distlab.scoring.types import CORRECT, INCORRECT, NO_ANSWER, NO_VERDICT
from tests.runs.written import Make, Samples, make_cell, make_problem, write_verdicts

CELL = make_cell(n=3)
PROBLEMS = [make_problem("a"), make_problem("b")]


def test_rows_land_by_problem_and_rank(make_run: Make) -> None:
    rows = [Samples(CELL, "b", "10-", deltas=(0.5, None, 0.25), truncated=True)]
    study = read_study([make_run([CELL], PROBLEMS, rows)])
    (table,) = study.tables
    np.testing.assert_array_equal(table.codes, [[NO_VERDICT] * 3, [CORRECT, INCORRECT, NO_ANSWER]])
    np.testing.assert_array_equal(table.facts.present, [[False] * 3, [True] * 3])
    np.testing.assert_array_equal(table.facts.deltas[1], [0.5, np.nan, 0.25])
    assert table.facts.truncated.sum() == 3
    assert table.facts.answers[1, 2] == -1
    assert len(set(table.facts.answers[1])) == 3


def test_each_extractor_votes_with_its_own_deltas(make_run: Make) -> None:
    cell = make_cell("base/cot", n=3)
    rows = [
        Samples(cell, "a", "100", ("7", "8", "8"), (0.9, 0.5, 0.3), extractor="rules"),
        Samples(cell, "a", "100", ("7", "8", "8"), (0.2, 0.5, 0.3), extractor="llm"),
    ]
    study = read_study([make_run([cell], PROBLEMS[:1], rows)])
    found = {table.extractor: problem_scores(table) for table in study.tables}
    assert [found[name].largest_delta.tolist() for name in ("rules", "llm")] == [[1], [0]]
    assert [found[name].aggregate_delta.tolist() for name in ("rules", "llm")] == [[1], [0]]
    assert study.remarks == ()


def test_answers_without_a_delta_are_told_by_cell_and_extractor(make_run: Make) -> None:
    cell, draws = make_cell("base/cot", n=3), make_cell("base/t0.05", n=3)
    rows = [
        Samples(cell, "a", "10-", deltas=(0.5, None, None), extractor="llm"),
        Samples(cell, "a", "10-", deltas=(0.5, 0.25, None), extractor="rules"),
        Samples(draws, "a", "111"),
    ]
    (remark,) = read_study([make_run([cell, draws], PROBLEMS[:1], rows)]).remarks
    assert remark.startswith(f"{cell.key}: 1 of the 2 answers that “llm” read have no Delta")


@pytest.mark.parametrize(
    ("verdicts", "deltas", "score"),
    [
        ("11-", (None, None, None), np.nan),
        ("11-", (None, None, 0.5), np.nan),
        ("11-", (None, 0.5, None), 1.0),
        ("---", (None, None, None), 0.0),
    ],
)
def test_where_no_answer_has_a_delta_there_is_no_max_and_no_agg(
    make_run: Make, verdicts: str, deltas: tuple[float | None, ...], score: float
) -> None:
    cell = make_cell("base/cot", n=3)
    rows = [Samples(cell, "a", verdicts, deltas=deltas)]
    (table,) = read_study([make_run([cell], PROBLEMS[:1], rows)]).tables
    found = problem_scores(table)
    np.testing.assert_array_equal([found.largest_delta, found.aggregate_delta], [[score]] * 2)


def test_deltas_that_came_with_their_samples_are_told_by_cell(make_run: Make) -> None:
    cell = make_cell("base/cot", n=3)
    rows = [
        Samples(cell, "a", "111", deltas=(0.5, 0.25, 0.5), deltas_given=True, grader=grader)
        for grader in ("standard", "other")
    ]
    rows.append(Samples(cell, "b", "111", deltas=(0.5, 0.25, 0.5)))
    (remark,) = read_study([make_run([cell], PROBLEMS, rows)]).remarks
    assert remark.startswith(f"{cell.key}: the Deltas of 3 of its 6 samples came with them")


def test_in_a_verdict_file_of_version_1_every_delta_was_given(make_run: Make) -> None:
    cell = make_cell("base/cot", n=3)
    run = make_run([cell], PROBLEMS, [Samples(cell, "a", "11-", deltas=(0.5, 0.25, None))])
    (file,) = (run / "verdicts").iterdir()
    pq.write_table(pq.read_table(file).drop_columns("delta_given"), file)
    study = read_study([run])
    np.testing.assert_array_equal(study.tables[0].facts.deltas[0], [0.5, 0.25, np.nan])
    (remark,) = study.remarks
    assert "the Deltas of 2 of its 3 samples came with them" in remark


def without_classes(run: Path) -> None:
    """Make the verdict files of a run those of version 2."""
    for file in (run / "verdicts").iterdir():
        pq.write_table(pq.read_table(file).drop_columns("answer_class"), file)


def test_answers_of_one_class_are_one_in_votes(make_run: Make) -> None:
    answers = ("9", "1,000", "9", "1000", "1000.0")
    cell = make_cell("base/t0.7", n=5)
    run = make_run([cell], PROBLEMS[:1], [Samples(cell, "a", "01011", answers)])
    (file,) = (run / "verdicts").iterdir()
    table = pq.read_table(file)
    place = table.schema.get_field_index("answer_class")
    classes = pa.array([0, 1, 0, 1, 1], pa.int32())
    pq.write_table(table.set_column(place, table.schema.field(place), classes), file)
    study = read_study([run])
    assert study.remarks == ()
    np.testing.assert_array_equal(problem_scores(study.tables[0]).majority, [1])

    without_classes(run)
    older = read_study([run])
    np.testing.assert_array_equal(problem_scores(older.tables[0]).majority, [0])
    (remark,) = older.remarks
    assert "did not compare answers" in remark
    assert "`distlab score`" in remark


def test_equal_answers_over_files_of_version_2_have_equal_codes(make_run: Make) -> None:
    run = make_run([CELL], PROBLEMS, [Samples(CELL, "a", "111", ("7", "7", "x" * 10_000))])
    write_verdicts(run / "verdicts", [Samples(CELL, "b", "100", ("7", "8", None))], "part-1")
    without_classes(run)
    (table,) = read_study([run]).tables
    answers = table.facts.answers
    assert answers[0, 0] == answers[0, 1] == answers[1, 0]
    assert answers[0, 2] != answers[1, 1]
    assert answers[1, 2] == -1


def test_judges_come_in_the_order_of_the_config(make_run: Make) -> None:
    rows = [
        Samples(CELL, "a", "111", grader=grader, extractor=extractor)
        for grader in ("alpha", "standard", "beta")
        for extractor in ("llm", "rules")
    ]
    config = {"grader": {"use": {"standard": {}, "beta": {}}}, "extractor": {"use": {"rules": {}}}}
    tables = read_study([make_run([CELL], PROBLEMS, rows, config=config)]).tables
    assert [(t.extractor, t.grader) for t in tables] == [
        (extractor, grader)
        for extractor in ("rules", "llm")
        for grader in ("standard", "beta", "alpha")
    ]
    assert tables[0].facts is tables[1].facts


def test_odd_rows_are_counted_and_left_out(make_run: Make) -> None:
    deltas = (0.5,) * 8
    rows = [
        Samples(CELL, "a", "111", deltas=deltas),
        Samples(CELL, "a", "000", deltas=deltas),
        Samples(CELL, "nobody", "1"),
        Samples(make_cell("base/greedy"), "a", "11"),
        Samples(CELL, "b", "00011111", deltas=deltas),
    ]
    study = read_study([make_run([CELL], PROBLEMS, rows)])
    (table,) = study.tables
    np.testing.assert_array_equal(table.codes, [[INCORRECT] * 3] * 2)
    assert len(study.remarks) == 3
    assert study.remarks[0].startswith("1 verdict rows are of a problem")
    assert study.remarks[1].startswith("2 verdict rows are of a cell")
    assert study.remarks[2].startswith("3 verdict rows repeat")


def test_no_verdicts(make_run: Make) -> None:
    assert read_study([make_run([CELL], PROBLEMS)]).tables == ()


def test_not_a_run_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"manifest\.json"):
        read_study([tmp_path])


def test_broken_files(make_run: Make) -> None:
    run = make_run([CELL], PROBLEMS, [Samples(CELL, "a", "111")])
    file = run / "verdicts" / "part-0.parquet"
    whole = pq.read_table(file)
    pq.write_table(whole.drop_columns(["rank"]), file)
    with pytest.raises(UserError, match="no column `rank`"):
        read_study([run])
    strange = pa.array(["maybe"] * len(whole)).dictionary_encode()
    place = whole.schema.get_field_index("verdict")
    pq.write_table(whole.set_column(place, "verdict", strange), file)
    with pytest.raises(UserError, match="unknown verdict 'maybe'"):
        read_study([run])
    file.write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match="cannot be read"):
        read_study([run])


def test_arms_whose_ids_are_spelt_differently_are_named(make_run: Make) -> None:
    base, instruct = make_cell("base/t0.6", n=2), make_cell("instruct/t0.6", n=2)
    problems = [make_problem(name) for name in ("0", "0.0", "both")]
    rows = [
        *(Samples(base, name, "10") for name in ("0", "both")),
        *(Samples(instruct, name, "11") for name in ("0.0", "both")),
    ]
    (remark,) = read_study([make_run([base, instruct], problems, rows)]).remarks
    assert remark == (
        f"{base.key} and {instruct.arm} spell 1 ids of {base.dataset} differently ('0' and '0.0'), "
        "so these problems do not pair: write the ids alike, and ingest again."
    )
