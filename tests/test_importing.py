"""What ``module:attribute`` may name, and what is said where it names nothing."""

from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.importing import load_named
from distlab.scoring.graders.standard import Standard

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
