import pyarrow as pa
import pytest

from distlab.store.columns import strings


def test_text_comes_out_whatever_its_layout() -> None:
    texts = pa.chunked_array([["a", ""], [], ["b"]], pa.string())
    assert strings(texts) == ["a", "", "b"]
    assert strings(texts.dictionary_encode()) == ["a", "", "b"]


def test_a_null_is_no_text() -> None:
    with pytest.raises(ValueError, match="1 of 3 values are null"):
        strings(pa.array(["a", None, "b"]))
