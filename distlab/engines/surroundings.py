"""What a replica's process must look like before an engine is imported into it."""

import os
from collections.abc import MutableMapping

from distlab.engines.types import EngineSettings, Site

# Under SLURM and MPI these make libraries below vLLM think that they are ranks of the job.
_FOREIGN = ("SLURM_", "PMI_", "PMIX_", "PMI2_", "OMPI_", "MPI_")


def prepare(
    environment: MutableMapping[str, str], settings: EngineSettings, site: Site, ray_address: str
) -> None:
    """Change the process's environment; call it before vLLM is imported.

    Args:
        environment: ``os.environ``.
        settings: Of the engine.
        site: Where it runs.
        ray_address: Of the cluster that the process belongs to.
    """
    for name in [name for name in environment if name.startswith(_FOREIGN)]:
        del environment[name]
    # The engine core is a process of its own that joins Ray by itself; without this it may find
    # another cluster on the machine.
    environment["RAY_ADDRESS"] = ray_address
    if settings.compile_cache is not None:
        environment["VLLM_CACHE_ROOT"] = settings.compile_cache
    if site.spans:
        # Bundles are in rank order already; left to itself vLLM sorts them by node.
        ranks = settings.parallelism.ranks
        environment["VLLM_RAY_BUNDLE_INDICES"] = ",".join(map(str, range(ranks)))
    if settings.device == "cpu" and (binding := _binding(settings, site)):
        # A binding that the user set stays.
        environment.setdefault("VLLM_CPU_OMP_THREADS_BIND", binding)


def _binding(settings: EngineSettings, site: Site) -> str:
    """The cores of each rank, "0,1|2,3"; empty where the node has fewer than Ray was told.

    Left to itself vLLM gives several engines the same cores, and keeps one back for its front
    end, which on two cores costs a third of the throughput.
    """
    cores = sorted(os.sched_getaffinity(0))
    ranks = settings.parallelism.ranks
    each = len(site.cores) // ranks
    if not each or max(site.cores) >= len(cores):
        return ""
    mine = [str(cores[place]) for place in site.cores]
    return "|".join(",".join(mine[i * each : (i + 1) * each]) for i in range(ranks))
