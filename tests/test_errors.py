import pickle

import pytest

from distlab.errors import Unavailable, UserError, brief, counted, summary


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("set `a` to b  c", "set `a` to b  c"),
        ("no\n  module:\r\n\tnamed x\n", "no module: named x"),
        ("a\u2028b\x85c", "a b c"),
        ("\x1b[31mred\x00 \ud800 \u202e", r"\x1b[31mred\x00 \ud800 \u202e"),
        ("modèle 模型", "modèle 模型"),
    ],
)
def test_a_message_is_one_line_of_printable_characters(given: str, shown: str) -> None:
    assert str(UserError(given)) == shown
    assert str(pickle.loads(pickle.dumps(Unavailable(given)))) == shown


def test_a_message_of_any_length_keeps_its_field_and_its_remedy() -> None:
    message = str(UserError(f"`store` is {'x' * 100_000}: set it to a folder"))
    assert len(message) < 2100
    assert message.startswith("`store` is xxx")
    assert message.endswith("xxx: set it to a folder")


def test_anothers_text_is_cut_to_a_length_and_to_a_line() -> None:
    assert brief("a\n  b") == "a b"
    assert len(brief("x" * 10_000)) < 400


class FromAnActor(Exception):
    """As Ray raises what was raised in an actor."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("ray::Replica.start()\n  File ...")
        self.cause = cause


def test_a_summary_is_the_last_line_of_what_was_raised() -> None:
    assert summary(FromAnActor(ValueError("Traceback:\n  ...\nno memory\n"))) == (
        "ValueError: no memory"
    )
    assert summary(KeyError()) == "KeyError:"
    assert len(summary(ValueError("x" * 10_000))) < 400


@pytest.mark.parametrize(("count", "said"), [(0, "0 shards"), (1, "1 shard"), (2, "2 shards")])
def test_one_thing_is_no_plural(count: int, said: str) -> None:
    assert counted(count, "shard") == said
