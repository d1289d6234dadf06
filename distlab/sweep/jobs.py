"""Overrides of many jobs in, checked studies out: whatever can be refused is refused here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from omegaconf import DictConfig, open_dict

from distlab.config.complaints import explain
from distlab.config.compose import conf_folder
from distlab.config.door import validate
from distlab.config.study import Study
from distlab.config.sweeps import set_apart
from distlab.errors import UserError
from distlab.runfolder import RunFolder


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a sweep.

    Attributes:
        number: From 0.
        overrides: What was typed, with this job's values.
        apart: Those in which it differs from the other jobs.
        config: Composed, without Hydra's own node.
        study: What to do.
        folder: Of its run.
    """

    number: int
    overrides: tuple[str, ...]
    apart: tuple[str, ...]
    config: DictConfig
    study: Study
    folder: RunFolder


def make_jobs(configs: Sequence[DictConfig]) -> list[Job]:
    """Check the jobs of a sweep.

    Args:
        configs: As Hydra composed them, numbers and folders included.

    Raises:
        UserError: A value is wrong, or two jobs write to one folder; the sentence names the jobs.
    """
    jobs = [_make_job(config) for config in configs]
    _check_folders(jobs)
    apart = set_apart([job.overrides for job in jobs])
    return [replace(job, apart=own) for job, own in zip(jobs, apart, strict=True)]


def _make_job(config: DictConfig) -> Job:
    overrides = tuple(config.hydra.overrides.task)
    folder = Path(config.hydra.sweep.dir) / config.hydra.sweep.subdir
    number = int(config.hydra.job.num)
    own = config.copy()
    with open_dict(own):
        del own["hydra"]
    try:
        study = validate(own)
    except Exception as error:
        if (sentence := explain(error, conf_folder())) is None:
            raise
        raise UserError(f"job {number} ({' '.join(overrides)}): {sentence}") from error
    return Job(number, overrides, overrides, own, study, RunFolder(folder))


def _check_folders(jobs: Sequence[Job]) -> None:
    seen: dict[Path, Job] = {}
    for job in jobs:
        if (other := seen.setdefault(job.folder.path, job)) is not job:
            raise UserError(
                f"jobs {other.number} and {job.number} would both write to {job.folder.path}: "
                "leave `hydra.sweep.subdir` as it is, or make it differ by job"
            )
