"""Until decided: a study that stops once its gaps are known (``decoding.until=decided``).

Problems are drawn in a random order, look by look, and judged between the looks. A look's samples
are those of the lowest ranks of its problems, so they are samples of the run that draws everything,
and such a run later tops up the same cells. Every look is judged anew from the store: what a killed
run left counts, what another driver drew counts, and nothing counts twice.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from distlab.checkpoints.checkpoint import BASE, INSTRUCT
from distlab.config.values import StoppingRule, Study
from distlab.decoding.decoder import SampleOrder
from distlab.decoding.interface import SampleRequest
from distlab.problems.problem import Problem
from distlab.runs.decisions import ArmVerdicts, Decision, Ending, Look, draws_of, in_order
from distlab.sampling.looks import Arms, Design, next_look
from distlab.sampling.outcome import Outcome
from distlab.sampling.planned import PlannedCell, Prepared
from distlab.scoring.panel import Candidate, JudgeIndex, JudgePanel
from distlab.scoring.sampled_text import COLUMNS as OF_TEXT
from distlab.scoring.sampled_text import sampled_texts
from distlab.store.cell import ProblemFailure

_KEY: Final = ["problem_id", "rank", "prompt_hash"]


@dataclass(slots=True)
class Comparison:
    """Two arms of one dataset and prompt on the way to a decision.

    Attributes:
        design: What is compared.
        problems: In the order of the looks.
        cells: Base and instruct, with all that the store lacks.
        judges: Every judge of the dataset's golds, with what it found so far.
        seed: Of the order.
        fingerprint: Of all that the decision depends on.
        looks: So far; the last one may lack samples.
        ending: Why there are no more of them; None while there are.
    """

    design: Design
    problems: tuple[Problem, ...]
    cells: tuple[PlannedCell, PlannedCell]
    judges: Mapping[JudgeIndex, Arms]
    seed: int
    fingerprint: str
    looks: list[Look] = field(default_factory=list)
    ending: Ending | None = None

    def advance(self) -> None:
        """Choose the next look, or end."""
        found = next_look(self.design, self.looks, list(self.judges.values()))
        if isinstance(found, Look):
            self.looks.append(found)
        else:
            self.ending = found

    def lacking(self, outcome: Outcome) -> list[PlannedCell]:
        """The cells with what the store lacks of the looks so far.

        Args:
            outcome: Of all draws so far; what failed in them is not tried at every look.
        """
        return [
            self._asked(arm, _failures(planned, outcome)) for arm, planned in enumerate(self.cells)
        ]

    def _asked(self, arm: int, failures: Iterable[ProblemFailure]) -> PlannedCell:
        planned, draws = self.cells[arm], draws_of(self.looks, arm).tolist()
        asked = {p.id: n for p, n in zip(self.problems, draws, strict=False)}
        asked = {name: n for name, n in asked.items() if name in planned.prompt_hashes}
        held = planned.stored.ranks(planned.prompt_hashes)
        lost = {failure.problem_id for failure in failures}
        missing: list[SampleRequest] = []
        for request in planned.requests:
            wanted = range(asked.get(request.problem_id, 0))
            lacks = tuple(sorted({*wanted} - held.get(request.problem_id, set())))
            if lacks and request.problem_id not in lost:
                missing.append(replace(request, ranks=lacks))
        return replace(
            planned,
            prompt_hashes={name: planned.prompt_hashes[name] for name in asked},
            requests=tuple(missing),
            held=sum(asked.values()) - sum(len(request.ranks) for request in missing),
        )

    def take(self, panel: JudgePanel, outcome: Outcome) -> None:
        """Judge the last look's samples.

        Args:
            panel: The judges.
            outcome: Of all draws so far; problems that cannot be sampled count as unsolved.
        """
        begin = sum(look.problems for look in self.looks[:-1])
        look = {
            problem.id: begin + place
            for place, problem in enumerate(self.problems[begin : begin + self.looks[-1].problems])
        }
        for arm, planned in enumerate(self.cells):
            places, ranks, candidates = self._samples(planned, look, self.looks[-1].draws[arm])
            found = panel.judge_each(candidates)
            for judge, arms in self.judges.items():
                correct = np.array([judge in judges for judges in found], dtype=np.bool_)
                arms[arm].correct[places, ranks] = correct
                arms[arm].judged[places, ranks] = [
                    judge in panel.judges(c.gold) for c in candidates
                ]
                self._note_failed(planned, outcome, arms[arm])

    def _samples(
        self, planned: PlannedCell, look: Mapping[str, int], draws: int
    ) -> tuple[list[int], list[int], list[Candidate]]:
        """The look's samples of a cell: places of their problems, ranks, and what to judge."""
        table = planned.stored.samples([*_KEY, *OF_TEXT])
        wanted = [
            name in look and rank < draws and planned.prompt_hashes.get(name) == prompt
            for name, rank, prompt in zip(*_lists(table, _KEY), strict=True)
        ]
        kept = table.filter(pa.array(wanted, pa.bool_()))
        names, ranks, _ = _lists(kept, _KEY)
        places = [look[name] for name in names]
        candidates = [
            Candidate((planned.cell.path, name), self.problems[place].gold, sampled)
            for name, place, sampled in zip(names, places, sampled_texts(kept), strict=True)
        ]
        return places, ranks, candidates

    def _note_failed(self, planned: PlannedCell, outcome: Outcome, arm: ArmVerdicts) -> None:
        failures = (*planned.failures, *_failures(planned, outcome))
        # What was set aside is missing, and the next run draws it.
        failed = {failure.problem_id for failure in failures if not failure.set_aside}
        arm.failed[:] = [problem.id in failed for problem in self.problems]

    @property
    def decision(self) -> Decision:
        """How far it is."""
        base, instruct = self.cells
        looks = self.looks if self.ending else self.looks[:-1]
        return Decision(
            base=base.cell.key,
            instruct=instruct.cell.key,
            rule=self.design.rule,
            seed=self.seed,
            fingerprint=self.fingerprint,
            looks=tuple(looks),
            ending=self.ending or Ending.STOPPED,
            all_problems=len(self.problems),
            samples=sum(self._samples_of(looks, arm) for arm in (0, 1)),
            of=sum(planned.arm.n * len(planned.prompt_hashes) for planned in self.cells),
        )

    def _samples_of(self, looks: Sequence[Look], arm: int) -> int:
        """Samples of an arm that looks stand on."""
        draws, hashes = draws_of(looks, arm).tolist(), self.cells[arm].prompt_hashes
        return sum(n for p, n in zip(self.problems, draws, strict=False) if p.id in hashes)

    def settled(self, planned: PlannedCell, outcome: Outcome) -> tuple[str, ...]:
        """Problems of a cell that need no more samples, since the study is over.

        Args:
            planned: The cell.
            outcome: Of all draws; problems that are set aside do need more.
        """
        if self.ending is None:
            return ()
        aside = {f.problem_id for f in _failures(planned, outcome) if f.set_aside}
        return tuple(name for name in planned.prompt_hashes if name not in aside)


