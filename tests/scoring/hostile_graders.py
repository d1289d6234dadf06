"""Graders that misbehave when the answer says so; the pool's workers import this by name."""

import ctypes
import os
import signal
import sys
import time

from distlab.problems.types import Gold, GoldKind


class Unpicklable(BaseException):
    def __reduce__(self) -> str:
        raise TypeError("not to be pickled")


class Moody:
    name = "moody"
    version = "1"

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset

    def applies(self, kind: GoldKind) -> bool:
        return True

    def grade(self, gold: Gold, answer: str) -> bool:
        match answer.partition(":")[0]:
            case "hang":
                while True:
                    time.sleep(60)
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
            case "print":
                print("noise", flush=True)
                print("noise", file=sys.stderr, flush=True)
                os.write(2, b"noise")
            case "pid":
                # Tell the test which worker this is.
                with open(answer.partition(":")[2], "a") as file:  # noqa: PTH123
                    file.write(f"{os.getpid()}\n")
                time.sleep(60)
            case "count":
                with open(answer.partition(":")[2], "a") as file:  # noqa: PTH123
                    file.write(f"{os.getpid()}\n")
        return answer == str(int(gold.text) + self.offset) if gold.text.isdigit() else False


class HangsOnFive:
    name = "hangs-on-five"
    version = "1"

    def applies(self, kind: GoldKind) -> bool:
        return True

    def grade(self, gold: Gold, answer: str) -> bool:
        if answer == "5":
            time.sleep(60)
        return answer == gold.text


class Refusing:
    def __init__(self) -> None:
        raise ValueError("no such mood")
