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
    exemplars,
    formats,
    gap,
    guessing,
    judges,
    ladder,
    memory,
    paper,
    prompts,
    relative_loss,
    reliability,
    scale,
    size_groups,
    spread,
    strata,
    withheld,
)

QUESTIONS: Final[tuple[Question, ...]] = (
    gap.QUESTION,
    ladder.QUESTION,
    reliability.QUESTION,
    cost.QUESTION,
    decoding.QUESTION,
    formats.QUESTION,
    domains.QUESTION,
    guessing.QUESTION,
    withheld.QUESTION,
    memory.QUESTION,
    judges.QUESTION,
    drops.QUESTION,
    relative_loss.QUESTION,
    prompts.QUESTION,
    exemplars.QUESTION,
    spread.QUESTION,
    strata.QUESTION,
    scale.QUESTION,
    size_groups.QUESTION,
    ends.QUESTION,
    paper.QUESTION,
    claims.QUESTION,
)
