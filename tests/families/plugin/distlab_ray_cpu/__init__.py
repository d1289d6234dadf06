"""vLLM's CPU platform with a Ray device, so that a group of ranks can span nodes without a GPU.

For tests alone: vLLM declares no Ray device on CPU. Ranks sit on made-up GPUs. Put this folder on
PYTHONPATH of the raylets and set VLLM_PLUGINS=distlab_ray_cpu.
"""


def register() -> str:
    return "distlab_ray_cpu.platform.RayCpuPlatform"
