"""What drew a shard: the hardware, the split, the kernels. Kept in the metadata of its schema.

Greedy samples in bfloat16 change with the GPU's type and with how an engine is split, as sums of
other kernels round otherwise (arXiv:2506.09501). A cell's address does not say them, so that its
samples count on every machine; a shard does.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

# Key in the metadata of a shard's schema. Shards that were ingested, drawn by a server or by an
# earlier distlab have none.
ORIGIN_KEY = b"distlab.origin"


@dataclass(frozen=True, slots=True)
class Origin:
    """What an engine of ours ran on, and how.

    Attributes:
        device: Type of its GPUs ("H100"), or instruction set of its CPU ("x86_64 avx512").
        split: Over how many of them, and how: "TP 8 x PP 2".
        attention: vLLM's attention backend; empty where the engine does not tell.
        vllm: Build and version.
        sequences: Most that a step computes.
        tokens: Most that a step computes, prompts included; None for vLLM's choice.
        batch_invariant: Whether no other request of a batch could change a sample.
    """

    device: str
    split: str
    attention: str = ""
    vllm: str = ""
    sequences: int = 0
    tokens: int | None = None
    batch_invariant: bool = False

    def draws_as(self, other: "Origin") -> bool:
        """Whether samples of both may stand in one cell: as far as the engine itself can tell.

        Limits of a batch do not count. How many requests a step computes changes all the time
        within one run, and a smaller limit is what one sets after running out of memory.
        """
        kernels = self.attention == other.attention or not (self.attention and other.attention)
        return kernels and (self.device, self.split) == (other.device, other.split)

    @property
    def address(self) -> Mapping[str, str]:
        """As a cell's address has it, where the cell is of this hardware alone."""
        return {"device": self.device, "split": self.split}

    def is_foreign_to(self, stored: Collection["Origin"]) -> bool:
        """Whether it draws otherwise than all that drew what is stored, if anything is."""
        return bool(stored) and not any(self.draws_as(other) for other in stored)

    def encoded(self) -> bytes:
        """For the metadata of a shard."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.device, self.split, self.attention)))


def origin_of(schema: pa.Schema) -> Origin | None:
    """What a shard's schema says; None where it says nothing, or nothing that we know."""
    try:
        raw: Any = json.loads((schema.metadata or {})[ORIGIN_KEY])
        known = {name: raw[name] for name in Origin.__dataclass_fields__ if name in raw}
    except (KeyError, TypeError, ValueError):
        return None
    texts = (known.get(name, "") for name in ("device", "split", "attention", "vllm"))
    if not {"device", "split"} <= known.keys() or not all(isinstance(t, str) for t in texts):
        return None
    return Origin(**known)
