"""Samples on which two graders disagree, with gold and answer, so that a reader can judge."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Final

import numpy as np

from distlab.analysis.codes import CORRECT, MISSING
from distlab.report.read import read_answers
from distlab.report.records import DisagreementRow, SampleKey, Study, VerdictTable

# Examples for each dataset, extractor and ordered pair of graders (ours).
EXAMPLES: Final = 5


def read_disagreements(runs: Sequence[Path], study: Study) -> tuple[DisagreementRow, ...]:
    """Examples of what one grader accepts and another rejects, one for each problem.

    Args:
        runs: The run folders; their verdicts are read once more, for the answers.
        study: The same runs, read.
    """
    rows = tuple(_find(study))
    answers = read_answers(runs, {row.sample for row in rows})
    return tuple(replace(row, answer=answers[row.sample]) for row in rows)


def _find(study: Study) -> Iterator[DisagreementRow]:
    """The examples, without their answers."""
    shown: Counter[tuple[str, ...]] = Counter()
    seen: set[tuple[str, ...]] = set()
    for accepts, rejects in permutations(study.tables, 2):
        if (accepts.cell, accepts.extractor) != (rejects.cell, rejects.extractor):
            continue
        group = (accepts.cell.dataset, accepts.extractor, accepts.grader, rejects.grader)
        for row in _of_pair(accepts, rejects):
            if shown[group] == EXAMPLES:
                break
            if (*group, row.sample.problem_id) not in seen:
                seen.add((*group, row.sample.problem_id))
                shown[group] += 1
                yield row


def _of_pair(accepts: VerdictTable, rejects: VerdictTable) -> Iterator[DisagreementRow]:
    judged = (accepts.codes != MISSING) & (rejects.codes != MISSING)
    split = judged & (accepts.codes == CORRECT) & (rejects.codes != CORRECT)
    for place in np.flatnonzero(split.any(axis=1)):
        problem = accepts.problems[place]
        rank = int(np.argmax(split[place]))
        key = SampleKey(accepts.cell.key, accepts.extractor, problem.id, rank)
        yield DisagreementRow(key, accepts.grader, rejects.grader, problem.gold.text, "")
