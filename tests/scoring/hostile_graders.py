"""Graders that misbehave when the answer says so; the pool's workers import this by name."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from distlab.problems.problem import Gold, GoldKind


def note(file: Path) -> None:
    with file.open("a") as stream:
        stream.write(f"{os.getpid()}\n")


class Unpicklable(BaseException):
    def __reduce__(self) -> str:
        raise TypeError("not to be pickled")


class Moody:
    name = "moody"
    version = "1"

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset
        self.hoard: list[bytearray] = []

    def applies(self, kind: GoldKind) -> bool:
        return True

    def grade(self, gold: Gold, answer: str) -> bool:
        file = Path(answer.partition(":")[2])
        match answer.partition(":")[0]:
            case "sleep":
                while True:
                    time.sleep(60)
            case "burn":
                while True:
                    pass
            case "hang-in-c":
                return int(gold.text) == 7 ** (10**9)
            case "ignore-signals":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                return int(gold.text) == 7 ** (10**9)
            case "exit":
                os._exit(0)
            case "sys-exit":
                sys.exit(1)
            case "segfault":
                ctypes.string_at(0)
            case "recurse":
                return self.grade(gold, answer)
            case "bomb":
                hoard = []
                while True:
                    hoard.append(bytearray(1 << 24))
            case "raise":
                raise ValueError("\ud800 cannot be judged")
            case "raise-unpicklable":
                raise Unpicklable
            case "object":
                return object()  # type: ignore[return-value]
            case "numpy":
                return np.bool_(True)  # type: ignore[return-value]
            case "print":
                print("noise", flush=True)
                print("noise", file=sys.stderr, flush=True)
                os.write(2, b"noise")
            case "hoard":
                # What a grader may leave behind: caches, a heap in pieces.
                self.hoard.append(bytearray(int(file.name) << 20))
                return True
            case "need":
                return bool(bytearray(int(file.name) << 20))
            case "meet":
                # Tell the test which worker this is, and wait for it; the second time just judge.
                first = not file.exists()
                note(file)
                while first and not file.with_suffix(".go").exists():
                    time.sleep(0.01)
                return True
            case "count":
                note(file)
        return answer == str(int(gold.text) + self.offset) if gold.text.isdigit() else False


class Stripping(Moody):
    def grade(self, gold: Gold, answer: str) -> bool:
        return super().grade(gold, answer.strip())


class HangsOnFive:
    name = "hangs-on-five"
    version = "1"

    def applies(self, kind: GoldKind) -> bool:
        return True

    def grade(self, gold: Gold, answer: str) -> bool:
        while answer == "5":
            pass
        return answer == gold.text


class Deadly:
    def __init__(self) -> None:
        os._exit(3)


class Rewarding(Moody):
    def grade(self, gold: Gold, answer: str) -> bool:
        return 0.1  # type: ignore[return-value]


class Exiting(Moody):
    """Ends its process at each answer that is no digit."""

    def grade(self, gold: Gold, answer: str) -> bool:
        if not answer.isdigit():
            os._exit(0)
        return super().grade(gold, answer)


class Refusing:
    def __init__(self) -> None:
        raise ValueError("no such mood")
