"""Figures of this machine's GPU, as a Markdown table.

make gpu                             # all of it, some twenty minutes on an H100
python -m tests.gpu --rehearsal      # the same code on a CPU, with a tiny shape
"""

import argparse
import sys

from distlab.versions import vllm_version
from tests.gpu.card import card
from tests.gpu.figures import FULL, REHEARSAL, measure, scratch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rehearsal", action="store_true", help="a tiny shape, on a CPU")
    rehearsal = parser.parse_args().rehearsal
    found = card()
    if found is None and not rehearsal:
        print("skipped: no GPU here (nvidia-smi lists none); --rehearsal runs the code on a CPU")
        return 0
    folder = scratch()
    figures = measure(
        REHEARSAL if rehearsal else FULL, folder, lambda line: print(line, flush=True)
    )
    where = found or "a CPU: no figures of use"
    print(f"\n{where} · {vllm_version()} · {folder}\n")
    print("| what | distlab | beside | ratio |\n| --- | --- | --- | --- |")
    for each in figures:
        print(f"| {each.what} | {each.ours} | {each.beside} | {each.ratio} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
