"""``distlab gate A B --no-worse-than POINTS``: pass, fail or cannot tell, for CI."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from distlab.compare.options import add_choices, choices_of, refuse_twice
from distlab.console.exits import Exit
from distlab.console.main import Command, path, points
from distlab.escape import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distlab.compare.comparison import Comparison
    from distlab.gate.gating import Gated

# As in ``runs.pairing``, which help and completion should not wait for.
_SCORE: Final = "pass@1"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab gate",
        description="Whether run or log B is no worse than A by more than a margin, paired by "
        "problem as compare pairs them. Exit status: 0 pass, 3 fail, 4 cannot tell. Pass and fail "
        "are one-sided tests at 5 %; where several cells or judges go together, all must pass.",
    )
    parser.add_argument("first", type=path, metavar="RUN", help="a run folder, or a log: A")
    parser.add_argument("other", type=path, metavar="RUN", help="what must be no worse: B")
    parser.add_argument(
        "--no-worse-than",
        type=points,
        required=True,
        metavar="POINTS",
        help="how many percentage points B may be below A",
    )
    parser.add_argument(
        "--score", default=_SCORE, help=f"pass@1, Pass@20, one answer (default: {_SCORE})"
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    add_choices(parser)
    return parser


def _gate(arguments: argparse.Namespace) -> int:
    # Imported late: --help and completion should not wait for scipy.
    from distlab.compare.asked import Asked
    from distlab.compare.comparing import compare
    from distlab.gate.gating import Outcome, as_json, gated, together

    places, choices = (arguments.first, arguments.other), choices_of(arguments)
    refuse_twice(places, choices)
    (comparison,) = compare(places, Asked(choices))
    found = gated(comparison, arguments.score, arguments.no_worse_than)
    outcome = together(found)
    if arguments.json:
        print(as_json(comparison, found, arguments.score, arguments.no_worse_than))
    else:
        _print(comparison, found, arguments.no_worse_than)
    return {
        Outcome.PASS: Exit.DONE,
        Outcome.FAIL: Exit.WORSE,
        Outcome.CANNOT_TELL: Exit.CANNOT_TELL,
    }[outcome]


def _print(comparison: Comparison, found: Sequence[Gated], margin: float) -> None:
    from distlab.gate.gating import together

    for sentence in (*comparison.pairing, *comparison.cannot):
        print(f"note: {plain(sentence, None)}")
    for each in found:
        print(plain(_line(each), None))
    names = f"{comparison.second} no worse than {comparison.first}"
    said = f"gate: {together(found)} ({names} by more than {100 * margin:g} points)"
    print(plain(said, None))


def _line(each: Gated) -> str:
    from distlab.compare.render import named
    from distlab.report.wording import shown_p
    from distlab.tables.numbers import points_interval

    gap = each.row.gap
    return (
        f"{each.outcome}: {named(each.row)}: {points_interval(gap.difference.estimate)} points "
        f"over {gap.problems} problems; no worse p {shown_p(each.no_worse)}, worse p "
        f"{shown_p(each.worse)}"
    )


main: Final = Command(_parser, _gate)

if __name__ == "__main__":
    sys.exit(main())
