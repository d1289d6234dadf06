"""Problems of a dataset that distlab knows, put in place of a file's own by id or question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distlab.config.compose import compose, own_folders
from distlab.config.door import datasets
from distlab.errors import Unavailable, UserError
from distlab.problems import Problem, load_dataset
from distlab.problems.content import duplicates, text_hash
from distlab.problems.problem import DatasetSpec
from distlab.tabular.choices import Choices
from distlab.tabular.golds import accepted


@dataclass(frozen=True, slots=True)
class KnownSet:
    """Which dataset a file's problems are of.

    Attributes:
        name: As in ``conf/dataset``.
        file: Its rows, or None for the hub.
        config_dirs: Folders of the user's in which it may be, too.
    """

    name: str
    file: Path | None = None
    config_dirs: tuple[Path, ...] = ()

    @classmethod
    def parse(cls, word: str) -> "KnownSet":
        """Read ``NAME`` or ``NAME=FILE``.

        Raises:
            UserError: The name or the file is left out.
        """
        name, is_named, file = word.partition("=")
        if not name or (is_named and not file):
            raise UserError(f"--known {word} is no NAME=FILE: give both, or the NAME of a dataset")
        return cls(name, Path(file).expanduser() if file else None)

    def spec(self) -> DatasetSpec:
        """Where its problems are to be had.

        Raises:
            UserError: There is no such dataset, or several.
        """
        group = compose([*own_folders(self.config_dirs), f"dataset={self.name}"]).dataset
        if len(group.sets) != 1:
            raise UserError(
                f"--known {self.name} is {' and '.join(group.sets) or 'no dataset'}, where one is "
                "needed: name a dataset that stands alone in its YAML"
            )
        path = group.path if self.file is None else str(self.file)
        (spec,) = datasets(replace(group, path=path))
        return spec

    def load(self) -> tuple[Problem, ...]:
        """Its problems.

        Raises:
            UserError: As ``spec``, or its rows cannot be had.
        """
        try:
            return load_dataset(self.spec()).problems
        except Unavailable as error:
            raise UserError(
                f"the problems of {self.name} cannot be had from the hub; give the file of "
                f"its rows as --known {self.name}=FILE"
            ) from error


@dataclass(frozen=True, slots=True)
class Joined:
    """The problems of a known dataset in the place of a file's own.

    Attributes:
        problems: In the file's order.
        said: What the reader must know of the golds, one sentence.
    """

    problems: tuple[Problem, ...]
    said: str


def joined(given: Sequence[Problem], known: KnownSet, dataset: str) -> Joined:
    """The known problems that those of a file are, with golds, limits, clusters, pairs and strata.

    A problem is found by its id, by the part in which ids differ ("17" of "medcalc-v1.0-17", "1" of
    "math-perturb-1-hard"), or by its question. Strata that the file has beside them are kept.

    Args:
        given: The file's problems.
        known: The dataset.
        dataset: Name that the problems get.

    Raises:
        UserError: A problem is none of the dataset's, or two are one, or most golds of the file
            are not those of the dataset, as where ids mean something else.
    """
    problems = known.load()
    index = _index(problems)
    found = [_found(each, index, known.name, problems) for each in given]
    if repeat := duplicates([problem.id for problem in found]):
        first, second = (given[place].id for place in reversed(repeat))
        raise UserError(
            f"problems {first!r} and {second!r} are both {found[repeat[0]].id} of {known.name}: "
            "give them one id, or leave one out with --skip"
        )
    said = _compare_golds(given, found, known.name)
    made = tuple(
        replace(ours, dataset=dataset, strata={**ours.strata, **each.strata})
        for each, ours in zip(given, found, strict=True)
    )
    return Joined(made, said)


def _index(problems: Sequence[Problem]) -> dict[str, Problem]:
    """Problems by all that names one of them alone; a whole id comes first."""
    index: dict[str, Problem] = {}
    shared: set[str] = set()
    for problem, short in zip(problems, _short_ids([p.id for p in problems]), strict=True):
        for name in {short, *map(text_hash, (problem.question, _bare_question(problem)))}:
            if index.setdefault(name, problem) is not problem:
                shared.add(name)
    for name in shared:
        del index[name]
    return index | {problem.id: problem for problem in problems}


def _bare_question(problem: Problem) -> str:
    """A question without the choices that follow it; files of samples may leave them out."""
    return problem.question.removesuffix(f"\n{Choices(problem.gold.items, ()).lettered}")


def _short_ids(ids: Sequence[str]) -> list[str]:
    """Of each id the one part in which they differ; the last, where that is not one."""
    split = [name.split("-") for name in ids]
    is_even = len({len(parts) for parts in split}) == 1
    varying = [place for place, part in enumerate(zip(*split, strict=False)) if len(set(part)) > 1]
    place = varying[0] if is_even and len(varying) == 1 else -1
    return [parts[place] for parts in split]


def _found(
    problem: Problem, index: Mapping[str, Problem], name: str, problems: Sequence[Problem]
) -> Problem:
    for key in (problem.id, text_hash(problem.question)):
        if key in index:
            return index[key]
    raise UserError(
        f"problem {problem.id!r} is none of the {len(problems)} of {name}, by its id (such as "
        f"{problems[0].id!r}) or its question: map problem_id or question to the column of these, "
        "or leave --known away"
    )


def _compare_golds(given: Sequence[Problem], found: Sequence[Problem], name: str) -> str:
    """What to say of golds that are not the dataset's; refuses where most are not."""
    pairs = [(ours.gold, each.gold) for each, ours in zip(given, found, strict=True)]
    same = accepted(pairs)
    said = f"problems and golds are those of {name}, found by id or question"
    if all(same):
        return said
    place = same.index(False)
    theirs, mine = pairs[place]
    other = f"{found[place].id} has {theirs.text!r}, and the file {mine.text!r}"
    if 2 * same.count(False) > len(same):
        raise UserError(
            f"{same.count(False)} of {len(same)} golds are not those of {name} ({other}): map "
            "problem_id to the column of its ids, or leave --known away"
        )
    return f"{said}; {same.count(False)} of {len(same)} golds of the file are others ({other})"