def _failures(planned: PlannedCell, outcome: Outcome) -> Sequence[ProblemFailure]:
    """Problems of a cell that draws have failed at."""
    drawn = outcome.cells.get(planned.cell.path)
    return drawn.failures if drawn else ()


def _lists(table: pa.Table, names: Sequence[str]) -> list[list[Any]]:
    return [table.column(name).to_pylist() for name in names]


def draw_until_decided(
    compared: Sequence[Comparison],
    draw: Callable[[Sequence[PlannedCell]], Outcome],
    panel: JudgePanel,
) -> Outcome:
    """Draw look by look until nothing is open, a signal comes or engines cannot be had.

    All that are open look at the same time, so that engines are kept busy. What the store holds of
    a look is not drawn again.

    Args:
        compared: What is to be decided.
        draw: Draws what is missing of some cells.
        panel: Who judges.

    Raises:
        UserError: The grader processes die over and over; what was drawn is safe.
    """
    outcome = Outcome()
    while open_ones := [one for one in compared if one.ending is None]:
        for one in open_ones:
            one.advance()
        looking = [one for one in open_ones if one.ending is None]
        outcome = outcome.joined(draw([cell for one in looking for cell in one.lacking(outcome)]))
        if outcome.signal is not None or outcome.unserved:
            break
        for one in looking:
            one.take(panel, outcome)
    return outcome


def comparisons(study: Study, prepared: Prepared, panel: JudgePanel) -> list[Comparison]:
    """One comparison for every dataset and prompt of a study that is to stop by itself.

    Args:
        study: Has one base and one instruct arm, as the door saw to.
        prepared: Its cells.
        panel: Who judges.
    """
    settings = dict.fromkeys((p.cell.dataset, p.cell.prompt) for p in prepared.cells)
    return [_comparison(study, prepared, panel, *setting) for setting in settings]


def _comparison(
    study: Study, prepared: Prepared, panel: JudgePanel, dataset: str, prompt: str
) -> Comparison:
    cells = {
        planned.cell.variant: planned
        for planned in prepared.cells
        if (planned.cell.dataset, planned.cell.prompt) == (dataset, prompt)
    }
    pair = cells[BASE], cells[INSTRUCT]
    problems = prepared.datasets[dataset].problems
    ordered = tuple(problems[i] for cluster in in_order(problems, study.seed) for i in cluster)
    assert study.decided is not None
    design = Design(
        rule=study.decided,
        clusters=tuple(problem.cluster for problem in ordered),
        n=(pair[0].arm.n, pair[1].arm.n),
        varies=(_varies(pair[0]), _varies(pair[1])),
    )
    who = {judge for problem in ordered for judge in panel.judges(problem.gold)}
    judges = {judge: (_empty(design, 0), _empty(design, 1)) for judge in sorted(who)}
    fingerprint = _fingerprint(study, study.decided, pair, ordered)
    return Comparison(design, ordered, pair, judges, study.seed, fingerprint)


def _varies(planned: PlannedCell) -> bool:
    return planned.cell.order is SampleOrder.INDEPENDENT


def _empty(design: Design, arm: int) -> ArmVerdicts:
    shape = len(design.clusters), design.n[arm]
    nothing = np.zeros(shape, dtype=np.bool_)
    return ArmVerdicts(nothing, nothing.copy(), np.zeros(shape[0], dtype=np.bool_))


def _fingerprint(
    study: Study, rule: StoppingRule, pair: Iterable[PlannedCell], problems: Iterable[Problem]
) -> str:
    """First 16 hex digits of sha256 over all that the decision depends on."""
    fields = {
        "rule": asdict(rule),
        "seed": study.seed,
        "cells": [[planned.cell.path, planned.arm.n] for planned in pair],
        "judges": [asdict(spec) for spec in (*study.extractors, *study.graders)],
        "problems": [[problem.id, problem.cluster] for problem in problems],
    }
    canonical = json.dumps(fields, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
