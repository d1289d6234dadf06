"""What leaves for another machine: the package, and the versions it ran with here."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from distlab.config.compose import conf_folder
from distlab.errors import UserError
from distlab.versions import COMMIT_FILE, git_commit

_PACKAGE = Path(__file__).parent.parent


def pack(folder: Path, extras: Sequence[Path]) -> None:
    """Lay the package, its config and some files of the user's into a folder that can be sent.

    Nothing else leaves: no results, no virtual environment, no stray secret.

    Raises:
        UserError: An extra is not there, or has the package's name.
    """
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(_PACKAGE, folder / "distlab", ignore=ignore)
    if not (folder / "distlab" / "conf").exists():
        shutil.copytree(conf_folder(), folder / "distlab" / "conf", ignore=ignore)
    if commit := git_commit():
        (folder / "distlab" / COMMIT_FILE).write_text(commit)
    for extra in extras:
        target = folder / extra.name
        if not extra.exists() or target.exists():
            raise UserError(f"--add {extra}: no such file, or one of that name goes along already")
        if extra.is_dir():
            shutil.copytree(extra, target, ignore=ignore)
        else:
            shutil.copy2(extra, target)
