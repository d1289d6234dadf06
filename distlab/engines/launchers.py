"""Variables of whatever launched us, which nothing below may inherit."""

from collections.abc import Mapping

# SLURM's and the process managers': MPI, Ray's workers and libraries below vLLM take these for
# their own launch, and themselves for ranks of the job.
_LAUNCHERS = (
    *("SLURM_", "SLURMD_", "SRUN_", "SBATCH_"),
    *("PMI_", "PMI2_", "PMIX_", "OMPI_", "MPI_"),
)


def without_launcher(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment less SLURM's and the process managers' variables."""
    return {name: value for name, value in environment.items() if not name.startswith(_LAUNCHERS)}
