"""The questions of the report, in the order in which it asks them."""

from typing import Final

from distlab.report.question import Question
from distlab.report.questions import (
    claims,
    cost,
    decoding,
    domains,
    drops,
    ends,
    gap,
    guessing,
    judges,
    paper,
    prompts,
    reliability,
    scale,
    strata,
)

QUESTIONS: Final[tuple[Question, ...]] = (
    gap.QUESTION,
    reliability.QUESTION,
    cost.QUESTION,
    decoding.QUESTION,
    domains.QUESTION,
    guessing.QUESTION,
    judges.QUESTION,
    drops.QUESTION,
    prompts.QUESTION,
    strata.QUESTION,
    scale.QUESTION,
    ends.QUESTION,
    paper.QUESTION,
    claims.QUESTION,
)
