"""The results file as text: a line per row while it runs, and the tables of the documentation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.benchmarks.harness import Result

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
# Rows of the README, which stays one page.
SHORT = ("generate", "ray-data", "lm-eval", "cot", "scoring", "plan")


def line(result: Result) -> str:
    """A row as it is printed when it is done."""
    if result.error:
        return f"{result.name:12} FAILED after {result.seconds:.0f} s: {result.error}"
    spread = f"{_number(result.lowest)} to {_number(result.highest)}"
    verdict = "met" if result.met else "MISSED"
    notes = f"  ({'; '.join(result.notes)})" if result.notes else ""
    return (
        f"{result.name:12} {_number(result.median):>8} ({spread}); goal {result.goal} {verdict}; "
        f"{result.seconds:.0f} s{notes}"
    )


def markdown(content: dict[str, Any]) -> str:
    """The table: every row with goal and result, and where and with what it was measured."""
    rows = list(content["rows"].values())
    lines = [
        "| what | beside | goal | result (lowest to highest of so many pairs) |",
        "| --- | --- | --- | --- |",
        *(f"| {row['what']} | {row['beside']} | {_goal(row)} | {_result(row)} |" for row in rows),
        "",
        "Ratios are distlab to the peer, run alternately (medians); rows without a peer are in the "
        "unit that they name.",
        *_settings(rows),
    ]
    return "\n".join(lines)


def short(content: Mapping[str, Any]) -> str:
    """The table of the README: a few rows, without goals."""
    rows = [content["rows"][name] for name in SHORT if name in content["rows"]]
    return "\n".join(
        [
            "| what | beside | result |",
            "| --- | --- | --- |",
            *(f"| {row['what']} | {row['beside']} | {_short(row)} |" for row in rows),
        ]
    )


def _short(row: Mapping[str, Any]) -> str:
    if row["error"]:
        return "not measured"
    figure = _number(row["median"])
    return f"{figure} x" if row["theirs"] else figure


def _settings(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each machine and set of versions that rows were measured with."""
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        parts.setdefault(_setting(row), []).append(row)
    for setting, part in parts.items():
        dates = sorted(row["date"] for row in part)
        which = "" if len(parts) == 1 else f"{', '.join(row['name'] for row in part)}: "
        yield f"{which}{setting}; {dates[0]} to {dates[-1]}."


def _setting(row: Mapping[str, Any]) -> str:
    machine, versions = row["machine"], row["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    return f"{where}; {packages}"


def misses(content: dict[str, Any]) -> Iterator[str]:
    """What missed its goal, one sentence each."""
    for name, row in content["rows"].items():
        if row["error"]:
            yield f"{name} could not be measured: {row['error']}"
        elif not row["met"]:
            yield f"{name} misses its goal {row['goal']} with {_number(row['median'])}"


def in_page(text: str, made: str) -> str:
    """The page's text with a table between its marks."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert mark and end, f"the page has no {BEGIN} ... {END}"
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def _goal(row: dict[str, Any]) -> str:
    return str(row["goal"]).replace(">=", "≥").replace("<=", "≤")


def _result(row: dict[str, Any]) -> str:
    if row["error"]:
        return "not measured"
    spread = f"{_number(row['lowest'])} to {_number(row['highest'])} of {len(row['ours'])}"
    text = f"{_number(row['median'])} ({spread})"
    return text if row["met"] else f"{text}, missed"


def _number(value: float | None) -> str:
    assert value is not None
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
