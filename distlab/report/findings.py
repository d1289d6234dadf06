"""StudyTables in; the report's questions out, each answered with what the intervals allow."""

from collections.abc import Callable, Iterator
from typing import Final

from distlab.report.charts.kinds import Chart
from distlab.report.questions.decoding import say_decoding, split_charts
from distlab.report.questions.domains import say_domains
from distlab.report.questions.drops import drop_charts, say_drops
from distlab.report.questions.ends import curve_charts, end_charts, say_ends
from distlab.report.questions.gap import gap_charts, say_gaps
from distlab.report.questions.guessing import null_charts, say_guessing
from distlab.report.questions.judges import judge_charts, say_judges
from distlab.report.questions.paper import say_paper
from distlab.report.questions.prompts import say_prompts
from distlab.report.questions.scale import say_scale, scale_charts
from distlab.report.questions.strata import say_strata
from distlab.report.records import Finding, Statement, StudyTables


def findings(study: StudyTables) -> tuple[Finding, ...]:
    """Every question, also those that this study cannot answer."""
    return tuple(
        Finding(name, question, tuple(answer(study)), tables)
        for name, question, answer, tables in _QUESTIONS
    )


_Answer = Callable[[StudyTables], Iterator[Statement]]
_QUESTIONS: Final[tuple[tuple[str, str, _Answer, tuple[str, ...]], ...]] = (
    ("gap", "Does the instruct model solve more than its base?", say_gaps, ("gaps", "scores")),
    ("decoding", "Is it the model, or the decoding?", say_decoding, ("controls", "grid")),
    ("domains", "Is it so on every dataset?", say_domains, ()),
    (
        "guessing",
        "Could it be had without reasoning?",
        say_guessing,
        ("nulls", "beyond_null", "reasoning", "reasoned_gaps"),
    ),
    (
        "judges",
        "Does the winner depend on the grader or the extractor?",
        say_judges,
        ("winners", "agreement", "accepts", "disagreements"),
    ),
    (
        "drops",
        "What is lost on perturbed problems?",
        say_drops,
        ("drops", "drop_differences", "unpaired_drops"),
    ),
    ("prompts", "Does the prompt matter?", say_prompts, ("prompts",)),
    ("strata", "Is the gap the same for all kinds of problems?", say_strata, ("strata",)),
    ("scale", "Does the gap change with size?", say_scale, ("scale", "trends")),
    ("ends", "Where do samples end?", say_ends, ("outcomes", "curves")),
    ("paper", "Are the paper's figures found again?", say_paper, ("paper",)),
)


def charts(study: StudyTables) -> dict[str, tuple[Chart, ...]]:
    """The charts of every finding, by its name; none where there is nothing to draw."""
    return {
        "gap": tuple(gap_charts(study)),
        "decoding": tuple(split_charts(study)),
        "guessing": tuple(null_charts(study)),
        "judges": tuple(judge_charts(study)),
        "drops": tuple(drop_charts(study)),
        "scale": tuple(scale_charts(study)),
        "ends": (*end_charts(study), *curve_charts(study)),
    }
