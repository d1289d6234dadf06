"""Loaders as users may write them, all but the first wrong."""

import sys

from distlab.problems.problem import DatasetSpec, Gold, GoldKind, LoadedDataset, Problem


def problem(**fields: object) -> Problem:
    made = {"id": "p", "dataset": "own", "question": "1?", "cluster": "p"}
    return Problem(**{**made, "gold": Gold(GoldKind.NUMBER, "1"), **fields})


class Fine:
    def load(self, spec: DatasetSpec) -> object:
        return LoadedDataset(spec.name, self.problems(), 1, "hash", "own")

    def problems(self) -> object:
        return (problem(),)

    def exemplars(self, spec: DatasetSpec) -> object:
        return ["one"]


class Throwing(Fine):
    def problems(self) -> object:
        raise RuntimeError("boom")


class Leaving(Fine):
    def problems(self) -> object:
        sys.exit(0)


class Bare(Fine):
    def load(self, spec: DatasetSpec) -> object:
        return [problem()]


class Streaming(Fine):
    def problems(self) -> object:
        return (each for each in [problem()])


class Empty(Fine):
    def problems(self) -> object:
        return ()


class Twice(Fine):
    def problems(self) -> object:
        return (problem(), problem())


class Numbered(Fine):
    def problems(self) -> object:
        return (problem(id=7),)


class Strange(Fine):
    def problems(self) -> object:
        return (problem(dataset="other"),)


class Ungraded(Fine):
    def problems(self) -> object:
        return (problem(gold="1"),)


class Boundless(Fine):
    def problems(self) -> object:
        return tuple(problem(id=name) for name in "abc")
