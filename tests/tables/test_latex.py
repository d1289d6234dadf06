import pytest

from distlab.tables.latex import latex, latex_table
from distlab.tables.text import lay_texts

HOSTILE = ["\\input{/etc/passwd}", "a & b \\\\ [1pt]", "$x_1^2$ 50% #1 ~{", "\x1b[31m", "π \u202e"]


@pytest.mark.parametrize("text", HOSTILE)
def test_latex_holds_no_command_but_ours(text: str) -> None:
    shown = latex(text)
    assert shown.isascii()
    ours = ("textbackslash{}", "textasciicircum{}", "textasciitilde{}", "ldots{}", "to$")
    rest = shown
    for command in ours:
        rest = rest.replace(f"\\{command}", "")
    for mark in "\\{}$&#%_^~":
        rest = rest.replace(f"\\{mark}", "")
    assert not set(rest.replace("{[}", "").replace("{]}", "")) & set("\\{}$&#%_^~[]")


def test_latex_table_is_whole() -> None:
    table = lay_texts("x", "50 % of it", ("a", "b"), [("[1]", "−2.0 [−3.0, –]")])
    text = latex_table(table)
    for name in ("table", "tabular"):
        assert text.count(f"\\begin{{{name}}}") == text.count(f"\\end{{{name}}}") == 1
    assert r"\caption{50 \% of it}" in text
    assert r"{[}1{]} & $-$2.0 {[}$-$3.0, --{]} \\" in text
    assert text.count("{") == text.count("}")
