"""Extractors of the user's, which hang, end their process and print."""

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from distlab.problems.problem import GoldKind
from distlab.scoring.pool import PoolSettings
from distlab.scoring.reader import Reader
from distlab.scoring.sampled_text import SampledText
from distlab.scoring.types import ComponentSpec, Extraction


class Faulty:
    """What it does with a text, the text says."""

    name, version = "faulty", "1"

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        print(text)
        if text == "loop":
            while True:
                pass
        if text == "swallow":
            while True:
                try:
                    time.sleep(0.01)
                except Exception:
                    continue
        if text == "exit":
            os._exit(0)
        if text.startswith("x"):
            re.fullmatch(r"(x+x+)+y", text)
        return Extraction("1", 0, 1, len(text))


def sampled(text: str) -> SampledText:
    return SampledText(text, truncated=False)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    spec = ComponentSpec("faulty", f"{__name__}:Faulty")
    reading = Reader(spec, PoolSettings(deadline_s=0.1))
    yield reading
    reading.close()


@pytest.mark.parametrize("text", ["loop", "swallow", "x" * 60, "exit"])
def test_a_text_at_which_an_extractor_hangs_or_ends_costs_no_other(
    reader: Reader, text: str
) -> None:
    failed = (Extraction(None, 0, 0, len(text)), True)
    assert reader.read(sampled(text), GoldKind.NUMBER) == failed
    assert reader.read(sampled("so 1"), GoldKind.NUMBER) == (Extraction("1", 0, 1, 4), False)


def test_what_is_stuck_where_no_signal_interrupts_is_killed(reader: Reader) -> None:
    reader.read(sampled("so 1"), GoldKind.NUMBER)
    process = reader._process
    assert process is not None
    os.kill(process._process.pid, signal.SIGSTOP)
    process._control.settimeout(0.2)
    assert reader.read(sampled("so 1"), GoldKind.NUMBER) == (Extraction(None, 0, 0, 4), True)
    assert reader.read(sampled("so 1"), GoldKind.NUMBER)[0].answer == "1"
