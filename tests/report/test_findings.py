"""What the report says in words, and when a control takes it back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from distlab.report import build_report, write_report
from distlab.report.findings import findings
from distlab.report.markdown import render_markdown
from distlab.report.records import Finding, Statement, StudyTables
from distlab.runs.folder import RunFolder
from distlab.scoring.cache import commit
from distlab.scoring.schema import NULLS
from distlab.store.cell import Cell, ProblemFailure
from tests.runs.written import Make, Samples, make_cell, make_problem

COT, WARM = make_cell("base/cot"), make_cell("instruct/t0.05")
CROSSED = (make_cell("base/t0.05"), make_cell("instruct/cot"))
PROBLEMS = [make_problem(f"p{i:02d}") for i in range(40)]


def arm(cell: Cell, solved: int, **more: object) -> list[Samples]:
    """An arm that solves its first problems, with its last sample."""
    return [
        Samples(cell, p.id, "0001" if place < solved else "0000", **more)
        for place, p in enumerate(PROBLEMS)
    ]


def answers(study: StudyTables, name: str) -> tuple[Statement, ...]:
    (finding,) = (finding for finding in findings(study) if finding.name == name)
    return finding.statements


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
    commit(pa.Table.from_pylist(verdicts, schema=NULLS), file)
    said = gap(run)
    assert warned(said, "base/cot is not shown to solve more than answering 0 to 3") is warns
    assert controlled(said, "base/cot solves more than answering 0 to 3") is not warns
    study = build_report(run)
    assert study.nulls[0].solved.value == guessed / 40
    assert study.excesses[0].excess.value == pytest.approx((30 - guessed) / 40)


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


def test_paired_drop_beside_the_unpaired_one(make_run: Make) -> None:
    problems = []
    for i in range(12):
        problems.append(make_problem(f"s{i}", pair=f"p{i}" if i < 3 else None, side="seed"))
        problems.append(make_problem(f"t{i}", pair=f"p{i}" if i < 3 else f"q{i}", side="twin"))
    rows = [Samples(WARM, p.id, "1111" if p.side == "seed" else "0000") for p in problems]
    said = answers(build_report(make_run([WARM], problems, rows)), "drops")
    assert "over 3 pairs" in said[0].text


def test_datasets_are_told_apart(make_run: Make) -> None:
    cells, problems, rows = [], [], []
    for dataset, solved in (("gsm8k", 10), ("medcalc", 30), ("math-500", 38)):
        mine = [replace(p, dataset=dataset) for p in PROBLEMS]
        base, instruct = (replace(cell, dataset=dataset) for cell in (COT, WARM))
        cells += [base, instruct]
        problems += mine
        rows += [*arm(base, 30), *arm(instruct, solved)]
    (said,) = answers(build_report(make_run(cells, problems, rows)), "domains")
    assert said.text == (
        "tiny (zero-shot): base solves more on gsm8k; instruct solves more on math-500; "
        "neither is shown to on medcalc."
    )


def test_strata_are_counted(make_run: Make) -> None:
    problems = [replace(p, strata={"level": str(i % 2)}) for i, p in enumerate(PROBLEMS)]
    rows = [Samples(COT, p.id, "0001") for p in problems]
    rows += [
        Samples(WARM, p.id, "0001" if p.strata["level"] == "1" or place < 4 else "0000")
        for place, p in enumerate(problems)
    ]
    (said,) = answers(build_report(make_run([COT, WARM], problems, rows)), "strata")
    assert "by level: base solves more in 1 of 2 kinds, instruct in 0" in said.text


def test_a_change_of_prompt(make_run: Make) -> None:
    few = replace(WARM, prompt="few-shot")
    run = make_run([WARM, few], PROBLEMS, [*arm(WARM, 10), *arm(few, 30)])
    (said,) = answers(build_report(run), "prompts")
    assert "solves more with few-shot than with zero-shot" in said.text


def test_a_trend_over_families(make_run: Make, tmp_path: Path) -> None:
    runs = []
    for place, size in enumerate((1e8, 1e9, 1e10, 1e11, 1e12)):
        cells = [replace(cell, family=f"f{place}") for cell in (COT, WARM)]
        rows = [*arm(cells[0], 20), *arm(cells[1], 18 - 4 * place)]
        run = make_run(cells, PROBLEMS, rows, config={"model": {"parameters": size}})
        runs.append(run.rename(tmp_path / f"run-{place}"))
    said = answers(build_report(*runs), "scale")
    assert "our figures: the gap moves towards base with size: −10.0" in said[0].text
    assert "over 5 families" in said[0].text


def nothing(make_run: Make) -> Path:
    return make_run([], [])


def no_verdicts(make_run: Make) -> Path:
    return make_run([COT, WARM], PROBLEMS)


def one_cell_missing(make_run: Make) -> Path:
    return make_run([COT, WARM], PROBLEMS, arm(COT, 30))


def one_arm(make_run: Make) -> Path:
    return make_run([WARM], PROBLEMS, arm(WARM, 30))


def one_sample(make_run: Make) -> Path:
    cells = [replace(cell, n=1) for cell in (COT, WARM)]
    rows = [Samples(cell, p.id, "1") for cell in cells for p in PROBLEMS[:3]]
    return make_run(cells, PROBLEMS[:3], rows)


def one_problem(make_run: Make) -> Path:
    rows = [Samples(COT, "p00", "0001"), Samples(WARM, "p00", "0000")]
    return make_run([COT, WARM], PROBLEMS[:1], rows)


def all_failed(make_run: Make) -> Path:
    failures = [ProblemFailure(c.key, p.id, "too long") for c in (COT, WARM) for p in PROBLEMS]
    return make_run([COT, WARM], PROBLEMS, [Samples(COT, "p00", "1")], failures)


def no_problem_in_common(make_run: Make) -> Path:
    rows = [*arm(COT, 30)[:20], *arm(WARM, 30)[20:]]
    return make_run([COT, WARM], PROBLEMS, rows)


def no_answers(make_run: Make) -> Path:
    rows = [Samples(cell, p.id, "----") for cell in (COT, WARM) for p in PROBLEMS]
    return make_run([COT, WARM], PROBLEMS, rows)


@pytest.mark.parametrize(
    ("study", "sentences"),
    [
        (nothing, ["No verdict is stored"]),
        (no_verdicts, ["No verdict is stored"]),
        (one_cell_missing, [f"{WARM.key} has no verdicts", "there is no perturbation drop"]),
        (one_arm, ["has one variant only", "One family was run"]),
        (one_sample, ["has one sample a problem"]),
        (one_problem, ["One grader was used"]),
        (all_failed, ["One extractor was used"]),
        (no_problem_in_common, ["there is no perturbation drop"]),
        (no_answers, ["there is no perturbation drop"]),
    ],
)
def test_a_study_that_says_little_says_what_it_cannot(
    make_run: Make, tmp_path: Path, study: Callable[[Make], Path], sentences: Sequence[str]
) -> None:
    tables = build_report(study(make_run))
    answered: tuple[Finding, ...] = findings(tables)
    assert all(finding.statements for finding in answered)
    for sentence in sentences:
        assert any(sentence in cannot for cannot in tables.cannot)
    text = render_markdown(tables, answered)
    assert "nan" not in text
    page = write_report(tmp_path / "report", tables).read_text(encoding="utf-8")
    for finding in answered:
        assert finding.question in page.replace("&#39;", "'")
        assert finding.question in text
    assert "solves more. " not in text
