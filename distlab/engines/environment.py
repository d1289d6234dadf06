"""What a replica's process must look like before an engine is imported into it."""

import os
import tempfile
from collections.abc import MutableMapping, Sequence

from distlab.engines.launchers import without_launcher
from distlab.engines.messages import EngineSettings, Site
from distlab.sockets import vllm_folder

# Where vLLM reads the cores of each rank of a CPU engine.
VLLM_BINDING = "VLLM_CPU_OMP_THREADS_BIND"

# Threads that wait for each other spin before they sleep. OpenMP's default of 300,000 turns takes
# milliseconds and starves an engine on a machine that computes much else (a tenth of the tokens/s
# was seen). So many were no slower on a quiet machine; 20,000 were 2.5 % slower, and 2,000 4 %.
SPINS = {"GOMP_SPINCOUNT": "100000"}


def prepare(
    environment: MutableMapping[str, str], settings: EngineSettings, site: Site, ray_address: str
) -> None:
    """Change the process's environment; call it before vLLM is imported.

    Args:
        environment: ``os.environ``.
        settings: How the engine is built.
        site: Where the engine runs.
        ray_address: Of the cluster that the process belongs to.
    """
    for name in environment.keys() - without_launcher(environment).keys():
        del environment[name]
    # The engine core is a process of its own that joins Ray by itself; without this it may find
    # another cluster on the machine.
    environment["RAY_ADDRESS"] = ray_address
    # What was set on the node before Ray started stays, as a name of that node's own.
    for name, value in site.network:
        environment.setdefault(name, value)
    environment.update(settings.env)
    # Said either way, since it changes samples and what is in the address must hold.
    environment["VLLM_BATCH_INVARIANT"] = "1" if settings.batch_invariant else "0"
    if settings.compile_cache is not None:
        environment["VLLM_CACHE_ROOT"] = settings.compile_cache
    if (folder := vllm_folder(tempfile.gettempdir())) is not None:
        environment.setdefault("VLLM_RPC_BASE_PATH", folder)
    if site.spans:
        # Bundles are in rank order already; left to itself vLLM sorts them by node.
        ranks = settings.parallelism.ranks
        environment["VLLM_RAY_BUNDLE_INDICES"] = ",".join(map(str, range(ranks)))
    if settings.device == "cpu":
        for name, value in SPINS.items():
            environment.setdefault(name, value)
    # A binding that the user set stays.
    if settings.device == "cpu" and VLLM_BINDING not in environment:
        environment.update(_binding(settings, site))


def _binding(settings: EngineSettings, site: Site) -> dict[str, str]:
    """Variables that give each rank its cores; none where the node has fewer than Ray was told.

    Left to itself vLLM gives several engines the same cores, and keeps one back for its front
    end, which on two cores costs a third of the throughput. A single rank runs in the engine
    core's own process (see ``engine_args``), which vLLM leaves unbound.
    """
    cores = sorted(os.sched_getaffinity(0))
    ranks = settings.parallelism.ranks
    each = len(site.cores) // ranks
    if not each or max(site.cores) >= len(cores):
        return {}
    mine = [cores[place] for place in site.cores]
    if ranks > 1:
        lists = (mine[i * each : (i + 1) * each] for i in range(ranks))
        return {VLLM_BINDING: "|".join(",".join(map(str, own)) for own in lists)}
    return threads_on(mine)


def threads_on(cores: Sequence[int]) -> dict[str, str]:
    """Variables that give an engine of one rank a thread for each of these cores, and no other."""
    return {
        "OMP_NUM_THREADS": str(len(cores)),
        "OMP_PLACES": f"{{{','.join(map(str, cores))}}}",
        "OMP_PROC_BIND": "true",
    }
