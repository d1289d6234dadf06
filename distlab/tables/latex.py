"""A TextTable in; a LaTeX table out, for a paper that loads booktabs and graphicx."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from distlab.escape import plain
from distlab.tables.text import TextTable

# What LaTeX gives a meaning, and what pdfTeX's fonts lack of the characters that we write.
_LATEX: Final[Mapping[str, str]] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "−": "$-$",
    "–": "--",
    "…": r"\ldots{}",
    "→": r"$\to$",
}
_MARKUP: Final = re.compile("|".join(map(re.escape, _LATEX)))


def latex_escapes() -> Mapping[str, str]:
    """Characters that LaTeX does not take as they are, and what to write for them."""
    return _LATEX


def latex(text: str) -> str:
    """``text`` as literal text in LaTeX; of characters beyond ASCII, those that we use are set."""
    shown = _MARKUP.sub(lambda found: _LATEX[found[0]], plain(text))
    return "".join(c if c.isascii() else f"(U+{ord(c):04X})" for c in shown)


def latex_table(text: TextTable) -> str:
    """A whole table environment, no wider than the line."""
    head = _row(text.titles)
    body = "".join(map(_row, text.rows))
    align = "".join("r" if number else "l" for number in text.numbers)
    return (
        "% needs \\usepackage{booktabs,graphicx,textcomp} and \\usepackage[T1]{fontenc}\n"
        "\\begin{table}\n\\centering\n"
        f"\\caption{{{latex(text.caption)}}}\n\\label{{tab:{text.name}}}\n"
        f"\\resizebox{{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}}{{!}}{{%\n"
        f"\\begin{{tabular}}{{{align}}}\n\\toprule\n{head}\\midrule\n{body}\\bottomrule\n"
        "\\end{tabular}}\n\\end{table}\n"
    )


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(map(latex, cells))} \\\\\n"
