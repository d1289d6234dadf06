from typing import Any

import torch
from vllm.distributed import get_pp_group
from vllm.model_executor.layers.fused_moe.experts.cpu_moe import CPUUnquantizedExperts
from vllm.v1.worker.cpu_worker import CPUWorker


class RayCpuWorker(CPUWorker):
    def load_model(self, *, load_dummy_weights: bool = False) -> None:
        """Eager mode on CPU skips the dummy run that allocates what later stages receive into."""
        CPUUnquantizedExperts.apply = _apply_mapped
        super().load_model(load_dummy_weights=load_dummy_weights)
        runner = self.model_runner
        if not get_pp_group().is_first_rank and runner.intermediate_tensors is None:
            runner.intermediate_tensors = runner.model.make_empty_intermediate_tensors(
                batch_size=runner.max_num_tokens,
                dtype=runner.model_config.dtype,
                device=runner.device,
            )


_apply = CPUUnquantizedExperts.apply


def _apply_mapped(
    self: CPUUnquantizedExperts,
    *,
    topk_weights: torch.Tensor,
    topk_ids: torch.Tensor,
    expert_map: torch.Tensor | None,
    **rest: Any,  # noqa: ANN401
) -> None:
    """With expert parallelism: this rank's experts by their place here, and none of the others.

    vLLM's CPU kernel takes a global expert id for a place among this rank's experts and reads past
    their end.
    """
    if expert_map is not None:
        places = expert_map[topk_ids.long()]
        topk_weights = topk_weights.masked_fill(places < 0, 0.0)
        topk_ids = places.clamp(min=0).to(torch.int32)
    _apply(self, topk_weights=topk_weights, topk_ids=topk_ids, expert_map=expert_map, **rest)
