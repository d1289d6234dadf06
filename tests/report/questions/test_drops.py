from distlab.report import build_report
from distlab.report.charts.kinds import IntervalChart
from distlab.report.questions.drops import DROP_DIFFERENCES, DROPS
from distlab.report.table import StudyTables
from tests.report.answers import COT, WARM, answers, chart_of
from tests.runs.written import Make, Samples, make_cell, make_problem


def test_perturbation_drop_of_twins(make_run: Make) -> None:
    problems = []
    for i in range(10):
        problems.append(make_problem(f"s{i}", pair=f"p{i}", side="seed"))
        problems.append(make_problem(f"t{i}", pair=f"p{i}", side="twin"))
    rows = [Samples(COT, p.id, "0001") for p in problems]
    rows += [
        Samples(WARM, p.id, "0000" if p.side == "twin" and p.id < "t5" else "1111")
        for p in problems
    ]
    study = build_report(make_run([COT, WARM], problems, rows))
    base, instruct = study.rows(DROPS)
    assert base.drop.change.value == 0
    assert instruct.drop.change.value == -0.5
    assert instruct.unpaired.value == -0.5
    assert instruct.drop.pairs == 10
    (difference,) = study.rows(DROP_DIFFERENCES)
    assert (difference.pairs, difference.difference.value) == (10, -0.5)


def test_perturbation_drop_over_datasets(make_run: Make) -> None:
    simple, hard = make_cell(dataset="simple"), make_cell(dataset="hard")
    problems = [make_problem(f"s{i}", "simple", f"p{i}", "simple") for i in range(3)]
    problems += [make_problem(f"h{i}", "hard", f"p{i}", "hard") for i in range(2)]
    rows = [Samples(simple, f"s{i}", "1111") for i in range(3)]
    rows += [Samples(hard, "h0", "0000"), Samples(hard, "h1", "1111")]
    (row,) = build_report(make_run([simple, hard], problems, rows)).rows(DROPS)
    assert (row.sides.before_dataset, row.sides.after_dataset) == ("simple", "hard")
    assert (row.drop.pairs, row.drop.change.value, row.unpaired.value) == (2, -0.5, -0.5)


def test_paired_drop_beside_the_unpaired_one(make_run: Make) -> None:
    problems = []
    for i in range(12):
        problems.append(make_problem(f"s{i}", pair=f"p{i}" if i < 3 else None, side="seed"))
        problems.append(make_problem(f"t{i}", pair=f"p{i}" if i < 3 else f"q{i}", side="twin"))
    rows = [Samples(WARM, p.id, "1111" if p.side == "seed" else "0000") for p in problems]
    said = answers(build_report(make_run([WARM], problems, rows)), "drops")
    assert "over 3 pairs" in said[0].text


def test_drops_of_the_studys_own_arms(full_study: StudyTables) -> None:
    chart = chart_of(full_study, "drops")
    assert isinstance(chart, IntervalChart)
    # The paper gives no drop for this family.
    assert [series.name for series in chart.series] == [
        "base/cot, paired by problem",
        "base/cot, unpaired",
        "instruct/t0.05, paired by problem",
        "instruct/t0.05, unpaired",
    ]
    labels = {mark.label for series in chart.series for mark in series.marks}
    assert "qwen3-8b (zero-shot): math-500, level 5 → math-perturb-hard, whole sets" in labels
