"""``python -m distlab.run``: compose the config and run the study; see ``distlab.study.stages``."""

import os
import signal
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from distlab.config.complaints import explain
from distlab.config.compose import conf_folder, register_schema
from distlab.console import exits
from distlab.console.command import resume_command
from distlab.runs.folder import RunFolder


def main() -> None:
    """Entry point: compose the config, run a study or a sweep, exit with the worst status."""
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
    sys.exit(exits.worst())


@hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")
def _job(config: DictConfig) -> None:
    folder = RunFolder(Path(HydraConfig.get().runtime.output_dir))
    try:
        # Imported late: --help should wait for neither, and bad values not for Ray.
        from distlab.config.door import validate

        study = validate(config)
        from distlab.study.stages import run

        exits.note(run(study, config, folder, resume_command()))
    except Exception as error:
        _complain(error)
        if not any(folder.path.iterdir()):
            folder.path.rmdir()


def _complain(error: Exception) -> None:
    """Print the sentence for bad input; anything else is a fault of ours and goes on up."""
    sentence = explain(error, conf_folder())
    if sentence is None:
        raise error
    print(f"distlab: {sentence}", file=sys.stderr)
    exits.note(exits.BAD_INPUT)


if __name__ == "__main__":
    main()
