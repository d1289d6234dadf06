"""``distlab ingest FILE``: samples that you already have, as a run of distlab."""

import argparse
import datetime
import hashlib
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Final

from distlab.checkpoints.checkpoint import VARIANTS
from distlab.config.compose import conf_folder
from distlab.console.exits import Exit
from distlab.console.main import Command, path
from distlab.decoding.decoder import SampleOrder
from distlab.decoding.kinds import BUILT_IN
from distlab.decoding.stochastic import Stochastic
from distlab.errors import UserError
from distlab.escape import plain
from distlab.files import expanded, folder_name
from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_problems import GivenProblem, read_given, with_labels
from distlab.ingest.known import KnownSet, joined
from distlab.ingest.write import (
    CellLabels,
    SourceFile,
    check_new,
    describe,
    labels_of,
    merged_problems,
    new_manifest,
    store_samples,
    with_cell,
    write_run,
)
from distlab.problems.rows import Row, read_rows
from distlab.runs.folder import RunFolder, occupied, occupied_new
from distlab.runs.labels import judge_of, write_labels
from distlab.runs.manifest import INGESTED, Manifest
from distlab.store.store import Store
from distlab.tabular.columns import row_file, row_number
from distlab.tabular.golds import AUTO, KINDS, said_of

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._=+-]+")
# Columns that a note lists (ours).
_MOST_UNTAKEN: Final = 12
_DESCRIPTION: Final = """\
Make a run of samples that you already have: JSONL, JSON, CSV or Parquet. A row holds a problem
with a list of its samples, or one sample. Afterwards score, report, view and compare take the run
like any other. Several files are one cell: more problems, or more samples of each.

  python -m distlab.ingest outputs.jsonl --variant instruct --map problem_id=id samples=code gold=gt

--map names the column of (a.b is b inside of a; outputs.text of [{"text": ...}] is the texts):
  samples (needed)    the completions: a list of texts, or one text per row
  gold (needed)       the reference answer, or a solution with #### or \\boxed; see --gold-kind
  problem_id          the problem; without it, ids are hashes of the questions, or row numbers
  question            the text put to the model
  rank                draw index from 0, where a row holds one sample
  truncated           true or false, or a finish reason (length, stop); a list where samples are one
  delta               CoT-decoding's confidence; a list where samples are one
  label               the file's own verdict (true or false, 1 or 0, correct or incorrect; a list
                      where samples are one): a judge beside ours; score, correct, is_correct and
                      label are taken by themselves where they are lists beside lists of samples
  gold_lower, gold_upper    limits of --gold-kind interval
  cluster, pair, side, strata.NAME    what problems share; see "What the columns mean"
"""


def _ingest_file(arguments: argparse.Namespace) -> int:
    columns = ColumnMap.parse(arguments.map)
    labels = _labels(arguments)
    rows = _rows(arguments.files, columns, arguments.skip)
    columns = with_labels(columns, rows)
    given, source = _read(arguments, rows, columns, labels)
    with _folder(arguments, labels) as folder:
        manifest = _manifest(arguments, folder)
        print(_ingest(folder, manifest, labels, given, source, columns))
    for sentence in source.said:
        print(f"note: {plain(sentence, None)}")
    return Exit.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab ingest",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("files", type=path, nargs="+", metavar="FILE", help="JSONL, JSON, CSV or Parquet")
    add("--map", nargs="+", required=True, metavar="NAME=COLUMN", help="which column holds what")
    add("--variant", required=True, choices=VARIANTS, help="what was sampled")
    add("--family", help="name of the model (default: the file's name)")
    add("--decoding", default="given", help="name of the decoding (default: given)")
    add(
        "--kind",
        default=Stochastic.kind,
        choices=list(BUILT_IN),
        help="independent draws (default), one greedy sample, or CoT-decoding's ranked branches",
    )
    add("--dataset", help="name of the dataset (default: that of --known, or the file's name)")
    add(
        "--known",
        type=KnownSet.parse,
        metavar="NAME[=FILE]",
        help="the problems are of this dataset of distlab's: take its golds, limits, clusters and "
        "strata, by id or question",
    )
    add("--prompt", default="given", help="name of the prompt style (default: given)")
    add("--gold-kind", default=AUTO, choices=KINDS, help="how golds are to be read")
    add("--n", type=int, help="samples to keep of each problem (default: all)")
    add(
        "--skip",
        nargs="+",
        default=[],
        metavar="ROW",
        help="rows to leave out, from 1; FILE:ROW where several files are given",
    )
    add("--into", type=path, metavar="RUN", help="add the samples to this ingested run")
    add("--store", metavar="STORE", help="where samples are kept (default: store)")
    add(
        "--runs",
        type=path,
        default=Path("runs"),
        metavar="FOLDER",
        help="parent of the run folder (default: runs)",
    )
    return parser


