"""What leaves for another machine: the package, and the versions it ran with here."""

import importlib.metadata
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from distlab.cells import vllm_version
from distlab.config.compose import conf_folder
from distlab.errors import UserError
from distlab.provenance import COMMIT_FILE, git_commit

# Packages whose other versions can change a sample or a verdict, or do not talk to each other.
_PINNED = ("ray", "torch", "transformers", "pyarrow", "hydra-core", "math-verify", "sympy")
_PACKAGE = Path(__file__).parent.parent


def pinned_versions() -> dict[str, str]:
    """Package to public version, here; vLLM's two builds are one engine."""
    found = {name: importlib.metadata.version(name) for name in _PINNED}
    return {
        "Python": platform.python_version(),
        "vLLM": vllm_version().split()[-1],
        # torch's local part is the build: cpu, cu130.
        **{name: version.partition("+")[0] for name, version in found.items()},
    }


def check_pins(pinned: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Refuse to run with other versions than the submitter's.

    Raises:
        UserError: Some differ; the sentence has both.
    """
    differing = [
        f"{name} {here.get(name, 'none')} here and {version} where it was submitted"
        for name, version in pinned.items()
        if here.get(name) != version
    ]
    if differing:
        raise UserError(
            f"the cluster differs: {'; '.join(differing)}: install the same on both, or submit "
            "with --no-pin"
        )


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
