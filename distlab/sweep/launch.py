"""What Hydra's launchers of distlab do: jobs in this process, or side by side on Ray."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from omegaconf import DictConfig, OmegaConf, open_dict
from rich.console import Console

from distlab.config.compose import is_stamped
from distlab.console.command import resume_command
from distlab.console.exits import Exit, Statuses, Task
from distlab.console.printing import printer
from distlab.console.quiet import quiet
from distlab.errors import UserError, counted
from distlab.files import whole
from distlab.report import build_report, write_report
from distlab.runs.folder import occupied, occupied_new
from distlab.sweep.group_task import GroupResult, JobGroup, Said, run_group
from distlab.sweep.groups import group_jobs
from distlab.sweep.record import JobState, SweepRecord, write_record
from distlab.sweep.sweep import Result, Sweep
from distlab.sweep.sweep_jobs import SweepJob, make_jobs
from distlab.sweep.sweep_table import render_jobs


def launch_here(
    launcher: BasicLauncher, overrides: Sequence[Sequence[str]], first: int
) -> list[JobReturn]:
    """Run the jobs one after the other, with engines that serve all of them.

    Args:
        launcher: Hydra's launcher, with its context.
        overrides: The overrides of each job.
        first: Number of the first job.

    Raises:
        UserError: A job has a wrong value; none was started.
    """
    with _folder(launcher) as folder:
        return _launch_here(launcher, _compose(launcher, overrides, first, folder), folder)


def _launch_here(
    launcher: BasicLauncher, configs: Sequence[DictConfig], folder: Path
) -> list[JobReturn]:
    jobs = make_jobs(configs)
    book = _Book(jobs, folder)
    console = printer()
    sweep = Sweep(jobs, book.folder, book.command, console, book.folder / "log.txt")
    returns = []
    try:
        for job, config in zip(jobs, configs, strict=True):
            assert launcher.hydra_context is not None
            returns.append(
                run_job(
                    hydra_context=launcher.hydra_context,
                    task_function=partial(book.take, sweep, job.number),
                    config=config,
                    job_dir_key="hydra.sweep.dir",
                    job_subdir_key="hydra.sweep.subdir",
                )
            )
    finally:
        sweep.close()
    book.end(console, _statuses(launcher))
    return returns


def launch_on_ray(
    launcher: BasicLauncher, overrides: Sequence[Sequence[str]], first: int
) -> list[JobReturn]:
    """Run the jobs side by side over a cluster; those that share a checkpoint in one process.

    Args:
        launcher: Hydra's launcher, with its context.
        overrides: The overrides of each job.
        first: Number of the first job.

    Raises:
        UserError: A job has a wrong value, or jobs name different clusters; none was started.
    """
    with _folder(launcher) as folder:
        return _launch_on_ray(launcher, _compose(launcher, overrides, first, folder), folder)


def _launch_on_ray(
    launcher: BasicLauncher, configs: Sequence[DictConfig], folder: Path
) -> list[JobReturn]:
    from distlab.engines.cluster import connected
    from distlab.sweep.side_by_side import run_beside

    jobs = make_jobs(configs)
    if len({job.study.cluster.address for job in jobs}) > 1:
        raise UserError(
            "hydra/launcher=ray runs all jobs on one cluster: give one `cluster.address`"
        )
    book = _Book(jobs, folder)
    by_number = {job.number: job for job in jobs}
    groups = [
        JobGroup(
            tuple(by_number[number] for number in group),
            book.folder.absolute(),
            book.command,
            Path.cwd(),
        )
        for group in group_jobs({job.number: job.study for job in jobs})
    ]
    console = printer()
    with (
        quiet(book.folder / "log.txt") as terminal,
        connected(jobs[0].study.cluster, partial(print, file=terminal)),
    ):
        said = Said(groups, terminal)
        for group, ended in run_beside(run_group, groups, said.pass_on):
            book.enter(*_outcome(group, ended))
        said.pass_on()
    book.end(console, _statuses(launcher))
    return [
        _job_return(config, book.status(job)) for job, config in zip(jobs, configs, strict=True)
    ]


def _statuses(launcher: BasicLauncher) -> Statuses:
    """Where the command that Hydra runs for wants its jobs' statuses."""
    task = launcher.task_function
    assert isinstance(task, Task)
    return task.statuses


