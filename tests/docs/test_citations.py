"""Nothing cites a file or a module that a clone lacks."""

import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PACKAGES = "|".join(sorted(folder.parent.name for folder in ROOT.glob("distlab/*/__init__.py")))
# A path from the root, and a module's file from the package on.
_PATHS = (
    re.compile(r"(?<![\w/.~-])(?:conf|distlab|docs|hydra_plugins|jobs|tests)(?:/[\w.*-]+)+"),
    re.compile(rf"(?<![\w/.~-])(?:{_PACKAGES})(?:/\w+)+\.py\b"),
)
# What stands for a name, as in conf/model/NAME.yaml.
_PLACEHOLDER = re.compile(r"[A-Z]{3,}|\*")
_MODULE = re.compile(r"`{1,2}(distlab(?:\.\w+)+)`{1,2}")
# A group of entry points that packages declare, and no module.
_ENTRY_POINTS = {"distlab" + ".conf"}
# What was there once, and where the package is put when it is built.
_PASSED_OVER = ("CHANGELOG.md", "pyproject.toml")


def tracked() -> Iterator[Path]:
    kinds = ("*.py", "*.md", "*.yaml", "*.toml", "*.cff", "*.sh", "*.sbatch", "Makefile")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", *kinds],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = (ROOT / name for name in listed.stdout.split() if name not in _PASSED_OVER)
    return (file for file in files if file.is_file())


def cited_files(text: str) -> set[str]:
    found = {match.rstrip(".-") for pattern in _PATHS for match in pattern.findall(text)}
    return {path for path in found if not _PLACEHOLDER.search(path)}


def exists(path: str) -> bool:
    names = (path, f"{path}.py", f"distlab/{path}", f"distlab/{path}.py")
    return any((ROOT / name).exists() for name in names)


def names_something(dotted: str) -> bool:
    """Whether a dotted name is a module, or what one defines."""
    parts = dotted.split(".")
    for length in range(len(parts), 1, -1):
        try:
            spec = find_spec(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        if spec is not None and spec.origin is not None:
            source = Path(spec.origin).read_text(encoding="utf-8")
            return all(re.search(rf"\b{name}\b", source) for name in parts[length : length + 1])
    return False


def absent(text: str) -> set[str]:
    files = {path for path in cited_files(text) if not exists(path)}
    modules = set(_MODULE.findall(text)) - _ENTRY_POINTS
    return files | {name for name in modules if not names_something(name)}


def test_what_is_cited_is_there() -> None:
    found = {file.relative_to(ROOT): absent(file.read_text(encoding="utf-8")) for file in tracked()}
    assert len(found) > 400
    assert not {str(name): missing for name, missing in found.items() if missing}


def test_what_is_absent_is_found() -> None:
    gone, door = "docs/" + "no-such.md", "store/" + "door.py"
    text = f"See {gone}, `distlab/config/door.py`, conf/model/NAME.yaml, `store/shard.py`, {door}."
    text += " And `distlab.config.door`, ``distlab.store.store.Store``; but not "
    dotted = {"distlab.store" + ".door", "distlab.store.store" + ".Shop"}
    assert absent(text + " ".join(f"``{name}``" for name in dotted)) == {gone, door, *dotted}
