"""``python -m distlab.run``: compose the config and run the study; see ``distlab.study``."""

import os
import shlex
import signal
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from distlab.config.complaints import explain
from distlab.config.compose import conf_folder, register_schema
from distlab.runfolder import RunFolder

EXIT_BAD_INPUT = 2

_statuses: list[int] = []


def main() -> None:
    """Entry point: compose the config, run, and exit with the worst job's status."""
    register_schema()
    # Hydra then raises instead of printing, and the sentence is ours.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        _job()
    except KeyboardInterrupt:
        print(f"stopped; what was sampled is committed. Resume with:\n  {resume_command()}")
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        _complain(error)
    sys.exit(max(_statuses, default=0))


@hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")
def _job(config: DictConfig) -> None:
    folder = RunFolder(Path(HydraConfig.get().runtime.output_dir))
    try:
        # Imported late: --help should wait for neither, and bad values not for Ray.
        from distlab.config.door import validate

        study = validate(config)
        from distlab.study import run

        _statuses.append(run(study, config, folder, resume_command()))
    except Exception as error:
        _complain(error)
        if not any(folder.path.iterdir()):
            folder.path.rmdir()


def resume_command() -> str:
    """The command line that was typed."""
    return shlex.join(["python", "-m", "distlab.run", *sys.argv[1:]])


def _complain(error: Exception) -> None:
    """Print the sentence for bad input; anything else is a fault of ours and goes on up."""
    sentence = explain(error, conf_folder())
    if sentence is None:
        raise error
    print(f"distlab: {sentence}", file=sys.stderr)
    _statuses.append(EXIT_BAD_INPUT)


if __name__ == "__main__":
    main()