def _outcome(group: JobGroup, ended: GroupResult | Exception) -> tuple[Sequence[Result], int, int]:
    if isinstance(ended, GroupResult):
        return ended.results, ended.engine_starts, ended.samples
    *_, last = [type(ended).__name__, *str(ended).strip().splitlines()]
    error = f"its process ended: {last} (see {group.said})"
    failed = [Result.of(job, JobState.FAILED, Exit.FAILED, (error,)) for job in group.jobs]
    return failed, 0, 0


def _job_return(config: DictConfig, status: int) -> JobReturn:
    return JobReturn(
        overrides=list(config.hydra.overrides.task),
        cfg=config,
        _return_value=status,
        status=JobStatus.COMPLETED,
    )


class _Book:
    """The results so far; keeps the sweep's record up to date."""

    def __init__(self, jobs: Sequence[SweepJob], folder: Path) -> None:
        self.folder = folder
        self.command = resume_command()
        self._results = {job.number: Result.of(job, JobState.WAITING) for job in jobs}
        self._engine_starts = 0
        self._samples = 0
        self._write()

    def take(self, sweep: Sweep, number: int, _: DictConfig) -> int:
        starts, samples = sweep.engine_starts, sweep.samples
        result = sweep.run(number)
        self.enter([result], sweep.engine_starts - starts, sweep.samples - samples)
        return result.record.status

    def enter(self, results: Iterable[Result], engine_starts: int, samples: int) -> None:
        self._results.update({result.record.number: result for result in results})
        self._engine_starts += engine_starts
        self._samples += samples
        # A full disk must not stop the other jobs; the end tries again, and says so.
        with suppress(OSError):
            self._write()

    def status(self, job: SweepJob) -> int:
        return self._results[job.number].record.status

    def _write(self) -> None:
        jobs = tuple(result.record for result in self._results.values())
        write_record(
            self.folder, SweepRecord(self.command, jobs, self._engine_starts, self._samples)
        )

    def end(self, console: Console, statuses: Statuses) -> None:
        """Print the table, and note the jobs' statuses.

        Raises:
            OSError: The sweep's record cannot be written.
        """
        render_jobs([line for result in self._results.values() for line in result.lines], console)
        drawn, starts = (
            counted(self._samples, "sample"),
            counted(self._engine_starts, "engine start"),
        )
        _say(console, f"{drawn} drawn, {starts}")
        self._report(console)
        states = [result.record.state for result in self._results.values()]
        if JobState.STOPPED in states or JobState.WAITING in states:
            _say(console, "stopped; what was sampled is committed. Resume with:")
            _say(console, f"  {self.command}")
        for result in self._results.values():
            statuses.note(result.record.status)
        self._write()

    def _report(self, console: Console) -> None:
        """One report over all jobs, where they make one study."""
        _say(console, f"sweep {self.folder}")
        if sum(result.scored for result in self._results.values()) < 2:
            return
        try:
            path = write_report(self.folder, build_report(self.folder))
        except UserError as error:
            _say(console, f"no report over all jobs: {error}")
        else:
            _say(console, f"report over all jobs {path}")


@contextmanager
def _folder(launcher: BasicLauncher) -> Iterator[Path]:
    """The sweep's folder, with Hydra's record of the config, for this process alone."""
    assert launcher.config is not None
    sweep = launcher.config.hydra.sweep
    with (occupied_new if is_stamped(sweep) else occupied)(Path(sweep.dir)) as folder:
        # Hydra wrote it into the folder that was asked for, which another sweep may have.
        with whole(folder.path / "multirun.yaml") as stream:
            stream.write(OmegaConf.to_yaml(launcher.config).encode())
        yield folder.path


def _compose(
    launcher: BasicLauncher, overrides: Sequence[Sequence[str]], first: int, folder: Path
) -> list[DictConfig]:
    setup_globals()
    assert launcher.hydra_context is not None
    assert launcher.config is not None
    loader = launcher.hydra_context.config_loader
    configs = []
    for number, own in enumerate(overrides, first):
        config = loader.load_sweep_config(launcher.config, list(own))
        with open_dict(config):
            config.hydra.job.id = number
            config.hydra.job.num = number
            config.hydra.sweep.dir = str(folder)
        configs.append(config)
    return configs


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
