"""Plan: what a run would do, as numbers and text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from distlab.engines.splitting import Alternative
from distlab.placement.batches import BatchLimits
from distlab.placement.memory import Fit
from distlab.placement.placement import EngineGroup, Node, Placement
from distlab.store.cell import CellVariant


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, median and greatest of some counts; an even number's median is the middle two's mean.

    Attributes:
        least: The smallest.
        median: The middle one.
        greatest: The largest.
    """

    least: int
    median: float
    greatest: int


@dataclass(frozen=True, slots=True)
class CellPlan:
    """What a run would do in one cell.

    Attributes:
        variant: Of its arm.
        decoding: Name of the decoding method.
        dataset: Name of the dataset.
        prompt: Name of the prompt style.
        fingerprint: Content address in the store; None where prompts cannot be rendered here, and
            then nothing is known of the store, of lengths, or of prompts that are too long.
        problems: Problems of the dataset, too long ones included.
        too_long: Problems whose prompt does not fit the model; they get no samples.
        held: Samples of this run that the store holds.
        missing: Samples that a run would draw.
        prompts: Problems with a sample missing.
        prompt_tokens: Prompt lengths over ``problems``, in tokens.
        max_new_tokens: Most tokens that the missing samples can hold: ``missing`` times
            ``decoding.max_tokens``. CoT-decoding's look at the first tokens adds no sample.
        mean_new_tokens: Of the cell's samples in the store; None where it has none.
        mean_computed_tokens: What engines generated for these, fewer where siblings were drawn
            together.
        token_bytes: Most bytes that a new token takes in the store, before compression.
    """

    variant: CellVariant
    decoding: str
    dataset: str
    prompt: str
    fingerprint: str | None
    problems: int
    too_long: int | None
    held: int | None
    missing: int
    prompts: int
    prompt_tokens: Spread | None
    max_new_tokens: int
    mean_new_tokens: float | None
    mean_computed_tokens: float | None
    token_bytes: int

    @property
    def arm(self) -> str:
        """Variant and decoding, "base/cot"."""
        return f"{self.variant}/{self.decoding}"

    @property
    def expected_new_tokens(self) -> float | None:
        """Tokens of the missing samples, were they as long as those in the store."""
        return None if self.mean_new_tokens is None else self.missing * self.mean_new_tokens

    @property
    def expected_computed_tokens(self) -> float | None:
        """Tokens to generate for them, were siblings to share as much as those in the store."""
        mean = self.mean_computed_tokens
        return None if mean is None else self.missing * mean


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the cells; see ``CellPlan`` for the fields.

    A problem counts once in each cell that it is in. What is unknown in a cell is None here.
    """

    problems: int
    too_long: int | None
    held: int | None
    missing: int
    prompts: int
    max_new_tokens: int
    expected_new_tokens: float | None
    expected_computed_tokens: float | None
    max_bytes: int


def totals(cells: Sequence[CellPlan]) -> Totals:
    """Sums over some cells."""
    return Totals(
        problems=sum(cell.problems for cell in cells),
        too_long=_sum_known(cell.too_long for cell in cells),
        held=_sum_known(cell.held for cell in cells),
        missing=sum(cell.missing for cell in cells),
        prompts=sum(cell.prompts for cell in cells),
        max_new_tokens=sum(cell.max_new_tokens for cell in cells),
        expected_new_tokens=_expected(cells, [cell.expected_new_tokens for cell in cells]),
        expected_computed_tokens=_expected(
            cells, [cell.expected_computed_tokens for cell in cells]
        ),
        max_bytes=sum(cell.max_new_tokens * cell.token_bytes for cell in cells),
    )


def _sum_known(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _expected(cells: Sequence[CellPlan], tokens: Sequence[float | None]) -> float | None:
    """Tokens to come, where every cell that lacks samples has some already."""
    wanting = [count for cell, count in zip(cells, tokens, strict=True) if cell.missing]
    known = [tokens for tokens in wanting if tokens is not None]
    return sum(known) if wanting and len(known) == len(wanting) else None


@dataclass(frozen=True, slots=True)
class EnginePlan:
    """The engines that would draw the samples.

    Attributes:
        checkpoints: What they load, in the order of the tables.
        group: What one engine takes.
        nodes: The cluster.
        placements: Engines that have room now, for all checkpoints together.
        fit: Memory of an engine's fullest rank; None where it is not known.
        limits: Of a step of an engine.
        alternatives: Other ways to split an engine that would fit, the best first.
        disk_gb_per_s: GB/s at which a node reads weights; None where it is not known.
        tokens_per_s: New tokens per second of one engine; None where it is not known.
        weight_bytes: Of one checkpoint; None where it is not known, or where a server has it.
        servers: Addresses of the servers that draw instead of engines of ours.
        replicas: Engines of a checkpoint that are asked for; None for as many as there is room.
    """

    checkpoints: tuple[str, ...]
    group: EngineGroup
    nodes: tuple[Node, ...]
    placements: tuple[Placement, ...]
    fit: Fit | None
    limits: BatchLimits
    alternatives: tuple[Alternative, ...]
    disk_gb_per_s: float | None
    tokens_per_s: float | None
    weight_bytes: int | None
    servers: tuple[str, ...] = ()
    replicas: int | None = None

    def engine_hours(self, tokens: float) -> float | None:
        """Hours of one engine for so many new tokens."""
        return None if self.tokens_per_s is None else tokens / self.tokens_per_s / 3600

    @property
    def load_s(self) -> float | None:
        """Seconds in which a node reads a checkpoint."""
        if self.disk_gb_per_s is None or self.weight_bytes is None:
            return None
        return self.weight_bytes / (self.disk_gb_per_s * 1e9)

    def hours(self, tokens: float) -> float | None:
        """Hours on the clock, all engines at work; None where nothing is placed or known."""
        alone = self.engine_hours(tokens)
        return None if alone is None or not self.placements else alone / len(self.placements)


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """One rendered prompt of a dataset x prompt x variant.

    Attributes:
        dataset: Name of the dataset.
        prompt: Name of the prompt style.
        variant: Of its arm.
        problem_id: The problem.
        text: What the model sees; hostile, to be escaped where it is shown.
        tokens: Its length in tokens; None where only a server knows.
        bos: The tokenizer's BOS as text, None where it has none.
        bos_count: How often BOS occurs in the prompt's ids.
        bos_leading: How many of these stand in front of everything else; 2 is a fault.
        stop: Stop strings.
    """

    dataset: str
    prompt: str
    variant: CellVariant
    problem_id: str
    text: str
    tokens: int | None
    bos: str | None
    bos_count: int
    bos_leading: int
    stop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes:
        family: Name of the family.
        store: Where samples are looked up.
        cells: In the order of the tables.
        totals: Sums over ``cells``.
        engines: What would draw the samples.
        prompts: One of each dataset x prompt x variant, in the cells' order.
        notes: What the reader must know, one sentence each.
    """

    family: str
    store: str
    cells: tuple[CellPlan, ...]
    totals: Totals
    engines: EnginePlan
    prompts: tuple[ShownPrompt, ...]
    notes: tuple[str, ...]
