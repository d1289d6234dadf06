"""Hydra's config folder, its schema, and composing outside of ``distlab.run``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError

from distlab.config.complaints import explain
from distlab.config.derive import family_name
from distlab.config.entries import typed_entries
from distlab.config.quoting import quoted
from distlab.config.schema import StudyConfig
from distlab.errors import UserError
from distlab.files import expanded, folder_name

_PACKAGE = Path(__file__).parent.parent


def conf_folder() -> Path:
    """``conf/``: inside an installed package, beside the package in a source tree."""
    installed = _PACKAGE / "conf"
    return installed if installed.is_dir() else _PACKAGE.parent / "conf"


def register_schema() -> None:
    """Tell Hydra the types, and what `${expanded:...}` and the like mean.

    To be called before anything is composed.
    """
    ConfigStore.instance().store(name="study", node=StudyConfig)
    OmegaConf.register_new_resolver("expanded", expanded, replace=True)
    OmegaConf.register_new_resolver("folder_name", folder_name, replace=True)
    OmegaConf.register_new_resolver("family_name", family_name, replace=True)
    OmegaConf.register_new_resolver("stem", _stem, replace=True)


def _stem(path: str | None) -> str | None:
    """What a file, or a repository, is called."""
    return Path(path).stem if path else None


def is_stamped(folder: object) -> bool:
    """Whether a folder of Hydra's is named by the time: a new one for each command.

    Args:
        folder: ``hydra.run`` or ``hydra.sweep``.
    """
    raw = OmegaConf.to_container(folder, resolve=False)
    return isinstance(raw, dict) and "${now:" in str(raw["dir"])


@contextmanager
def explained() -> Iterator[None]:
    """Turn what Hydra says of a wrong config into one sentence.

    Raises:
        UserError: The block raised an error of Hydra's, OmegaConf's or YAML's.
    """
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explain(error, conf_folder()) or str(error)) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{mark.name} line {mark.line + 1}" if mark else "a file of the config"
        raise UserError(f"{place} is no valid YAML ({error.problem}); correct it") from error


def own_folders(folders: Sequence[Path]) -> list[str]:
    """The override by which Hydra reads config folders of the user's too; none for none.

    Raises:
        UserError: One does not exist.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"the config folder {folder} does not exist: name one that does")
    return searched([folder.absolute() for folder in folders])


def searched(folders: Sequence[Path]) -> list[str]:
    """``own_folders`` of folders that may be on another machine, relative to where a run begins."""
    listed = ",".join(quoted(str(folder)) for folder in folders)
    return [f"hydra.searchpath=[{listed}]"] if folders else []


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """Compose the default config with overrides, as Hydra hands it to ``distlab.run``.

    Raises:
        UserError: An override is wrong; the sentence gives the nearest names.
    """
    register_schema()
    with explained(), initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return hydra_compose("config", overrides=list(overrides))


def run_folder(overrides: Sequence[str]) -> Path:
    """The folder that ``distlab run`` would take for a run with these overrides.

    Raises:
        UserError: An override is wrong; the sentence gives the nearest names.
    """
    register_schema()
    with explained(), initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config = hydra_compose("config", overrides=list(overrides), return_hydra_config=True)
        return Path(str(config.hydra.run.dir))


def compose(overrides: Sequence[str]) -> StudyConfig:
    """``compose_config`` as the schema's dataclasses.

    Raises:
        UserError: An override is wrong; the sentence gives the nearest names.
    """
    config = compose_config(overrides)
    with explained():
        made = OmegaConf.to_object(typed_entries(config))
    assert isinstance(made, StudyConfig)
    return made
