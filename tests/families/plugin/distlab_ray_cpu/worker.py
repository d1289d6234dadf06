from vllm.distributed import get_pp_group
from vllm.v1.worker.cpu_worker import CPUWorker


class RayCpuWorker(CPUWorker):
    def load_model(self, *, load_dummy_weights: bool = False) -> None:
        """Eager mode on CPU skips the dummy run that allocates what later stages receive into."""
        super().load_model(load_dummy_weights=load_dummy_weights)
        runner = self.model_runner
        if not get_pp_group().is_first_rank and runner.intermediate_tensors is None:
            runner.intermediate_tensors = runner.model.make_empty_intermediate_tensors(
                batch_size=runner.max_num_tokens,
                dtype=runner.model_config.dtype,
                device=runner.device,
            )
