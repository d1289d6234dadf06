"""``distlab run``: compose the config and run the study; see ``distlab.study.stages``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, NoReturn

from distlab.console.command import going_on, resume_command
from distlab.console.exits import Statuses, Task, stopped_by
from distlab.console.main import as_process, guarded
from distlab.console.stopping import came
from distlab.credentials import refuse_typed

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from distlab.api.opened import Run
    from distlab.runs.folder import RunFolder

_STOPPED: Final = "stopped; what was sampled is committed"


def main() -> NoReturn:
    """Entry point: compose the config, run a study or a sweep, exit with the worst status."""
    sys.exit(as_process(_run, _STOPPED, going_on(resume_command())))


def _run() -> int:
    # Before Hydra makes folders and files of it.
    refuse_typed(sys.argv[1:])
    # Imported late: Ctrl-C while Hydra loads must end in a sentence too.
    import hydra

    from distlab.config.compose import conf_folder, explained, register_schema
    from distlab.config.hydra_options import check_options

    check_options(sys.argv[1:])
    # Hydra's messages begin with the program, however it was called.
    sys.argv[0] = "distlab run"
    register_schema()
    # Hydra then raises instead of printing, and the sentence is ours.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    statuses = Statuses()
    compose = hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")
    try:
        with explained():
            compose(Task(_job, statuses))()
    except OSError as error:
        # A sweep's first file is Hydra's, and the error of a write names none.
        error.filename = error.filename or "`runs`"
        raise
    worst, number = statuses.worst, came()
    # Jobs in processes of Ray are told by an interrupt, whatever the signal was.
    return worst if number is None or worst < stopped_by(0) else stopped_by(number)


def _job(config: DictConfig) -> int:
    # Nothing may be raised from here: Hydra would print lines of its own.
    return guarded(lambda: _in_folder(config), _STOPPED + going_on(resume_command()))


def _in_folder(config: DictConfig) -> int:
    from hydra.core.hydra_config import HydraConfig

    from distlab.config.compose import is_stamped
    from distlab.runs.folder import occupied, occupied_new

    hydra_config = HydraConfig.get()
    occupy = occupied_new if is_stamped(hydra_config.run) else occupied
    with occupy(Path(hydra_config.runtime.output_dir)) as folder:
        return _study(config, folder)


def _study(config: DictConfig, folder: RunFolder) -> int:
    # Imported late: --help should wait for neither, and bad values not for Ray.
    from distlab.config.compose import explained
    from distlab.config.derive import derived
    from distlab.config.door import validate

    with explained():
        config = derived(config)
        study = validate(config)
    from distlab.study.stages import run

    return run(study, config, folder, resume_command())


class _CallableModule(ModuleType):
    """This module, which is `distlab.run(...)` too.

    A submodule becomes an attribute of its package once anybody imports it, so that no function of
    that name could stand in the package beside it.
    """

    def __call__(self, overrides: Sequence[str] = ()) -> Run:
        """Run a study, and open what it leaves; see ``distlab.api.running.run_study``."""
        from distlab.api.running import run_study

        return run_study(overrides)


if __name__ == "__main__":
    main()
sys.modules[__name__].__class__ = _CallableModule
