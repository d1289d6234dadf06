"""A cell as it is planned: its prompts, what is missing, what the store holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from distlab.checkpoints.checkpoint import Checkpoint, Variant
from distlab.config.values import Arm, Family
from distlab.decoding.interface import SampleRequest
from distlab.decoding.thinking import Thinking
from distlab.engines.endpoint import Endpoint
from distlab.problems import LoadedDataset
from distlab.prompts import Prompt
from distlab.store.cell import Cell, ProblemFailure
from distlab.store.fingerprint import CellFields
from distlab.store.kept_prompts import KeptPrompt, keep_prompts
from distlab.store.origin import Origin
from distlab.store.store import StoredCell


@dataclass(frozen=True, slots=True)
class Example:
    """A rendered prompt for people to look at.

    Attributes:
        prompt: As the engine is given it.
        bos: The tokenizer's BOS as text, None where it has none.
        bos_id: Its token id, None where it has none.
    """

    prompt: Prompt
    bos: str | None
    bos_id: int | None


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell with its prompts and what the store holds of it.

    Attributes:
        cell: Its labels and content address.
        arm: How its samples are drawn.
        family: How its engine is built.
        checkpoint: What the engine loads.
        seed: The study's seed, which every sample's derives from.
        fields: Behind the fingerprint.
        stop: Stop strings.
        prompt_hashes: Problem id to hash, of every problem that can be sampled.
        requests: What is missing, in the dataset's order.
        held: Samples of this run that the store holds already.
        failures: Problems whose prompt does not fit the model.
        stored: Its folder in the store.
        prompt_tokens: Lengths of all prompts in tokens, too long ones included.
        example: One prompt as the study was asked to show it; None where the dataset lacks it.
        differing: Where the cell is new, the fields in which the nearest stored one differs.
        prompts: Of the problems that can be sampled, for the store to keep.
        endpoint: The server that draws it; None for an engine of ours.
        thinking: How reasoning is marked, where its prompts ask for some.
        origins: What drew the samples that the store holds, where they say so.
        mixes: Whether other hardware may go on with it.
        note: What is to be said of the hardware that goes on with it.
    """

    cell: Cell
    arm: Arm
    family: Family
    checkpoint: Checkpoint
    seed: int
    fields: CellFields
    stop: tuple[str, ...]
    prompt_hashes: Mapping[str, str]
    requests: tuple[SampleRequest, ...]
    held: int
    failures: tuple[ProblemFailure, ...]
    stored: StoredCell
    prompt_tokens: tuple[int, ...] = ()
    example: Example | None = None
    differing: tuple[str, ...] = ()
    prompts: tuple[KeptPrompt, ...] = ()
    endpoint: Endpoint | None = None
    thinking: Thinking | None = None
    origins: frozenset[Origin] = frozenset()
    mixes: bool = False
    note: str = ""

    @property
    def is_chat(self) -> bool:
        """Whether its prompts are chat messages, whose tokens only the server can count."""
        return self.endpoint is not None and self.endpoint.chat

    def is_foreign(self, origin: Origin | None) -> bool:
        """Whether the stored samples were drawn otherwise than an engine would draw the rest."""
        return origin is not None and origin.is_foreign_to(self.origins)

    @property
    def drawn_on(self) -> str:
        """What drew the stored samples, for people."""
        return " and ".join(sorted(set(map(str, self.origins))))

    def opened(self) -> PlannedCell:
        """Make its folder in the store with its prompts; the cell without them, which may be long.

        Raises:
            OSError: The store cannot be written.
            UserError: Prompts that are there cannot be read.
        """
        self.stored.create(self.fields)
        keep_prompts(self.stored, self.prompts)
        return replace(self, prompts=())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A study ready to be sampled.

    Attributes:
        datasets: By name.
        cells: In the order of the tables.
        checkpoints: Variant to what its engine loads.
        notes: What is to be said of them.
    """

    datasets: Mapping[str, LoadedDataset]
    cells: tuple[PlannedCell, ...]
    checkpoints: Mapping[Variant, Checkpoint]
    notes: tuple[str, ...] = ()


def merged(cells: Iterable[PlannedCell]) -> list[PlannedCell]:
    """Every cell once, with all that several studies want of it.

    Args:
        cells: A cell comes several times where several studies want parts of it.
    """
    groups: dict[str, list[PlannedCell]] = {}
    for planned in cells:
        groups.setdefault(planned.cell.path, []).append(planned)
    return [group[0] if len(group) == 1 else _union(group) for group in groups.values()]


def _union(group: Sequence[PlannedCell]) -> PlannedCell:
    wanted: dict[str, int] = {}
    requests: dict[str, SampleRequest] = {}
    for planned in group:
        for problem in planned.prompt_hashes:
            wanted[problem] = max(planned.cell.n, wanted.get(problem, 0))
        for request in planned.requests:
            known = requests.get(request.problem_id, request)
            ranks = tuple(sorted({*known.ranks, *request.ranks}))
            requests[request.problem_id] = replace(request, ranks=ranks)
    missing = sum(len(request.ranks) for request in requests.values())
    return replace(
        max(group, key=lambda planned: planned.cell.n),
        # The address does not cover it: a prompt of one study may be too long for another.
        family=max((planned.family for planned in group), key=lambda family: family.max_model_len),
        prompt_hashes={p: h for planned in group for p, h in planned.prompt_hashes.items()},
        requests=tuple(requests.values()),
        held=sum(wanted.values()) - missing,
        failures=tuple({f.problem_id: f for planned in group for f in planned.failures}.values()),
    )
