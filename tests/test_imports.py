"""What is imported: declared, and nothing slow before a command needs it."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

from distlab.console.commands import COMMANDS

ROOT = Path(__file__).parents[1]
# A user waits seconds for each of these.
SLOW = ("ray", "vllm", "torch", "transformers", "scipy", "sympy", "matplotlib", "pandas")
SCRIPT = """
import runpy
import sys

module, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = module
try:
    runpy.run_module(module, run_name="__main__", alter_sys=False)
except SystemExit as done:
    assert not done.code, done
print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def imported(*arguments: str) -> set[str]:
    """Packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    said, _, names = done.stdout.rpartition("imported: ")
    assert said.strip(), "the command said nothing"
    return set(names.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_nothing_slow(command: str) -> None:
    assert not imported(f"distlab.{command}", "--help") & set(SLOW)


def test_completing_a_line_imports_nothing_slow() -> None:
    line = ("--line", "distlab score runs/a grader=")
    assert not imported("distlab.completion", "bash", *line) & set(SLOW)


def test_a_plan_imports_nothing_slow(tmp_path: Path) -> None:
    plan = ("distlab.plan", f"store={tmp_path}")
    # The first plan of a checkpoint may read its tokenizer with transformers.
    imported(*plan)
    assert not imported(*plan) & set(SLOW)


def third_party(folder: str) -> dict[str, str]:
    """Each package outside the standard library that a folder imports, with a file that does."""
    found = {}
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Import(names=aliases):
                    names = [alias.name for alias in aliases]
                case ast.ImportFrom(module=str(module), level=0):
                    names = [module]
                case _:
                    continue
            for name in names:
                found[name.partition(".")[0]] = str(file.relative_to(ROOT))
    known = {*sys.stdlib_module_names, "distlab", "hydra_plugins"}
    return {name: file for name, file in found.items() if name not in known}


def normalized(distribution: str) -> str:
    """A distribution's name as packaging tools compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", distribution)[0]).lower()


@pytest.mark.parametrize("folder", ["distlab", "hydra_plugins"])
def test_what_is_imported_is_declared(folder: str) -> None:
    """One that comes with another is gone when the other no longer needs it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    used = (needs for extra, needs in extras.items() if extra != "dev")
    declared = {normalized(need) for need in chain(project["dependencies"], *used)}
    installed = packages_distributions()
    missing = {
        name: file
        for name, file in third_party(folder).items()
        if declared.isdisjoint(map(normalized, installed.get(name, [name])))
    }
    assert not missing


def test_every_folder_of_the_package_is_one_that_the_import_contract_sees() -> None:
    folders = {file.parent for file in (ROOT / "distlab").rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_the_layers_of_the_docs_are_those_of_the_import_contract() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in linter["contracts"] if c["type"] == "layers")
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.partition("| layer | packages |")[2].partition("\n\n")[0].splitlines()[2:]
    told = [re.findall(r"`(\w+)`", row.split("|")[2]) for row in table]
    assert told == [layer.split(" | ") for layer in layers]
