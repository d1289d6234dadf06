import io
import unicodedata

import pytest
from rich.console import Console

from distlab.escape import markdown, plain, spreadsheet, terminal

HOSTILE = [
    "<script>alert(1)</script>",
    "a | b | c",
    "a\\|b",
    "line\nbreak\r\n\x85\u2028",
    "`code` **bold** [x](javascript:alert(1)) ![i](http://e/x.png)",
    "\x1b[31mred\x1b]8;;http://e\x07link\x1b]8;;\x07",
    "[bold red]markup[/bold red] [/] [link=http://e]x[/link]",
    "\u202eevil\u2066",
    "\x00\x07\x08\x7f\x9b31m",
    "\ud800 lone",
    "=HYPERLINK(1)",
    "# title",
    "- item",
    "&lt;b&gt;",
    "$\\frac{1}{2}$",
    "www.evil.example me@evil.example http://evil.example",
]


def unseen(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_is_one_printable_line(text: str) -> None:
    shown = plain(text)
    assert not unseen(shown)
    assert len(shown.splitlines()) <= 1


def test_plain_writes_out_what_it_takes_away() -> None:
    assert plain("a\nb\x1b[0m\u202e\ud800\U000e0041") == r"a\nb\x1b[0m\u202e\ud800\U000e0041"
    assert plain("no\u00a0break") == "no break"
    assert plain("α ≤ 5 naïve") == "α ≤ 5 naïve"


def test_long_text_is_cut() -> None:
    assert plain("x" * 5_000_000, 10) == "x" * 10 + "…"
    assert plain("x" * 10, 10) == "x" * 10
    assert len(plain("x" * 500, None)) == 500


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_holds_no_markup(text: str) -> None:
    shown = markdown(text)
    assert not set(shown) & set("<>|`*[]\\!$\n")
    assert not shown.startswith(("#", "-", "+", "="))
    assert "www." not in shown
    assert "://" not in shown


def test_markdown_leaves_our_own_names_readable() -> None:
    for name in ("base/t0.05", "math-perturb-hard (hard): Pass@20", "12.5 % = 1/8, +3"):
        assert markdown(name) == name


def test_markdown_starts_no_block() -> None:
    assert [markdown(text)[:5] for text in ("- x", "1. x", "= x", "+ x", ": x")] == [
        "&#45;",
        "1&#46",
        "&#61;",
        "&#43;",
        "&#58;",
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_terminal_obeys_nothing(text: str) -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=200, color_system=None).print(terminal(text))
    written = out.getvalue()
    assert "\x1b" not in written
    assert written.strip() == plain(text).strip()


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+x", "@x", "\t=1", " =1", "|cmd", "＝1+1", "＠x"]
)
def test_spreadsheet_runs_no_formula(text: str) -> None:
    assert spreadsheet(text).startswith(("'", "\\"))


def test_spreadsheet_leaves_text_alone() -> None:
    for text in ("18 apples", "-3969", "+0.5"):
        assert spreadsheet(text) == text
