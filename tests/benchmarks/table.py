"""The results file as text: a line per row while it runs, and the table of docs/benchmarks.md."""

from collections.abc import Iterator
from typing import Any

from tests.benchmarks.harness import Result

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


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
    """The table: every row with its goal and its result."""
    machine, versions = content["machine"], content["versions"]
    lines = [
        "| what | beside | goal | result (lowest to highest of so many pairs) |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['what']} | {row['beside']} | {_goal(row)} | {_result(row)} |"
        for row in content["rows"].values()
    ]
    dates = sorted(row["date"] for row in content["rows"].values())
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines += [
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
        f"{packages}; {dates[0]} to {dates[-1]}. Ratios are distlab to the peer, run alternately "
        "(medians); rows without a peer are seconds or rates.",
    ]
    return "\n".join(lines)


def misses(content: dict[str, Any]) -> Iterator[str]:
    """What missed its goal, one sentence each."""
    for name, row in content["rows"].items():
        if row["error"]:
            yield f"{name} could not be measured: {row['error']}"
        elif not row["met"]:
            yield f"{name} misses its goal {row['goal']} with {_number(row['median'])}"


def in_page(text: str, content: dict[str, Any]) -> str:
    """The page's text with the table between its marks."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert mark and end, f"docs/benchmarks.md has no {BEGIN} ... {END}"
    return f"{before}{BEGIN}\n{markdown(content)}\n{END}{after}"


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
