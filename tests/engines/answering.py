"""An engine that answers with a digit, selected with `cluster.engine`; it notes that it started."""

import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from distlab.decoding.interface import Completion, EngineRequest, FirstTokens, Vitals
from distlab.engines.messages import EngineSettings, Site
from tests.engines.unsure import Unsure

# Any token of the vocabulary stands for its last digit; this one ends a completion.
_END = 99_999


class AnsweringEngine(Unsure):
    """Says the seed's last digit, or the branch token's; `$DISTLAB_SCRIPT` is for its notes."""

    def __init__(self, settings: EngineSettings, site: Site) -> None:
        (Path(os.environ["DISTLAB_SCRIPT"]) / f"start-{uuid.uuid4().hex}").touch()

    @property
    def eos_token_ids(self) -> frozenset[int]:
        return frozenset({_END})

    def decode(self, token_ids: Sequence[int]) -> str:
        return f"The answer is {token_ids[0] % 10}." if token_ids else ""

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        first = 3 * sum(prompt_ids) % 10
        return FirstTokens(tuple(range(first, first + k)), tuple(-float(i) for i in range(k)))

    async def generate(self, request: EngineRequest) -> Completion:
        ids = (_END,) if request.seed is None else (request.seed % 10, _END)
        margins = (0.5,) * len(ids) if request.margins else ()
        return Completion(ids, self.decode(ids), truncated=False, margins=margins)

    async def check(self) -> None:
        """Never dies."""

    def vitals(self) -> Vitals:
        return Vitals()

    def shutdown(self) -> None:
        """Nothing to end."""
