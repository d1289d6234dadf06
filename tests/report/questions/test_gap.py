"""What the report says of the gap, and when a control takes it back."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from distlab.report import build_report
from distlab.report.charts.kinds import IntervalChart
from distlab.report.gap_table import GAPS
from distlab.report.question import Statement
from distlab.report.questions.guessing import BEYOND_NULL, NULLS
from distlab.report.table import StudyTables
from distlab.runs.folder import RunFolder
from distlab.scoring.cache import commit
from distlab.scoring.verdict_schema import NULLS as NULL_VERDICTS
from distlab.store.cell import ProblemFailure
from tests.report.answers import COT, CROSSED, PROBLEMS, WARM, answers, arm, chart_of
from tests.runs.written import Make, Samples


def gap(run: Path) -> Statement:
    (statement,) = answers(build_report(run), "gap")
    return statement


def warned(statement: Statement, words: str) -> bool:
    return any(words in warning for warning in statement.warnings)


def controlled(statement: Statement, words: str) -> bool:
    return any(words in control for control in statement.controls)


def test_a_winner_is_named_by_its_interval(make_run: Make) -> None:
    run = make_run([COT, WARM], PROBLEMS, [*arm(COT, 30, start=99), *arm(WARM, 10, start=99)])
    said = gap(run)
    assert said.text.startswith("tiny on gsm-symbolic (zero-shot): the base arm solves more.")
    assert "−50.0 (−65.0 to −35.0) points over 40 problems" in said.text
    assert controlled(said, "The exact McNemar test: p < 0.001")
    assert warned(said, "run again with decoding=grid")
    assert not warned(said, "explain")


def test_no_winner_says_what_could_go_unseen(make_run: Make) -> None:
    run = make_run([COT, WARM], PROBLEMS, [*arm(COT, 20), *arm(WARM, 18)])
    said = gap(run)
    assert "neither arm is shown to solve more" in said.text
    assert "would mostly go unseen" in said.text


def test_decoding_explains_it_away(make_run: Make) -> None:
    rows = [*arm(COT, 30), *arm(WARM, 10), *arm(CROSSED[0], 10), *arm(CROSSED[1], 30)]
    run = make_run([COT, WARM, *CROSSED], PROBLEMS, rows)
    assert warned(gap(run), "Decoding explains it away: with both variants decoded as cot")
    (split,) = answers(build_report(run), "decoding")
    assert "the part of the decoding is told from zero" in split.text


def test_a_gap_that_decoding_does_not_explain_is_left_alone(make_run: Make) -> None:
    rows = [*arm(COT, 30), *arm(WARM, 10), *arm(CROSSED[0], 30), *arm(CROSSED[1], 10)]
    said = gap(make_run([COT, WARM, *CROSSED], PROBLEMS, rows))
    assert not warned(said, "Decoding")
    assert controlled(said, "In parts: model −50.0")


def test_answers_without_reasoning_explain_it_away(make_run: Make) -> None:
    rows = [*arm(COT, 30, start=2), *arm(WARM, 10, start=2)]
    assert warned(gap(make_run([COT, WARM], PROBLEMS, rows)), "Answers without reasoning explain")


@pytest.mark.parametrize(("guessed", "warns"), [(30, True), (2, False)])
def test_the_winner_beside_the_null_model(make_run: Make, guessed: int, warns: bool) -> None:
    run = make_run([COT, WARM], PROBLEMS, [*arm(COT, 30), *arm(WARM, 10)])
    verdicts = [
        {"problem_id": p.id, "answer": answer, "grader": "standard", "verdict": verdict}
        for place, p in enumerate(PROBLEMS)
        for answer in range(20)
        for verdict in ["correct" if answer == 1 and place < guessed else "incorrect"]
    ]
    file = RunFolder(run).nulls(COT.dataset)
    file.parent.mkdir()
    commit(pa.Table.from_pylist(verdicts, schema=NULL_VERDICTS), file)
    said = gap(run)
    assert warned(said, "base/cot is not shown to solve more than answering 0 to 3") is warns
    assert controlled(said, "base/cot solves more than answering 0 to 3") is not warns
    study = build_report(run)
    assert study.rows(NULLS)[0].solved.value == guessed / 40
    assert study.rows(BEYOND_NULL)[0].excess.value == pytest.approx((30 - guessed) / 40)


def test_the_winner_depends_on_the_judge(make_run: Make) -> None:
    rows = [*arm(COT, 30), *arm(WARM, 10)]
    rows += [*arm(COT, 10, grader="strict"), *arm(WARM, 30, grader="strict")]
    run = make_run([COT, WARM], PROBLEMS, rows)
    wanted = "rules / standard says base, rules / strict says instruct"
    assert warned(gap(run), wanted)
    said = answers(build_report(run), "judges")
    assert said[0].text.endswith("rules / standard: base, rules / strict: instruct.")
    assert warned(said[0], "Even the sign")


def test_the_exact_test_does_not_confirm(make_run: Make) -> None:
    few = PROBLEMS[:6]
    rows = [Samples(COT, p.id, "0001") for p in few]
    rows += [Samples(WARM, p.id, "0001" if place == 0 else "0000") for place, p in enumerate(few)]
    assert warned(gap(make_run([COT, WARM], few, rows)), "The interval alone names a winner")


def test_failed_problems_decide(make_run: Make) -> None:
    rows = [*arm(COT, 40), *arm(WARM, 40)]
    failed = {p.id for p in PROBLEMS[:15]}
    rows = [row for row in rows if row.cell != WARM or row.problem not in failed]
    failures = [ProblemFailure(WARM.key, name, "too long") for name in failed]
    said = gap(make_run([COT, WARM], PROBLEMS, rows, failures))
    assert warned(said, "Failed problems count as unsolved and decide it: over the 25 problems")


def test_unlike_samples_are_named(make_run: Make) -> None:
    rows = [*arm(COT, 30), *arm(WARM, 10, truncated=True)]
    assert warned(gap(make_run([COT, WARM], PROBLEMS, rows)), "are cut off at max_tokens")


def test_the_winner_turns_with_the_score(make_run: Make) -> None:
    rows = [*arm(COT, 30)]
    rows += [Samples(WARM, p.id, "1111" if i < 15 else "0000") for i, p in enumerate(PROBLEMS)]
    said = gap(make_run([COT, WARM], PROBLEMS, rows))
    assert "the base arm solves more" in said.text
    assert warned(said, "The winner turns with the score: pass@1 +37.5")


def test_shared_sources_widen_the_interval(make_run: Make) -> None:
    problems = [replace(p, cluster=str(place // 10)) for place, p in enumerate(PROBLEMS)]
    rows = [*arm(COT, 10), *arm(WARM, 0)]
    said = gap(make_run([COT, WARM], problems, rows))
    assert warned(said, "Problems share 4 sources")


def test_unfinished_problems_are_said(make_run: Make) -> None:
    rows = [*arm(COT, 30), *arm(WARM, 10)[:35]]
    assert warned(gap(make_run([COT, WARM], PROBLEMS, rows)), "5 of 40 problems of instruct/t0.05")


def test_gaps_stand_beside_the_papers(full_study: StudyTables) -> None:
    chart = chart_of(full_study, "gaps")
    assert isinstance(chart, IntervalChart)
    marks = {series.name: {m.label: m.value for m in series.marks} for series in chart.series}
    label = "qwen3-8b on gsm8k (zero-shot)"
    assert marks["the paper, standard"][label] == pytest.approx(67.93 - 97.65)
    (row,) = (
        row
        for row in full_study.rows(GAPS)
        if row.primary
        and row.headline
        and row.judge.grader == "standard"
        and (row.base.dataset, row.base.prompt) == ("gsm8k", "zero-shot")
    )
    assert marks["rules / standard"][label] == pytest.approx(100 * row.gap.difference.value)
