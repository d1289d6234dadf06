"""A table as Markdown."""

from distlab.escape import markdown
from distlab.tables.text import TextTable


def table(text: TextTable) -> str:
    """A Markdown table with every cell escaped; nothing where there are no rows."""
    if not text.rows:
        return ""
    titles = [markdown(title, None) for title in text.titles]
    rule = ["---:" if number else "---" for number in text.numbers]
    rows = [
        [cell if number else markdown(cell) for cell, number in zip(row, text.numbers, strict=True)]
        for row in text.rows
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in (titles, rule, *rows))
