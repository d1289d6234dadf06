"""gsm-symbolic: word problems made from templates, each with a perturbed twin.

The templates are reasoning-gym's port of GSM-Symbolic (Mirzadeh et al., arXiv 2410.05229). A seed
problem and its twin come from one template with other names and numbers, so nobody can have
trained on the pair, and a perturbation drop is measured without a download.
"""

import importlib.metadata
import importlib.util
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from distlab.problems.content import Known, compare, content_hash, text_hash
from distlab.problems.dataset_options import check_names, choice, in_pairs, refuse_files, whole
from distlab.problems.problem import (
    DatasetSpec,
    Exemplar,
    Gold,
    GoldKind,
    LoadedDataset,
    Problem,
    Side,
)

# Templates we leave out of those reasoning-gym calls sound, with the reason (ours). The first
# eight break their own arithmetic in some draws, in one of 300 at the least.
EXCLUDED: Mapping[int, str] = {
    2: "rounds half students down",
    3: "rounds hours down",
    4: "rounds pans down",
    40: "loses one to floating point",
    49: "rounds bags down",
    60: "rounds half minutes down",
    75: "rounds half tubes down",
    99: "loses one to floating point",
    14: "text lacks a word: 'for 3 the amount of time'",
    24: "ages may be negative",
    46: "prints floating-point noise",
    51: "text lacks a word: 'ride the bumper cars 2'",
    52: "text lacks a word: 'writes it in full 3'",
    66: "prints floating-point noise",
    93: "text lacks a word: 'slew 2 as many'",
}
# Templates whose worked solution has two short steps (ours): the ones a model of 135M parameters
# has a chance on.
SHORT = (6, 10, 16, 20, 23, 26, 39, 43, 45, 50, 54, 55, 56, 58, 59, 69, 72, 95)
# Only difficulty 1.0 exists in reasoning-gym 0.1.25.
_DIFFICULTY = 1.0
_GOLD = re.compile(r"\d+(\.\d{1,2})?")
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")
_MAX_DRAWS = 1000
# Characters of an exemplar (ours): eight of them leave a small context room for the answer.
_MAX_EXEMPLAR = 450
# The set of the default options, made with reasoning-gym 0.1.25.
_DEFAULT = (0, 4, "short")
_KNOWN = Known(8, "02f530da332c5056afe42e5d81ffaea419a251c27ab62f2c7eeabeab58ad2d76")


@dataclass(frozen=True, slots=True)
class _Draw:
    """One problem out of a template."""

    question: str
    gold: str
    solution: str

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(_NUMBERS.findall(self.question))


@dataclass(frozen=True, slots=True)
class _SymbolicSettings:
    """The options, checked."""

    seed: int
    pairs: int
    templates: str

    @property
    def pool(self) -> tuple[int, ...]:
        return SHORT if self.templates == "short" else _all_templates()

    @property
    def evaluated(self) -> tuple[int, ...]:
        """The template of each pair: a seeded shuffle of the pool, gone through again and again."""
        order = list(self.pool)
        random.Random(f"gsm-symbolic:{self.seed}:templates").shuffle(order)
        return tuple(order[index % len(order)] for index in range(self.pairs))


