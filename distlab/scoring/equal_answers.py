"""Which answers of a problem are one answer in several spellings, by what a grader finds equal.

The gold has no part in it: votes are counted as if nobody knew it. Spellings of one number are one
answer whatever the grader. Of other answers the first grader that judges the problem's gold is
asked, and two are one where it accepts each with the other as gold; so are answers that are
connected by such pairs, but for two numbers, which nothing makes one.

Answers are compared with their neighbours first and with more distant ones in later rounds, each a
batch for some problems, few enough for a grader to remember how it read their answers. One that
ran out of time takes no part in further rounds, so that a hostile answer costs some deadlines and
no more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from distlab.problems.latex_golds import latex_gold
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.judging import GraderFacts
from distlab.scoring.plain_number import plain_number
from distlab.scoring.pool import GradeTask
from distlab.scoring.types import Verdict

Grade = Callable[[Sequence[GradeTask]], Sequence[Verdict]]
"""Tasks to their verdicts."""

# Different answers of a problem that a grader compares, and characters of one (ours): what is
# beyond counts by its spelling.
_MOST_COMPARED = 64
_MOST_CHARACTERS = 300
# Problems of a batch (ours).
_TOGETHER = 50
# What an answer to a question of this kind is read as; other kinds are their own.
_READ_AS = {
    GoldKind.LIST: GoldKind.LATEX,
    GoldKind.INTEGER: GoldKind.NUMBER,
    GoldKind.INTERVAL: GoldKind.NUMBER,
}


@dataclass(slots=True)
class _Answers:
    """The different answers of one problem.

    Attributes:
        grader: Position of the grader that compares them; None where none can.
        golds: Each answer as a gold.
        numbers: The number that an answer's class is; None where it is none.
        classes: Position of the first answer of an answer's class.
        late: Positions of those that ran out of time.
    """

    grader: int | None
    golds: list[Gold] = field(default_factory=list)
    numbers: list[str | None] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    late: set[int] = field(default_factory=set)

    def add(self, gold: Gold, is_late: bool) -> None:
        if is_late:
            self.late.add(len(self.golds))
        self.classes.append(len(self.golds))
        self.golds.append(gold)
        self.numbers.append(plain_number(gold.text))

    def comparable(self) -> list[int]:
        """Positions of the answers that a grader may be asked about."""
        if self.grader is None:
            return []
        short = [p for p, gold in enumerate(self.golds) if len(gold.text) <= _MOST_CHARACTERS]
        return short[:_MOST_COMPARED]

    def unsettled(self, one: int, other: int) -> bool:
        """Whether the grader must say if two answers are equal."""
        if self.classes[one] == self.classes[other] or {one, other} & self.late:
            return False
        return self.numbers[one] is None or self.numbers[other] is None

    def join(self, one: int, other: int) -> None:
        """Make two classes one, unless they are two numbers or one already."""
        if not self.unsettled(one, other):
            return
        first, last = sorted((self.classes[one], self.classes[other]))
        number = self.numbers[one] or self.numbers[other]
        for place, its in enumerate(self.classes):
            if its in (first, last):
                self.classes[place], self.numbers[place] = first, number


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two answers of a problem, by position; ``one`` came first."""

    answers: _Answers
    one: int
    other: int

    def task(self, swapped: bool) -> GradeTask:
        assert self.answers.grader is not None
        gold, answer = (self.other, self.one) if swapped else (self.one, self.other)
        golds = self.answers.golds
        return GradeTask(self.answers.grader, golds[gold], golds[answer].text)


def equal_answers(
    grade: Grade,
    graders: Sequence[GraderFacts],
    golds: Mapping[str, Gold],
    answers: Sequence[tuple[str, str]],
    late: Sequence[bool],
) -> list[int]:
    """Classes of equal answers.

    Args:
        grade: Grades with ``graders``.
        graders: Of which the first that judges a gold compares its answers.
        golds: Problem to its gold; of it only the kind counts.
        answers: Distinct (problem, answer).
        late: Which of them ran out of time against the gold, and are compared with nothing else.

    Returns:
        For each answer the number of its class within its problem: the position, among the
        problem's different spellings, of the one that came first.

    Raises:
        UserError: A grader cannot be made, or its processes die over and over.
    """
    problems: dict[str, _Answers] = {}
    spellings: dict[tuple[str, str], int] = {}
    for (problem, answer), is_late in zip(answers, late, strict=True):
        mine = problems.setdefault(problem, _Answers(_comparer(graders, golds[problem].kind)))
        key = problem, plain_number(answer) or answer.strip()
        if key not in spellings:
            spellings[key] = len(mine.golds)
            mine.add(_as_gold(golds[problem].kind, answer), is_late)
    of_problems = list(problems.values())
    for begin in range(0, len(of_problems), _TOGETHER):
        for pairs in _rounds(of_problems[begin : begin + _TOGETHER]):
            for pair in _accepted(grade, _accepted(grade, pairs, swapped=False), swapped=True):
                pair.answers.join(pair.one, pair.other)
    return [
        problems[problem].classes[spellings[problem, plain_number(answer) or answer.strip()]]
        for problem, answer in answers
    ]


def _comparer(graders: Sequence[GraderFacts], kind: GoldKind) -> int | None:
    """The first grader that judges golds of a kind, if it can read answers as golds too."""
    first = next((place for place, grader in enumerate(graders) if kind in grader.kinds), None)
    return first if first is not None and _read_as(kind) in graders[first].kinds else None


def _read_as(kind: GoldKind) -> GoldKind:
    return _READ_AS.get(kind, kind)


def _as_gold(kind: GoldKind, answer: str) -> Gold:
    kind = _read_as(kind)
    return latex_gold(answer) if kind is GoldKind.LATEX else Gold(kind, answer)


def _rounds(problems: Sequence[_Answers]) -> Iterator[list[_Pair]]:
    """Pairs to ask about: neighbours, then every other answer, and so on.

    A round is made when it is asked for, so that it knows what came of those before.
    """
    compared = [(answers, answers.comparable()) for answers in problems]
    for distance in range(1, _MOST_COMPARED):
        pairs = [
            _Pair(answers, one, other)
            for answers, places in compared
            for one, other in zip(places, places[distance:], strict=False)
            if answers.unsettled(one, other)
        ]
        if pairs:
            yield pairs


def _accepted(grade: Grade, pairs: Sequence[_Pair], *, swapped: bool) -> list[_Pair]:
    """The pairs whose one side is accepted with the other as gold."""
    verdicts = grade([pair.task(swapped) for pair in pairs])
    for pair, verdict in zip(pairs, verdicts, strict=True):
        if verdict is Verdict.TIMEOUT:
            pair.answers.late.update((pair.one, pair.other))
    return [p for p, verdict in zip(pairs, verdicts, strict=True) if verdict is Verdict.CORRECT]