def _labels(arguments: argparse.Namespace) -> CellLabels:
    name = _UNSAFE.sub("-", arguments.files[0].stem).strip("-.") or "samples"
    known = None if arguments.known is None else arguments.known.name
    labels = CellLabels(
        family=arguments.family or name,
        variant=arguments.variant,
        decoding=arguments.decoding,
        kind=arguments.kind,
        dataset=arguments.dataset or known or name,
        prompt=arguments.prompt,
    )
    for option in ("family", "decoding", "dataset", "prompt"):
        if _UNSAFE.search(value := getattr(labels, option)) or value.startswith("."):
            raise UserError(
                f"--{option} is {value!r}: use letters, digits and . _ = + - alone, "
                "no point in front"
            )
    if arguments.n is not None and arguments.n < 1:
        raise UserError(f"--n is {arguments.n}: set it to 1 or more")
    return labels


def _read(
    arguments: argparse.Namespace, rows: Sequence[Row], columns: ColumnMap, labels: CellLabels
) -> tuple[tuple[GivenProblem, ...], SourceFile]:
    read = read_given(rows, columns, labels.dataset, arguments.gold_kind, arguments.n)
    given = read.problems
    single = BUILT_IN[labels.kind].order is SampleOrder.SINGLE
    if single and len(given[0].samples) > 1:
        raise UserError(
            f"{arguments.files[0]} has {len(given[0].samples)} samples per problem, and --kind "
            f"{labels.kind} takes one: give --n 1 or another --kind"
        )
    golds = said_of(read.golds)
    if arguments.known is not None:
        known = joined(given, arguments.known, labels.dataset)
        given, golds = known.problems, known.said
    elif (conf_folder() / "dataset" / f"{labels.dataset}.yaml").is_file():
        golds += f"; --known {labels.dataset} would take kinds, limits and strata from that dataset"
    said = (golds, *_said(rows[0], columns), *_said_of_labels(given, columns))
    skipped = tuple(dict.fromkeys(arguments.skip))
    return given, SourceFile(tuple(arguments.files), _digest(arguments.files), skipped, said)


def _rows(files: Sequence[Path], columns: ColumnMap, skip: Sequence[str]) -> list[Row]:
    """The rows of all files."""
    if len(files) > 1 and columns.by_row:
        raise UserError(
            "several files name no problems: add problem_id=COLUMN or question=COLUMN to --map"
        )
    if len(set(files)) < len(files):
        raise UserError("a file is named twice: its samples would count twice; name it once")
    rows = [row for file in files for row in columns.laid_out(read_rows(file))]
    return _kept(files, rows, skip) if skip else rows


def _digest(files: Sequence[Path]) -> str:
    """The hash of a file, or one over the hashes of several."""
    digests = []
    for file in files:
        with file.open("rb") as handle:
            digests.append(hashlib.file_digest(handle, "sha256").hexdigest())
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def _said(first: Row, columns: ColumnMap) -> Iterator[str]:
    """How the files were read, where a reader might think otherwise."""
    if columns.by_row:
        yield "a problem's id is the number of its row, for --map names no id and no question"
    if untaken := columns.untaken(first):
        shown = ", ".join(untaken[:_MOST_UNTAKEN] + ["..."] * (len(untaken) > _MOST_UNTAKEN))
        hint = "" if columns.label else "; --map label=COLUMN makes a judge of labels"
        yield f"columns not taken: {shown}{hint}"


