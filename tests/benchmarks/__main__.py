"""``make bench``: measure every row, print each as it is done, write the results file.

    python -m tests.benchmarks [--rows help,plan,...] [--pairs 5] [--against FILE] [--quick]

``--quick`` tries the rows with next to no work and keeps no results; ``--docs`` puts the table of
the results file into docs/benchmarks.md, and a few of its rows into the README; ``--against`` says
of each row that is measured now if it became slower than in an earlier results file. The exit
status is 1 where a row could not be measured; one that misses its goal is named and does not change
it.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks import (
    against,
    commands,
    cot_front_row,
    driver_row,
    front_end_row,
    harness,
    lm_eval,
    scoring_row,
    table,
    tokens,
)

ROOT = Path(__file__).parents[2]
PAGE, README = ROOT / "docs" / "benchmarks.md", ROOT / "README.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", default="", help="names, comma-separated; all by default")
    parser.add_argument("--pairs", type=int, help="each row's own number by default")
    parser.add_argument("--quick", action="store_true", help="try the rows; keep no results")
    parser.add_argument("--docs", action="store_true", help="only write the table of the docs anew")
    parser.add_argument("--against", type=Path, help="compare with another results file")
    asked = parser.parse_args()
    before = json.loads(asked.against.read_text()) if asked.against else None
    if asked.docs:
        content = harness.load()
        PAGE.write_text(table.in_page(PAGE.read_text(), table.markdown(content)))
        README.write_text(table.in_page(README.read_text(), table.short(content)))
        return 0
    # So that what the rows started ends with them when somebody stops the suite.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    bench = tokens.Bench(tokens.QUICK if asked.quick else tokens.Sizes())
    # Our engine is up from `generate` to `shots`; no other row runs beside it.
    groups = (
        (commands.HELP, commands.PLAN, commands.NOTHING, commands.REPORT),
        (driver_row.ROW, front_end_row.ROW, cot_front_row.ROW, *scoring_row.ROWS),
        tokens.rows(bench),
        (lm_eval.row(bench.sizes),),
    )
    rows = [row for group in groups for row in group]
    names = asked.rows.split(",") if asked.rows else [row.name for row in rows]
    if unknown := set(names) - {row.name for row in rows}:
        parser.error(f"no row {', '.join(unknown)}: take some of {', '.join(r.name for r in rows)}")
    began = time.monotonic()
    failed, measured = [], {}
    if asked.quick:
        harness.RESULTS = Path(tempfile.mkdtemp()) / "quick.json"
    for group in groups:
        try:
            for row in group:
                if row.name in names:
                    result = harness.run(row, asked.pairs)
                    harness.save(result)
                    print(table.line(result), flush=True)
                    measured[row.name] = asdict(result)
                    failed += [row.name] if result.error else []
        finally:
            bench.close()
    content = harness.load()
    print(f"\n{time.monotonic() - began:.0f} s\n\n{table.markdown(content)}")
    for sentence in table.misses(content):
        print(sentence)
    for sentence in against.compared(before, {"rows": measured}) if before else ():
        print(sentence)
    if failed:
        print(f"could not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
