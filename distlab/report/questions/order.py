"""The questions of the report, in the order in which it asks them."""

from typing import Final

from distlab.report.question import Question
from distlab.report.questions import (
    claims,
    decoding,
    domains,
    drops,
    ends,
    gap,
    guessing,
    judges,
    paper,
    prompts,
    scale,
    strata,
)

QUESTIONS: Final[tuple[Question, ...]] = (
    gap.QUESTION,
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
