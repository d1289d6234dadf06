"""Parts of the user's own: config folders beside the command and in installed packages."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from distlab.config.compose import conf_folder
from distlab.errors import UserError

# A package that brings YAML declares it as NAME = "package.with.yaml" under this group.
ENTRY_POINTS: Final = "distlab.conf"


def own_conf_folders() -> tuple[Path, ...]:
    """Config folders that every command looks into after distlab's own and ``--config-dir``.

    ``./conf`` comes first, then the packages that declare the entry point ``distlab.conf``, by
    the names that they declare.

    Raises:
        UserError: An entry point names no package.
    """
    ours = conf_folder().resolve()
    here = Path("conf").absolute()
    declared = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    folders = [here, *(folder for point in declared for folder in _folders(point))]
    return tuple(folder for folder in folders if folder.is_dir() and folder.resolve() != ours)


def _folders(point: EntryPoint) -> Iterator[Path]:
    try:
        spec = find_spec(point.value)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.submodule_search_locations is None:
        package = "a package" if point.dist is None else point.dist.name
        raise UserError(
            f"{package} declares {ENTRY_POINTS} as {point.name} = {point.value!r}, which is no "
            "package: correct its entry point, or uninstall it"
        )
    yield from map(Path, spec.submodule_search_locations)
