"""``distlab run``: compose the config and run the study; see ``distlab.study.stages``."""

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from distlab.config.compose import conf_folder, explained, is_stamped, register_schema
from distlab.console.command import going_on, resume_command
from distlab.console.exits import Statuses, Task, stopped_by
from distlab.console.main import as_process, guarded
from distlab.console.stopping import came
from distlab.credentials import refuse_typed
from distlab.runs.folder import RunFolder, occupied, occupied_new

_STOPPED: Final = "stopped; what was sampled is committed"


def main() -> NoReturn:
    """Entry point: compose the config, run a study or a sweep, exit with the worst status."""
    sys.exit(as_process(_run, _STOPPED, going_on(resume_command())))


def _run() -> int:
    # Before Hydra makes folders and files of it.
    refuse_typed(sys.argv[1:])
    register_schema()
    # Hydra then raises instead of printing, and the sentence is ours.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    statuses = Statuses()
    try:
        with explained():
            _main(Task(_job, statuses))()
    except OSError as error:
        # A sweep's first file is Hydra's, and the error of a write names none.
        error.filename = error.filename or "`runs`"
        raise
    worst, number = statuses.worst, came()
    # Jobs in processes of Ray are told by an interrupt, whatever the signal was.
    return worst if number is None or worst < stopped_by(0) else stopped_by(number)


_main = hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")


def _job(config: DictConfig) -> int:
    # Nothing may be raised from here: Hydra would print lines of its own.
    return guarded(lambda: _in_folder(config), _STOPPED + going_on(resume_command()))


def _in_folder(config: DictConfig) -> int:
    hydra_config = HydraConfig.get()
    occupy = occupied_new if is_stamped(hydra_config.run) else occupied
    with occupy(Path(hydra_config.runtime.output_dir)) as folder:
        return _study(config, folder)


def _study(config: DictConfig, folder: RunFolder) -> int:
    # Imported late: --help should wait for neither, and bad values not for Ray.
    from distlab.config.door import validate

    with explained():
        study = validate(config)
    from distlab.study.stages import run

    return run(study, config, folder, resume_command())


if __name__ == "__main__":
    main()
