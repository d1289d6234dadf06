"""``distlab score RUN``: extract and grade a run's samples again, without an engine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from distlab.console.exits import Exit
from distlab.console.main import Command, add_config_dir, add_store, path
from distlab.errors import UserError
from distlab.escape import plain
from distlab.importing import find_again

if TYPE_CHECKING:
    from distlab.runs.folder import RunFolder
    from distlab.runs.manifest import Manifest


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab score",
        description="Extract and grade a run's samples again, and rebuild its report.",
    )
    parser.add_argument("run", type=path, metavar="RUN", help="a run folder, as in runs/NAME")
    parser.add_argument(
        "overrides",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="other components: grader=[standard,math-verify] extractor=rules grader.deadline_s=10",
    )
    add_config_dir(parser)
    add_store(parser)
    return parser


def _score(arguments: argparse.Namespace) -> int:
    # Imported late: --help and completion should not wait for Ray.
    from distlab.console.printing import printer
    from distlab.console.quiet import quiet
    from distlab.report import build_report, render_terminal, write_report
    from distlab.runs.folder import RunFolder
    from distlab.study.score_run import idle_graders, refuse_empty, score_run

    folder = RunFolder(arguments.run, arguments.store)
    manifest = folder.read_manifest()
    find_again(manifest.own_modules)
    manifest = _with_overrides(manifest, arguments)
    refuse_empty(folder, manifest)
    idle = idle_graders(folder, manifest)
    with folder.alone(lambda: _say_waiting(folder)):
        with folder.judging():
            with quiet(folder.log):
                summary = score_run(folder, manifest)
            folder.write_manifest(_with_parts(manifest, arguments))
        tables = build_report(folder.path)
        report = write_report(folder.path, tables)
    console = printer()
    render_terminal(tables, console)
    said = (*idle, f"scored {summary.samples} samples in {summary.seconds:.1f} s · {report}")
    for line in said:
        console.print(plain(line, None), highlight=False, markup=False, soft_wrap=True)
    return Exit.DONE


def _say_waiting(folder: RunFolder) -> None:
    print(f"distlab: waiting for another process that scores {folder.path}", file=sys.stderr)


def _with_overrides(manifest: Manifest, arguments: argparse.Namespace) -> Manifest:
    """The manifest with other extractors or graders, as the overrides say."""
    from distlab.config.compose import compose, own_folders

    # Refused where they do not exist, though they were for nothing.
    own = own_folders([*arguments.config_dir, *manifest.own_folders])
    overrides: Sequence[str] = arguments.overrides
    for override in overrides:
        if _group(override) not in ("extractor", "grader"):
            raise UserError(f"'{override}' does not concern scoring: give extractor or grader keys")
    if not overrides:
        return manifest
    composed = compose([*own, *overrides])
    extractor, grader = composed.extractor, composed.grader
    changed = {"extractor": asdict(extractor), "grader": asdict(grader)}
    groups = {_group(override) for override in overrides}
    return replace(
        manifest,
        config={**manifest.config, **{name: changed[name] for name in sorted(groups)}},
    )


def _with_parts(manifest: Manifest, arguments: argparse.Namespace) -> Manifest:
    """The manifest with where the components that the overrides name were found."""
    if not arguments.overrides:
        return manifest
    from distlab.config.own_parts import recorded_parts

    groups = (manifest.config[name]["use"] for name in ("extractor", "grader"))
    targets = [component["target"] for group in groups for component in group.values()]
    return replace(manifest, parts=recorded_parts(targets, arguments.config_dir, manifest.parts))


def _group(override: str) -> str:
    return override.lstrip("+~").partition("=")[0].partition(".")[0]


main: Final = Command(_parser, _score)

if __name__ == "__main__":
    sys.exit(main())
