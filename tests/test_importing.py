"""What ``module:attribute`` may name, and what is said where it names nothing."""

import importlib
import sys
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.importing import find_again, load_class, load_named, make_named, origin
from distlab.scoring.graders.standard import Standard
from distlab.scoring.types import Grader

STANDARD = "distlab.scoring.graders.standard"


def test_what_is_named_is_loaded() -> None:
    assert load_named("field", f"{STANDARD}:Standard") is Standard
    assert load_named("field", f"{STANDARD}:Standard.grade") is Standard.grade


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("Standard", "write it as module:Class"),
        (f"{STANDARD}:", "write it as module:Class"),
        (f"{STANDARD}:Standart", "has no Standart; did you mean Standard"),
        ("distlab.scoring.graders.standart:Standard", f"; did you mean {STANDARD}"),
        ("distlab.scorings.graders:X", r"no module distlab\.scorings; did you mean distlab\.scor"),
        ("json.decoder.JSONDecoder:decode", "no module json.decoder.JSONDecoder; did you mean jso"),
        ("distlab.engines.vllm_engine:Vllm", "has no Vllm; did you mean VLLMEngine"),
        (f"{STANDARD}:Standard.grad", r"standard\.Standard has no grad; did you mean grade"),
        ("math:pi", "it is of type float; name a class"),
        ("nowhere.at.all:X", "no module nowhere; it must be installed or lie in this folder"),
    ],
)
def test_a_misspelt_name_is_one_sentence_with_the_nearest(target: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load_named("cluster.engine", target)
    assert str(caught.value).startswith(f"`cluster.engine` is {target!r}: ")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import absent_dependency", "there is no module absent_dependency"),
        ("1 / 0", r"importing broken_\d fails \(ZeroDivisionError: division by zero\)"),
        ("None.x", r"importing broken_\d fails \(AttributeError: "),
        ("def", r"importing broken_\d fails \(SyntaxError: "),
        ("raise SystemExit('bye')", r"importing broken_\d fails \(SystemExit: bye\)"),
        ("def __getattr__(name): 1 / 0", r"reading broken_\d\.X fails \(ZeroDivisionError: "),
    ],
)
def test_a_module_that_does_not_import_says_why(
    source: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    name = f"broken_{request.node.callspec.indices['source']}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=said):
        load_named("field", f"{name}:X")


class Unnamed:
    grade = applies = len


class Unreadable(Standard):
    @property
    def version(self) -> str:  # type: ignore[override]
        raise LookupError("no version")


class Unmakable(Standard):
    def __init__(self) -> None:
        raise LookupError("no tables")


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("distlab.scoring.extractors.rules:Rules", {}, "which has no `applies` and no `grade`: na"),
        (f"{__name__}:Unnamed", {}, "which has no `name` and no `version`: name a class that has "),
        (
            f"{__name__}:Unreadable",
            {},
            r"attributes fails \(LookupError: no version\); correct its",
        ),
        (
            f"{__name__}:Unmakable",
            {},
            r"making it fails \(LookupError: no tables\); correct its op",
        ),
        (
            f"{STANDARD}:Standard",
            {"tolerance": 1},
            r"fails \(TypeError: .*\); correct i",
        ),
        ("sys:exit", {}, r"making it fails \(SystemExit:\); "),
    ],
)
def test_what_cannot_serve_is_refused(target: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        make_named("grader.use.own.target", target, Grader, **options)
    assert str(caught.value).startswith(f"`grader.use.own.target` is {target!r}")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("json:loads", "'json:loads', a function: name a class"),
        ("json:JSONDecoder", "which has no `applies` and no `grade`: name a class"),
    ],
)
def test_a_class_is_asked_for_methods_before_it_is_made(target: str, said: str) -> None:
    assert load_class("field", f"{STANDARD}:Standard", Grader) is Standard
    with pytest.raises(UserError, match=said):
        load_class("field", target, Grader)


def test_a_module_is_found_again_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "found_again" / "inner").mkdir(parents=True)
    for name in ("found_again/__init__.py", "found_again/inner/__init__.py"):
        (tmp_path / name).touch()
    (tmp_path / "found_again" / "inner" / "parts.py").write_text("class Part: ...\n")
    target = "found_again.inner.parts:Part"
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert origin(target) is None
    find_again([str(tmp_path), str(tmp_path / "gone")])
    importlib.invalidate_caches()
    assert origin(target) == tmp_path
    assert origin("found_again.inner:Part") == tmp_path
    assert origin("sys:path") is None
    assert load_named("grader.use.mine.target", target).__name__ == "Part"
