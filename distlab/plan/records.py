"""Plan: what a run would do, as numbers and text."""

from dataclasses import dataclass

from distlab.samples.cell import Cell


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
        cell: Its labels and fingerprint.
        problems: Problems of the dataset, too long ones included.
        too_long: Problems whose prompt does not fit the model; they get no samples.
        held: Samples of this run that the store holds.
        missing: Samples that a run would draw.
        prompt_tokens: Prompt lengths over ``problems``, in tokens.
        max_new_tokens: Most tokens that the missing samples can hold: ``missing`` times
            ``decoding.max_tokens``. CoT-decoding's look at the first tokens adds no sample.
    """

    cell: Cell
    problems: int
    too_long: int
    held: int
    missing: int
    prompt_tokens: Spread
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the cells; see ``CellPlan`` for the fields.

    A problem counts once in each cell that it is in.
    """

    problems: int
    too_long: int
    held: int
    missing: int
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """One rendered prompt of a dataset x prompt x variant.

    Attributes:
        dataset: Name of the dataset.
        prompt: Name of the prompt style.
        variant: "base" or "instruct".
        problem_id: The problem.
        text: What the model sees; hostile, to be escaped where it is shown.
        tokens: Its length in tokens.
        bos: The tokenizer's BOS as text, None where it has none.
        bos_count: How often BOS occurs in the prompt's ids.
        bos_leading: How many of these stand in front of everything else; 2 is a fault.
        stop: Stop strings.
    """

    dataset: str
    prompt: str
    variant: str
    problem_id: str
    text: str
    tokens: int
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
        prompts: One of each dataset x prompt x variant, in the cells' order.
        notes: What the reader must know, one sentence each.
    """

    family: str
    store: str
    cells: tuple[CellPlan, ...]
    totals: Totals
    prompts: tuple[ShownPrompt, ...]
    notes: tuple[str, ...]
