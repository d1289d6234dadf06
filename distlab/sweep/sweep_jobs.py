"""Overrides of many jobs in, checked studies out: whatever can be refused is refused here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, open_dict

from distlab.config.complaints import explain
from distlab.config.compose import conf_folder
from distlab.config.derive import derived
from distlab.config.door import validate
from distlab.config.sweeps import set_apart
from distlab.config.values import Study
from distlab.errors import UserError
from distlab.runs.folder import RunFolder


@dataclass(frozen=True, slots=True)
class SweepJob:
    """A job of a sweep.

    Attributes:
        number: Its number, from 0.
        apart: The overrides in which it differs from the other jobs.
        config: Composed, without Hydra's own node, with what its checkpoints say.
        study: The same, validated.
        folder: Its run folder.
    """

    number: int
    apart: tuple[str, ...]
    config: DictConfig
    study: Study
    folder: RunFolder


def make_jobs(configs: Sequence[DictConfig]) -> list[SweepJob]:
    """Check the jobs of a sweep.

    Args:
        configs: As Hydra composed them, numbers and folders included.

    Raises:
        UserError: A value is wrong, or two jobs write to one folder; the sentence names the jobs.
    """
    apart = set_apart([list(config.hydra.overrides.task) for config in configs])
    jobs = [_make_job(config, own) for config, own in zip(configs, apart, strict=True)]
    _check_folders(jobs)
    return jobs


def _make_job(config: DictConfig, apart: tuple[str, ...]) -> SweepJob:
    folder = Path(config.hydra.sweep.dir) / config.hydra.sweep.subdir
    number = int(config.hydra.job.num)
    own = config.copy()
    with open_dict(own):
        del own["hydra"]
    try:
        own = derived(own)
        study = validate(own)
    except Exception as error:
        if (sentence := explain(error, conf_folder())) is None:
            raise
        raise UserError(f"job {number} ({' '.join(apart)}): {sentence}") from error
    return SweepJob(number, apart, own, study, RunFolder(folder))


def _check_folders(jobs: Sequence[SweepJob]) -> None:
    seen: dict[Path, SweepJob] = {}
    for job in jobs:
        if (other := seen.setdefault(job.folder.path, job)) is not job:
            raise UserError(
                f"jobs {other.number} and {job.number} would both write to {job.folder.path}: "
                "leave `hydra.sweep.subdir` as it is, or make it differ by job"
            )
