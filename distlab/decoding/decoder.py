"""What a decoder is: a frozen dataclass whose fields are its parameters, and its ``sample``."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar

from distlab.decoding.interface import Engine, Sample, SampleRequest

SeedOf = Callable[[int], int]
"""Rank of a sample to its seed, the same whichever replica draws it, and when."""


class SampleOrder(StrEnum):
    """How the samples of a problem relate to each other."""

    SINGLE = "single"
    """There is one, however many are asked for."""
    INDEPENDENT = "independent"
    """Any k of them are as good as any other k: pass@k is the unbiased estimator."""
    RANKED = "ranked"
    """The k first are the k best: pass@k is "any correct among the k top-ranked"."""


class Sampler(StrEnum):
    """How the samples of a problem are drawn, where several ways give the same distribution."""

    AUTO = "auto"
    """As siblings, until a cell shows that it does not pay."""
    TRIE = "trie"
    """As siblings, whether it pays or not."""
    INDEPENDENT = "independent"
    """Each as a request of its own."""


class ParameterError(ValueError):
    """A value that a parameter cannot have.

    Args:
        name: The parameter.
        value: As given.
        remedy: What to do, as an imperative.
    """

    def __init__(self, name: str, value: object, remedy: str) -> None:
        super().__init__(f"{name} is {value!r}: {remedy}")
        self.name = name
        self.value = value
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class StoppingCriteria:
    """Where every completion of a cell ends, whatever draws it.

    Attributes:
        max_tokens: Most new tokens per sample.
        stop: Strings that end a completion.
    """

    max_tokens: int
    stop: tuple[str, ...] = ()


class Decoder(ABC):
    """A way to draw the samples of a problem.

    A subclass is a frozen dataclass. Its fields are its parameters, by the names that the config
    gives them; each has a default, and ``__post_init__`` raises ``ParameterError`` for a value that
    makes no sense. Kind, version and parameters are part of the address of the samples in the
    store.

    Attributes:
        kind: What the config and the store call it. A subclass that does not set it is called
            ``module:Class``.
        version: What ``sample`` draws may change only together with it. A subclass that does not
            set it is of version "1". The kinds that have a short name have None: their addresses
            are older than versions, and hold no parameter that is at its default. So neither code
            nor defaults of theirs ever change, and a new parameter whose default changes nothing
            leaves stored samples where they are.
        order: How the samples of a problem relate.
        random: Whether samples depend on seeds.
        margins: Whether samples hold ``margins`` and ``token_lengths``, of which Delta is made.
    """

    kind: ClassVar[str]
    version: ClassVar[str | None]
    order: ClassVar[SampleOrder] = SampleOrder.INDEPENDENT
    random: ClassVar[bool] = False
    margins: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" not in vars(cls):
            cls.kind = f"{cls.__module__}:{cls.__qualname__}"
        if "version" not in vars(cls):
            cls.version = "1"
        if not {"share", "sharing"} & vars(cls).keys():
            # What it inherits draws from its parent's distribution, whatever its `sample` does.
            cls.sharing = Decoder.sharing  # type: ignore[method-assign]

    def identity(self) -> Mapping[str, Any]:
        """Parameters that can change a sample, for the fingerprint.

        All of them, or those not at their defaults where there is no version. Values must be what
        JSON knows.
        """
        parameters = ((field, getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]
        return {
            field.name: value
            for field, value in parameters
            if self.version or field.default is MISSING or value != field.default
        }

    @property
    def seed_name(self) -> str:
        """What the decoder is called where a sample's seed is made."""
        return ":".join((self.kind, *(f"{name}={v}" for name, v in self.identity().items())))

    def samples(self, n: int) -> int:
        """Samples per problem where ``n`` are asked for."""
        return 1 if self.order is SampleOrder.SINGLE else n

    def branches(self, n: int) -> int:
        """First tokens whose log probabilities ``n`` samples take; 0 where none are asked for."""
        return 0

    @property
    def sharing(self) -> str | None:
        """What ``share`` draws with, and its version: "trie-2"; None where it cannot.

        A subclass has it only where it defines ``share`` or this itself.
        """
        return None

    @property
    def expects_to_share(self) -> bool:
        """Whether samples are likely to begin alike, so that sharing is not tried out first."""
        return False

    async def share(
        self, engine: Engine, request: SampleRequest, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        """As ``sample``, for the compute of what the samples do not have in common.

        Other samples of the same distribution. Only where ``sharing`` is not None.
        """
        raise NotImplementedError(f"{self.kind} cannot share")

    @abstractmethod
    async def sample(
        self, engine: Engine, request: SampleRequest, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        """Draw the missing samples of a problem.

        Args:
            engine: What completes prompts; requests that are awaited together share its batches.
            request: The prompt and the ranks to draw.
            stopping: Where completions end.
            seed_of: A rank to its seed, for a random decoder.

        Returns:
            A sample for each of ``request.ranks``.
        """


@dataclass(frozen=True, slots=True)
class DecodingSpec:
    """A decoding method of the config.

    Attributes:
        name: Name in tables: "cot", "t0.05".
        decoder: How samples are drawn.
        max_tokens: Most new tokens per sample.
        sampler: How independent samples are drawn.
    """

    name: str
    decoder: Decoder
    max_tokens: int
    sampler: Sampler = Sampler.INDEPENDENT