class GSMSymbolic:
    """Pairs made on the spot. Options: seed, pairs, templates ("short" or "all")."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """``2 * pairs`` problems: each seed problem, then its twin; ``limit`` rounds up to pairs.

        The cluster is the template: problems out of one template share its difficulty.
        """
        settings = _settings(spec)
        problems = tuple(
            problem
            for index, template in enumerate(settings.evaluated)
            for problem in _pair(spec.name, settings.seed, template, index)
        )
        found = content_hash(
            {"id": problem.id, "question": problem.question, "gold": problem.gold.text}
            for problem in problems
        )
        version = importlib.metadata.version("reasoning-gym")
        kept, rounded = in_pairs(problems, spec.limit)
        return LoadedDataset(
            name=spec.name,
            problems=kept,
            rows=len(problems),
            content_hash=found,
            source=f"reasoning-gym {version} gsm_symbolic, seed {settings.seed}, "
            f"{settings.pairs} pairs of {settings.templates} templates",
            notes=(*_notes(settings, len(problems), found), *rounded),
        )

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """A short solved problem of each template that no evaluated problem is made from."""
        settings = _settings(spec)
        used = set(settings.evaluated)
        made = (
            _exemplar(settings.seed, template)
            for template in _all_templates()
            if template not in used
        )
        return tuple(one for one in made if len(one.question + one.reasoning) <= _MAX_EXEMPLAR)


def _settings(spec: DatasetSpec) -> _SymbolicSettings:
    check_names(spec, ("seed", "pairs", "templates"))
    refuse_files(spec)
    return _SymbolicSettings(
        seed=whole(spec, "seed", 0, 0),
        pairs=whole(spec, "pairs", 4, 1),
        templates=choice(spec, "templates", "short", ("short", "all")),
    )


def _notes(settings: _SymbolicSettings, rows: int, found: str) -> tuple[str, ...]:
    if (settings.seed, settings.pairs, settings.templates) != _DEFAULT:
        return ()
    return compare(_KNOWN, rows, found, "install reasoning-gym 0.1.25 to get the same problems")


def _pair(dataset: str, seed: int, template: int, index: int) -> tuple[Problem, Problem]:
    name = f"s{seed}-t{template:02d}-{index}"
    first = _draw(template, random.Random(f"gsm-symbolic:{name}:seed"))
    rng = random.Random(f"gsm-symbolic:{name}:twin")
    for _ in range(_MAX_DRAWS):
        second = _draw(template, rng)
        if second.gold != first.gold and second.numbers != first.numbers:
            break
    else:
        raise AssertionError(f"template {template} has no second problem")
    return (
        _problem(dataset, name, "seed", template, first),
        _problem(dataset, name, "twin", template, second),
    )


def _problem(dataset: str, pair: str, side: Side, template: int, draw: _Draw) -> Problem:
    return Problem(
        id=f"{pair}-{side}",
        dataset=dataset,
        question=draw.question,
        gold=Gold(GoldKind.NUMBER, draw.gold),
        cluster=f"template-{template:02d}",
        pair=f"gsm-symbolic-{pair}",
        side=side,
        strata={"template": f"{template:02d}"},
    )


def _exemplar(seed: int, template: int) -> Exemplar:
    draw = _draw(template, random.Random(f"gsm-symbolic:s{seed}-t{template:02d}:exemplar"))
    return Exemplar(
        id=f"gsm-symbolic-t{template:02d}-{text_hash(draw.question)}",
        question=draw.question,
        reasoning=draw.solution,
        answer=draw.gold,
    )


def _draw(template: int, rng: random.Random) -> _Draw:
    """One problem with a gold that is a plain number, not negative."""
    generate = _generators()[template]
    for _ in range(_MAX_DRAWS):
        made = generate(rng, _DIFFICULTY)
        if _GOLD.fullmatch(made["answer"]):
            solution, _, _ = made["metadata"]["answer_cot"].rpartition("####")
            return _Draw(made["question"].strip(), made["answer"], solution.strip())
    raise AssertionError(f"template {template} makes no plain number")


def _all_templates() -> tuple[int, ...]:
    return tuple(sorted(_generators()))


@cache
def _generators() -> Mapping[int, Callable[[random.Random, float], Mapping[str, Any]]]:
    with _bare("reasoning_gym", "arithmetic", "arithmetic.gsm_symbolic", "coaching"):
        from reasoning_gym.arithmetic.gsm_symbolic import generators_00_49, generators_50_99
        from reasoning_gym.arithmetic.gsm_symbolic.gsm_symbolic import tasks_ok
    return {
        template: getattr(
            generators_00_49 if template < 50 else generators_50_99, f"generate_{template}"
        )
        for template in tasks_ok
        if template not in EXCLUDED
    }


@contextmanager
def _bare(root: str, *inner: str) -> Iterator[None]:
    """Import modules of a package and some packages in it without running their ``__init__``.

    reasoning-gym's import all of its hundred datasets, with sympy and matplotlib: seconds, where
    we need one.
    """
    if root in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(root)
    assert spec is not None and spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0])
    for name in ("", *inner):
        package = ModuleType(f"{root}.{name}" if name else root)
        package.__path__ = [str(folder.joinpath(*name.split(".")))]
        sys.modules[package.__name__] = package
    try:
        yield
    finally:
        # Whoever imports the package itself gets it whole.
        for name in [name for name in sys.modules if name.partition(".")[0] == root]:
            del sys.modules[name]