def _said_of_labels(given: Sequence[GivenProblem], columns: ColumnMap) -> Iterator[str]:
    """Whose verdicts the labels are, and what they come to."""
    if columns.label is not None:
        labels = [sample.is_correct for item in given for sample in item.samples]
        yield (
            f"labels: column {columns.label} is the judge {judge_of(columns.label)}, whichever "
            f"extractor reads: {sum(map(bool, labels))} of {len(labels)} samples are correct"
        )


def _kept(files: Sequence[Path], rows: Sequence[Row], skip: Sequence[str]) -> list[Row]:
    """The rows that no word of --skip names."""
    out = {_place_of(word, files, rows) for word in skip}
    kept = [row for row in rows if row.place not in out]
    if not kept:
        named = " and ".join(map(str, files))
        raise UserError(f"--skip leaves no row of {named}; leave out fewer")
    return kept


def _place_of(word: str, files: Sequence[Path], rows: Sequence[Row]) -> str:
    """Where the one row stands that a word of --skip names: ROW, or FILE:ROW."""
    name, _, number = word.rpartition(":")
    if not number.isdecimal() or (len(files) > 1 and not name):
        raise UserError(f"--skip {word} names no row of one file: give ROW, or FILE:ROW of several")
    found = [
        row.place
        for row in rows
        if row_number(row) == int(number)
        and (not name or name in (row_file(row), Path(row_file(row)).name))
    ]
    if not found:
        named = name or files[0]
        raise UserError(f"--skip {word} is no row of {named}; give the number of one")
    if len(found) > 1:
        raise UserError(f"--skip {word} is a row of several files: give the path as you named it")
    return found[0]


def _folder(arguments: argparse.Namespace, labels: CellLabels) -> AbstractContextManager[RunFolder]:
    """The run folder to write."""
    if arguments.into is not None:
        # Refused before anything is made there.
        RunFolder(arguments.into).read_manifest()
        return occupied(arguments.into)
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return occupied_new(arguments.runs / f"{stamp}-{folder_name(labels.family)}")


def _manifest(arguments: argparse.Namespace, folder: RunFolder) -> Manifest:
    """The manifest of a run folder so far."""
    command = shlex.join(["python", "-m", "distlab.ingest", *arguments.words])
    if arguments.into is not None:
        if arguments.store is not None:
            raise UserError("--into has its run's store: leave --store away")
        manifest = folder.read_manifest()
        if INGESTED not in manifest.config:
            raise UserError(
                f"--into {arguments.into} is a run that sampled: ingest into a run of its own, "
                "and put the two side by side with distlab.compare"
            )
        return replace(manifest, command=command)
    store = Store.look(expanded(arguments.store or "store"))
    return replace(new_manifest(folder.path.name, store), command=command)


def _ingest(
    folder: RunFolder,
    manifest: Manifest,
    labels: CellLabels,
    given: Sequence[GivenProblem],
    source: SourceFile,
    columns: ColumnMap,
) -> str:
    """Write the samples, then the run; returns what to tell the user."""
    cell, fields = describe(given, labels, source, columns)
    check_new(manifest, cell)
    problems = merged_problems(folder, cell, given)
    store_samples(given, cell, fields, Store.open(manifest.store), manifest.run)
    if (said := labels_of(given, cell, columns)) is not None:
        write_labels(folder, said)
    after = with_cell(manifest, cell, fields, problems, source, columns)
    write_run(folder, after, cell.dataset, problems)
    return (
        f"{len(given)} problems with {cell.n} samples each: {cell.key}\n"
        f"samples   {manifest.store}\nrun       {folder.path}\n"
        f"Grade them with:\n  python -m distlab.score {shlex.quote(str(folder.path))}"
    )


main: Final = Command(_parser, _ingest_file)

if __name__ == "__main__":
    sys.exit(main())
