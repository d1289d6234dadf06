"""Hydra launchers of distlab. Hydra finds plugins in this namespace alone."""

from collections.abc import Sequence

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.utils import JobReturn


class SharedEnginesLauncher(BasicLauncher):
    """Hydra's basic launcher, one job after the other, with engines that serve all of them."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs."""
        # Imported late: Hydra loads every plugin at every start.
        from distlab.sweep.launch import launch_here

        return launch_here(self, job_overrides, initial_job_idx)


class RayLauncher(BasicLauncher):
    """Jobs side by side over the Ray cluster of ``cluster.address``."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs."""
        from distlab.sweep.launch import launch_on_ray

        return launch_on_ray(self, job_overrides, initial_job_idx)
