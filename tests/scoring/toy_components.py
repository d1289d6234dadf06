"""An extractor and graders small enough to know their verdicts by heart."""

import os
import time
from pathlib import Path

import ray

from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.types import Extraction

_NODE = "NODE_OF_THE_TOY_EXTRACTOR"


class AfterEquals:
    """Reads what follows the last "="; trips over "!"."""

    name = "after-equals"
    version = "1"

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        if "!" in text:
            raise ValueError("an exclamation")
        head, mark, tail = text.rpartition("=")
        if not mark:
            return Extraction(None, 0, 0, len(text))
        return Extraction(tail, len(head) + 1, len(text), len(text))


class Noting(AfterEquals):
    """Takes its time, and leaves a file that is called like the node of Ray it ran on."""

    name = "noting"

    def __init__(self, folder: str = "", pause_s: float = 0.0) -> None:
        self.folder = folder
        self.pause_s = pause_s
        if ray.is_initialized():
            # Made in Ray's actor first, and then in the process that reads, which Ray knows not.
            os.environ[_NODE] = ray.get_runtime_context().get_node_id()

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        time.sleep(self.pause_s)
        if self.folder:
            Path(self.folder, os.environ[_NODE]).touch()
        return super().extract(text, kind)


class LastCharacter:
    name = "last-character"
    version = "1"

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        return Extraction(text[-1:] or None, max(0, len(text) - 1), len(text), len(text))


class Escaper:
    """Answers with a lone surrogate, as a JSON escape can make one."""

    name = "escaper"
    version = "1"

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        return Extraction("\ud800", 0, 1, len(text))


class Exact:
    """Equal strings; notes each call in ``log``.

    While there is a FIFO ``hold``, call ``hold_after`` writes to it and never ends.
    """

    name = "exact"

    def __init__(
        self,
        log: str = "",
        version: str = "1",
        cached: bool = False,
        hold: str = "",
        hold_after: int = 0,
    ) -> None:
        self.log = log
        self.version = version
        self.cached = cached
        self.hold = hold
        self.hold_after = hold_after
        self.calls = 0

    def applies(self, kind: GoldKind) -> bool:
        return kind is not GoldKind.DATE

    def grade(self, gold: Gold, answer: str) -> bool:
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{gold.text}~{answer}\n")
        self.calls += 1
        held = self.calls > self.hold_after and self.hold and Path(self.hold).exists()
        if held:
            Path(self.hold).write_text("held")
        if held or answer == "sleep":
            time.sleep(3600)
        while answer == "hang":
            pass
        if answer == "trip":
            raise ValueError("tripped")
        return gold.text == answer


class Dates(Exact):
    name = "dates"

    def applies(self, kind: GoldKind) -> bool:
        return kind is GoldKind.DATE
