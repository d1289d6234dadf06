"""``python -m distlab.score RUN``: extract and grade a run's samples again, without an engine."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from distlab.config.compose import compose
from distlab.console.noise import quiet
from distlab.errors import UserError
from distlab.report import build_report, render_terminal, write_report
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.study.scoring import score_run


def main(argv: Sequence[str] | None = None) -> int:
    """Score a run again and rebuild its report.

    Args:
        argv: Arguments without the program's name; None for the command line's.

    Returns:
        Exit status: 0, or 2 for bad input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m distlab.score",
        description="Extract and grade a run's samples again, and rebuild its report.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, as in runs/NAME")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="other components: grader=[standard,math-verify] extractor=rules grader.deadline_s=10",
    )
    arguments = parser.parse_args(argv)
    try:
        folder = RunFolder(arguments.run)
        manifest = _with_overrides(folder.read_manifest(), arguments.overrides)
        with folder.alone(lambda: _say_waiting(folder)):
            with quiet(folder.log):
                summary = score_run(folder, manifest)
            folder.write_manifest(manifest)
            tables = build_report(folder.path)
            report = write_report(folder.path, tables)
    except UserError as error:
        print(f"distlab: {error}", file=sys.stderr)
        return 2
    console = Console()
    render_terminal(tables, console)
    console.print(
        f"scored {summary.samples} samples in {summary.seconds:.1f} s · {report}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return 0


def _say_waiting(folder: RunFolder) -> None:
    print(f"distlab: waiting for another process that scores {folder.path}", file=sys.stderr)


def _with_overrides(manifest: Manifest, overrides: Sequence[str]) -> Manifest:
    """The manifest with other extractors or graders, as the overrides say."""
    for override in overrides:
        if override.partition("=")[0].partition(".")[0] not in ("extractor", "grader"):
            raise UserError(f"'{override}' does not concern scoring: give extractor or grader keys")
    if not overrides:
        return manifest
    composed = compose(overrides)
    extractor, grader = composed.extractor, composed.grader
    changed = {"extractor": asdict(extractor), "grader": asdict(grader)}
    groups = {o.partition("=")[0].partition(".")[0] for o in overrides}
    return replace(
        manifest,
        config={**manifest.config, **{name: changed[name] for name in sorted(groups)}},
    )


if __name__ == "__main__":
    sys.exit(main())
