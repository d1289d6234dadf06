import io

from rich.console import Console

from distlab.report import build_report, render_terminal
from distlab.report.gap_table import GAPS
from distlab.report.markdown_report import render_markdown
from distlab.report.page.writer import render_page
from tests.report.answers import answers
from tests.runs.written import Make, Samples, make_cell, make_problem

COT = make_cell("base/cot")
WARM = make_cell("instruct/t0.05")
PROBLEMS = [make_problem(name) for name in "abcd"]


def test_what_cannot_be_said(make_run: Make) -> None:
    assert "nothing to report" in build_report(make_run([COT, WARM], PROBLEMS)).cannot[0]
    single = make_cell("instruct/t0.05", n=1)
    rows = [Samples(single, name, "1") for name in "abcd"]
    sentences = " ".join(build_report(make_run([single], PROBLEMS, rows)).cannot)
    for part in (
        "one sample per problem",
        "one variant only",
        "no perturbation drop",
        "One grader",
    ):
        assert part in sentences


def test_a_cell_without_verdicts(make_run: Make) -> None:
    study = build_report(make_run([COT, WARM], PROBLEMS, [Samples(COT, "a", "1111")]))
    assert study.rows(GAPS) == ()
    assert any(WARM.key in sentence for sentence in study.cannot)


def test_judges_that_accept_nothing_are_said_first(make_run: Make) -> None:
    rows = [
        Samples(cell, name, marks, grader=grader)
        for name in "abcd"
        for cell, grader, marks in (
            (COT, "standard", "0000"),
            (COT, "math-verify", "1110"),
            (WARM, "standard", "0000"),
            (WARM, "math-verify", "1110"),
        )
    ]
    study = build_report(make_run([COT, WARM], PROBLEMS, rows))
    assert study.doubts == (
        "None of 32 samples is correct under rules / standard "
        f"({COT.key}, {WARM.key}). Golds are taken as number, the first as '7': look at golds and "
        "answers with python -m distlab.view before you believe it.",
    )
    text = render_markdown(study, ())
    assert text.index("Warning: None of 32 samples") < text.index("Command:")
    console = Console(width=100, record=True, file=io.StringIO())
    render_terminal(study, console)
    assert console.export_text().startswith("Warning: None of 32 samples")
    assert "<strong>Warning:</strong> None of 32 samples" in render_page(study, (), {})


def test_a_judge_that_accepts_almost_nothing_of_anothers_is_said(make_run: Make) -> None:
    many = [make_problem(f"p{place}") for place in range(6)]
    rows = [Samples(WARM, problem.id, "1111", grader="math-verify") for problem in many]
    rows += [Samples(WARM, p.id, "1100" if p is many[0] else "0000") for p in many]
    (doubt,) = build_report(make_run([WARM], many, rows)).doubts
    assert doubt.startswith(
        f"rules / standard accepts 2 of the 24 samples of {WARM.key} that rules / math-verify acc"
    )


def test_a_run_whose_judges_accept_something_is_not_doubted(make_run: Make) -> None:
    rows = [Samples(WARM, "a", "1000"), Samples(WARM, "a", "1111", grader="math-verify")]
    assert build_report(make_run([WARM], PROBLEMS, rows)).doubts == ()


def test_all_judges_are_any_judge(make_run: Make) -> None:
    run = make_run([WARM], PROBLEMS, [Samples(WARM, "a", "0000")])
    assert build_report(run).doubts[0].startswith("None of 4 samples is correct under any judge (")


def test_cells_of_which_much_is_cut_off_are_said_first_even_where_arms_are_alike(
    make_run: Make,
) -> None:
    def study(cut: int, **manifest: object) -> tuple[str, ...]:
        rows = [
            Samples(cell, name, "1000", truncated=place < cut)
            for cell in (COT, WARM)
            for place, name in enumerate("abcd")
        ]
        return build_report(make_run([COT, WARM], PROBLEMS, rows, **manifest)).doubts

    fingerprints = {COT.key: {"max_tokens": 128}, WARM.key: {"max_tokens": 64}}
    assert study(3, fingerprints=fingerprints) == (
        f"Samples are cut off: 75 % of {COT.key} at 128 tokens, 75 % of {WARM.key} at 64 tokens; "
        "raise decoding.max_tokens, or the scores measure the limit.",
    )
    assert study(0) == ()


def test_of_many_cells_that_are_cut_off_the_worst_are_named_and_the_rest_counted(
    make_run: Make,
) -> None:
    cells = [make_cell("base/cot", dataset=f"set{place}") for place in range(5)]
    problems = [make_problem(f"p{i}", cell.dataset) for cell in cells for i in range(5)]
    rows = [
        Samples(cell, f"p{i}", "1000", truncated=i <= place)
        for place, cell in enumerate(cells)
        for i in range(5)
    ]
    (doubt,) = build_report(make_run(cells, problems, rows)).doubts
    # A fifth of set0 is cut off, which is not over a fifth.
    assert doubt.startswith(f"Samples are cut off: 100 % of {cells[4].key}, 80 % of {cells[3].key}")
    assert "and over 20% in 1 more cells" in doubt


def test_four_problems_of_two_sources_have_no_interval_and_the_report_says_why(
    make_run: Make,
) -> None:
    problems = [make_problem(f"p{i}", cluster=f"c{i % 2}") for i in range(4)]
    rows = [
        Samples(make_cell(arm), problem.id, marks)
        for arm, marks in (("base/cot", "0000"), ("instruct/t0.05", "1111"))
        for problem in problems
    ]
    cells = [make_cell("base/cot"), make_cell("instruct/t0.05")]
    study = build_report(make_run(cells, problems, rows))
    assert any("come from 2 sources: too few for an interval" in text for text in study.cannot)
    (said,) = answers(study, "gap")
    assert "is +100.0 points over 4 problems from 2 sources, too few for an interval" in said.text
    assert "which arm solves more cannot be told here" in said.text
    assert any("2 sources, too few for an interval; as if" in text for text in said.controls)
