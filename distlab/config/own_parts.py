"""Parts of the user's own: config folders beside the command and in installed packages."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from distlab.config.compose import conf_folder
from distlab.errors import UserError
from distlab.importing import is_ours, origin

# A package that brings YAML declares it as NAME = "package.with.yaml" under this group.
ENTRY_POINTS: Final = "distlab.conf"
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


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


def recorded_parts(
    targets: Iterable[str], folders: Iterable[Path], before: Mapping[str, Any] = _NONE
) -> dict[str, Any]:
    """Where parts that are not distlab's came from, as ``parts`` of a manifest.

    Args:
        targets: Datasets, extractors, graders and decoders, as ``module:Class``.
        folders: Config folders that the user named, which come before those of every command.
        before: What the manifest has; it is kept, and comes last.

    Returns:
        ``folders`` and ``modules``; empty where all is distlab's.
    """
    named = [folder.absolute() for folder in folders]
    listed = [*map(str, (*named, *own_conf_folders())), *before.get("folders", ())]
    found = {target: origin(target) for target in targets if not is_ours(target)}
    modules = {target: str(folder) for target, folder in found.items() if folder is not None}
    modules = {**before.get("modules", {}), **modules}
    if not listed and not modules:
        return {}
    return {"folders": list(dict.fromkeys(listed)), "modules": modules}


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
