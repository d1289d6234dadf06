from distlab.problems.rows import Row
from distlab.tabular.paths import names, unpacked, with_paths


def fields(row: Row, *columns: str) -> list[object]:
    (made,) = with_paths([row], columns)
    return [made.fields.get(column) for column in columns]


def test_paths_lead_into_objects_and_lists() -> None:
    row = Row(
        "f line 1",
        {
            "doc": {"question": "q", "a.b": 1},
            "resps": [["one", "two"]],
            "outputs": [
                {"text": "x", "why": {"end": "stop"}},
                {"text": "y", "why": {"end": "length"}},
            ],
            "whole.name": "itself",
        },
    )
    assert fields(row, "doc.question", "resps.0", "resps.0.1") == ["q", ["one", "two"], "two"]
    assert fields(row, "outputs.text", "outputs.why.end") == [["x", "y"], ["stop", "length"]]
    assert fields(row, "whole.name") == ["itself"]
    assert fields(row, "doc.absent", "resps.7", "doc.question.deeper") == [None, None, None]
    assert "outputs.text" in names(row)


def test_lists_written_as_text_are_lists() -> None:
    def row(code: str, cut: str = "[true, false]") -> Row:
        return Row("f.csv line 2", {"code": code, "cut": cut})

    for text, cut in (('["a", "b\\n"]', "[true, false]"), ("['a', 'b\\n']", "[True, False]")):
        made = unpacked(row(text, cut), "code", ["cut"])
        assert made is not None
        assert made.fields == {"code": ["a", "b\n"], "cut": [True, False]}
    made = unpacked(row(r"['a', 'it\'s \(x\)']"), "code", [])
    assert made is not None
    assert made.fields["code"] == ["a", r"it's \(x\)"]
    for other in ("[1, 2]", "plain", "[", "[]", "[" * 100_000 + "]"):
        assert unpacked(row(other), "code", ["cut"]) is None
