"""What the report says of the gap, and when a control takes it back."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from distlab.report import build_report
from distlab.report.charts.kinds import IntervalChart
from distlab.report.gap_table import GAPS
from distlab.report.margins import AskedMargins
from distlab.report.question import Statement
from distlab.report.questions.guessing import BEYOND_NULL, NULLS
from distlab.report.table import StudyTables
from distlab.runs.folder import RunFolder
from distlab.scoring.cache import commit
from distlab.scoring.verdict_schema import NULLS as NULL_VERDICTS
from distlab.store.cell import ProblemFailure
from tests.report.answers import COT, CROSSED, PROBLEMS, WARM, answers, arm, chart_of
from tests.runs.written import Make, Samples, make_problem


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
    assert said.text.startswith(
        "tiny on gsm-symbolic (zero-shot): the base arm solves more (p < 0.001 after Holm"
    )
    assert "−50.0 (−64.8 to −35.2) points over 40 problems" in said.text
    assert warned(said, "run again with decoding=grid")
    assert not warned(said, "explain")


def test_no_winner_says_what_could_go_unseen(make_run: Make) -> None:
    run = make_run([COT, WARM], PROBLEMS, [*arm(COT, 20), *arm(WARM, 18)])
    said = gap(run)
    assert "which arm solves more cannot be told here" in said.text
    assert controlled(said, "would mostly go unseen")


def test_arms_that_solve_as_much_within_the_margin(make_run: Make) -> None:
    problems = [make_problem(f"q{place:03d}") for place in range(400)]
    rows = [Samples(cell, p.id, "0001") for cell in (COT, WARM) for p in problems]
    said = gap(make_run([COT, WARM], problems, rows))
    assert "both arms solve as much, within 5.0 points" in said.text


def crossed(make_run: Make, base: tuple[int, int], instruct: tuple[int, int], n: int) -> Path:
    """The grid of two variants and two decodings; each arm solves its first problems."""
    problems = [make_problem(f"q{place:04d}") for place in range(n)]
    solved = {COT: base[0], CROSSED[0]: base[1], CROSSED[1]: instruct[0], WARM: instruct[1]}
    rows = [
        Samples(cell, p.id, "0001" if place < count else "0000", start=99)
        for cell, count in solved.items()
        for place, p in enumerate(problems)
    ]
    return make_run(list(solved), problems, rows)


def test_decoding_explains_it_away(make_run: Make) -> None:
    run = crossed(make_run, base=(300, 100), instruct=(300, 100), n=400)
    assert warned(gap(run), "Decoding explains it away: with both variants decoded as cot")
    (split,) = answers(build_report(run), "decoding")
    assert "Told from zero: decoding. Within 5.0 points of zero: model, interaction." in split.text


def test_decoding_does_not_explain_it_away(make_run: Make) -> None:
    said = gap(crossed(make_run, base=(30, 30), instruct=(10, 10), n=40))
    assert controlled(said, "Decoding does not explain it away: with both variants decoded as cot")
    assert controlled(said, "In parts: model −50.0")
    assert not warned(said, "Decoding")


def test_whether_decoding_explains_it_away_cannot_be_told(make_run: Make) -> None:
    """The rest is no longer told from zero, which is all that used to be asked."""
    said = gap(crossed(make_run, base=(30, 14), instruct=(26, 10), n=40))
    assert "the base arm solves more" in said.text
    assert warned(said, "Whether decoding explains it away cannot be told apart here")
    assert not warned(said, "Decoding explains it away")


def test_decoding_explains_more_than_all_of_it(make_run: Make) -> None:
    said = gap(crossed(make_run, base=(25, 5), instruct=(40, 5), n=40))
    assert warned(said, "Decoding explains more than all of it")


def test_answers_without_reasoning_explain_it_away(make_run: Make) -> None:
    problems = [make_problem(f"q{place:03d}") for place in range(400)]
    rows = [
        Samples(cell, p.id, "0001" if place < solved else "0000", start=99 * (place == 399))
        for cell, solved in ((COT, 300), (WARM, 100))
        for place, p in enumerate(problems)
    ]
    said = gap(make_run([COT, WARM], problems, rows))
    assert warned(said, "Answers without reasoning explain it away: counting only samples that")


def test_answers_without_reasoning_do_not_explain_it_away(make_run: Make) -> None:
    rows = [*arm(COT, 30, start=99), *arm(WARM, 10, start=99)]
    said = gap(make_run([COT, WARM], PROBLEMS, rows))
    assert controlled(said, "Answers without reasoning do not explain it away")


def test_whether_answers_without_reasoning_explain_it_away_cannot_be_told(make_run: Make) -> None:
    rows = [*arm(COT, 30, start=2)[:-1], *arm(WARM, 10, start=2)[:-1]]
    rows += [Samples(cell, PROBLEMS[-1].id, "0000", start=99) for cell in (COT, WARM)]
    said = gap(make_run([COT, WARM], PROBLEMS, rows))
    assert warned(said, "Whether answers without reasoning explain it away cannot be told apart")


@pytest.mark.parametrize(
    ("starts", "named"), [((2, 2), "base/cot or instruct/t0.05"), ((2, 99), "base/cot")]
)
def test_no_gap_is_counted_over_reasoning_that_an_arm_lacks(
    make_run: Make, starts: tuple[int, int], named: str
) -> None:
    rows = [*arm(COT, 10, start=starts[0]), *arm(WARM, 30, start=starts[1])]
    said = gap(make_run([COT, WARM], PROBLEMS, rows))
    assert warned(said, f"No sample of {named} reasons before its answer")
    assert not warned(said, "explain it away")
    assert not controlled(said, "nly samples that reason")


def test_samples_of_one_arm_that_no_grader_judged_are_warned_of(make_run: Make) -> None:
    rows = [
        Samples(cell, p.id, marks)
        for cell, marks in ((COT, "1000"), (WARM, "tttt"))
        for p in PROBLEMS
    ]
    run = make_run([COT, WARM], PROBLEMS, rows)
    assert warned(gap(run), "samples of base/cot are not judged, and 100.0 of instruct/t0.05")
    said = [statement.text for statement in answers(build_report(run), "ends")]
    assert any("more samples of the instruct arm are not judged" in text for text in said)
    assert any(text.startswith("In the other arm, at most 0.0 per cent") for text in said)


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
    doubt = "Whether base/cot solves more than answering 0 to 3 without reading the question does"
    assert warned(said, doubt) is warns
    assert controlled(said, "base/cot solves more than answering 0 to 3") is not warns
    study = build_report(run)
    assert study.rows(NULLS)[0].solved.value == guessed / 40
    assert study.rows(BEYOND_NULL)[0].excess.value == pytest.approx((30 - guessed) / 40)


def test_the_winner_depends_on_the_judge(make_run: Make) -> None:
    rows = [*arm(COT, 30), *arm(WARM, 10)]
    rows += [*arm(COT, 10, grader="strict"), *arm(WARM, 30, grader="strict")]
    run = make_run([COT, WARM], PROBLEMS, rows)
    gaps = (
        "−50.0 (−64.8 to −35.2) under rules / standard, +50.0 (+35.2 to +64.8) under rules / strict"
    )
    assert warned(gap(run), "The gap depends on the judge (p < 0.001 after Holm")
    assert warned(gap(run), f"The winner turns with the judge: {gaps}.")
    said = answers(build_report(run), "judges")
    assert "the gap depends on the judge" in said[0].text
    assert said[0].text.endswith(f"Pass@4 {gaps}.")
    assert warned(said[0], "The winner turns with the judge")


def test_whether_the_gap_depends_on_the_judge_cannot_be_told(make_run: Make) -> None:
    """One judge names a winner and the other does not, which is no difference between them."""
    rows = [*arm(COT, 30), *arm(WARM, 18)]
    rows += [*arm(COT, 30, grader="strict"), *arm(WARM, 22, grader="strict")]
    said = answers(build_report(make_run([COT, WARM], PROBLEMS, rows)), "judges")
    assert "whether the gap depends on the judge cannot be told here" in said[0].text
    assert said[0].warnings == ()


def test_a_gap_that_holds_alone_and_not_in_the_family(make_run: Make) -> None:
    rows = [*arm(COT, 20), *arm(WARM, 13)]
    said = gap(make_run([COT, WARM], PROBLEMS, rows))
    assert "which arm solves more cannot be told here" in said.text
    assert warned(said, "Alone the gap would be told from zero (p = 0.016); over all claims")


def without(solved: int, failed: int, n: int) -> tuple[list[Samples], list[ProblemFailure]]:
    """Arms that solve as many, but for problems that failed in the instruct arm."""
    ids = [f"q{place:03d}" for place in range(n)]
    rows = [
        Samples(cell, name, "0001" if place < solved else "0000")
        for cell in (COT, WARM)
        for place, name in enumerate(ids)
        if cell == COT or place >= failed
    ]
    return rows, [ProblemFailure(WARM.key, name, "too long") for name in ids[:failed]]


@pytest.mark.parametrize(
    ("n", "failed", "words"),
    [
        (400, 150, "Failed problems explain it away: over the 250 problems that no arm failed"),
        (40, 15, "Whether failed problems explain it away cannot be told apart here"),
    ],
)
def test_failed_problems(make_run: Make, n: int, failed: int, words: str) -> None:
    rows, failures = without(n, failed, n)
    problems = [make_problem(f"q{place:03d}") for place in range(n)]
    said = gap(make_run([COT, WARM], problems, rows, failures))
    assert "the base arm solves more" in said.text
    assert warned(said, words)
    assert controlled(said, f"over the {n - failed} problems that no arm failed the gap is 0.0")


def test_failed_problems_do_not_explain_it_away(make_run: Make) -> None:
    """Two that neither arm solves have failed in one of them."""
    rows = [*arm(COT, 30), *arm(WARM, 10)[:38]]
    failures = [ProblemFailure(WARM.key, p.id, "too long") for p in PROBLEMS[38:]]
    said = gap(make_run([COT, WARM], PROBLEMS, rows, failures))
    assert controlled(said, "Failed problems do not explain it away: over the 38 problems that no")


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
    assert "over 40 problems from 4 sources" in said.text
    assert "which arm solves more cannot be told here" in said.text
    assert controlled(said, "Problems share 4 sources")
    assert controlled(said, "as if problems were independent the gap would be −25.0 (")


def test_unfinished_problems_are_said(make_run: Make) -> None:
    rows = [*arm(COT, 30), *arm(WARM, 10)[:35]]
    assert warned(gap(make_run([COT, WARM], PROBLEMS, rows)), "5 of 40 problems of instruct/t0.05")


def test_gaps_stand_beside_the_papers(full_study: StudyTables) -> None:
    chart = chart_of(full_study, "gaps-0")
    assert isinstance(chart, IntervalChart)
    marks = {series.name: {m.label: m.value for m in series.marks} for series in chart.series}
    label = "qwen3-8b (zero-shot)"
    # Other families of the paper are drawn where they are asked for.
    assert list(marks["the paper, standard"]) == [label]
    everyone = chart_of(replace(full_study, paper="all"), "gaps-0")
    assert isinstance(everyone, IntervalChart)
    assert "kimi-k2 (zero-shot)" in {m.label for series in everyone.series for m in series.marks}
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


def test_a_wider_margin_calls_more_gaps_none(make_run: Make) -> None:
    run = make_run([COT, WARM], PROBLEMS, [*arm(COT, 20), *arm(WARM, 18)])
    study = build_report(run, margins=AskedMargins(equivalence=0.25))
    (said,) = answers(study, "gap")
    assert "both arms solve as much, within 25.0 points" in said.text
