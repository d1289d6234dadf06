"""How fast an engine draws, split one way or another: memory traffic, compute and links. Pure.

A step of decoding reads the weights that its tokens pass through and the KV cache of its sequences,
computes, and exchanges activations. What all splits have in common (kernels below the data sheet's
rates, the front end, sampling) is left out, so only ratios mean anything.
"""

import math
from dataclasses import dataclass
from typing import Final

from distlab.placement.gpus import GPUModel
from distlab.placement.memory import Fit
from distlab.placement.model_facts import ModelFacts
from distlab.placement.placement import Parallelism

# Seconds that a collective takes whatever its size, inside a node and over several; bytes per
# second and GPU over several, of 400 Gb/s (ours).
_NEAR_S: Final = 10e-6
_FAR_S: Final = 40e-6
_FAR_BYTES_PER_S: Final = 50e9
_ACTIVATION_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Load:
    """What an engine has to do.

    Attributes:
        sequences: Most that run at once.
        length: Tokens that a running sequence holds, on average.
    """

    sequences: int
    length: float


@dataclass(frozen=True, slots=True)
class Rate:
    """A model of one engine's steps.

    Attributes:
        facts: Of the checkpoint.
        parallelism: How it is split.
        fit: Memory of its fullest rank.
        gpu: What it runs on.
        gpus_per_node: How many of them share a node.
    """

    facts: ModelFacts
    parallelism: Parallelism
    fit: Fit
    gpu: GPUModel
    gpus_per_node: int

    def tokens_per_s(self, load: Load) -> float:
        """New tokens per second, all of the engine's sequences decoding.

        Stages of a pipeline work on a part of the sequences each.
        """
        at_once = min(load.sequences, self.fit.sequences(load.length))
        batch = at_once / self.parallelism.pipeline
        return batch / self._step_s(batch, load) if batch else 0.0

    def _step_s(self, batch: float, load: Load) -> float:
        split, facts = self.parallelism, self.facts
        # Of a mixture of experts a token passes through a few; many tokens pass through all.
        idle = 1 - facts.active_parameters / (facts.parameters or facts.active_parameters)
        cache = batch / split.data * load.length * self.fit.bytes_per_token(load.length)
        touched = 1 - math.pow(idle, batch)
        read = self.fit.weights * touched + cache
        operations = 2 * facts.active_parameters * batch / split.ranks
        return (
            read / self.gpu.memory_bytes_per_s
            + operations / self.gpu.flops
            + self._exchange_s(batch)
        )

    def _exchange_s(self, batch: float) -> float:
        """Collectives of a stage's layers."""
        split, facts = self.parallelism, self.facts
        layers = math.ceil(facts.layers / split.pipeline)
        hidden = batch * _hidden(facts) * _ACTIVATION_BYTES
        heads = batch * facts.attention_heads * facts.kv_bytes_per_token
        heads /= facts.layers * facts.kv_heads
        each = self._collective_s(2 * hidden, split.tensor, split.tensor)
        each += self._collective_s(heads, split.context, split.tensor)
        each += self._collective_s(hidden, split.data, split.tensor * split.data)
        return 2 * layers * each

    def _collective_s(self, size: float, ranks: int, span: int) -> float:
        """One collective of so many bytes among ranks that lie within ``span`` GPUs."""
        if ranks == 1:
            return 0.0
        is_near = span <= self.gpus_per_node
        latency = _NEAR_S if is_near else _FAR_S
        speed = self.gpu.link_bytes_per_s if is_near else _FAR_BYTES_PER_S
        return latency + size * (ranks - 1) / ranks / speed


def _hidden(facts: ModelFacts) -> float:
    """Width of a layer, of the 12 h^2 parameters that a token passes through in one.

    Within a tenth of what config.json says for the families here.
    """
    return math.sqrt(facts.active_parameters / (12 * facts.layers))
