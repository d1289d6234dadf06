"""``distlab ingest FILE``: samples that you already have, as a run of distlab."""

import argparse
import datetime
import gc
import json
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from distlab.checkpoints.checkpoint import Variant, variant_name
from distlab.config.compose import conf_folder, own_folders
from distlab.config.own_parts import own_conf_folders, recorded_parts
from distlab.console.exits import Exit
from distlab.console.main import Command, add_config_dir, path
from distlab.credentials import refuse_credentials
from distlab.decoding.decoder import SampleOrder
from distlab.decoding.kinds import BUILT_IN
from distlab.decoding.stochastic import Stochastic
from distlab.errors import UserError, counted
from distlab.escape import plain
from distlab.files import expanded, folder_name
from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_cell import GivenCell, verdicts_of
from distlab.ingest.given_problems import GivenFile, read_given, with_labels
from distlab.ingest.known import KnownSet, joined
from distlab.ingest.log_scores import KeptScores, kept_scores, said_of_scores
from distlab.ingest.write import (
    CellLabels,
    SourceFile,
    check_new,
    describe,
    merged_problems,
    new_manifest,
    store_samples,
    with_cell,
    write_run,
)
from distlab.logs import formats
from distlab.logs.formats import read_log
from distlab.logs.log import EvalLog
from distlab.logs.sampling import log_decoding, log_kind
from distlab.problems.content import text_hash
from distlab.problems.rows import Row, RowStream, each_row
from distlab.runs.folder import RunFolder, occupied, occupied_new
from distlab.runs.labels import judge_of, write_labels
from distlab.runs.manifest import INGESTED, Manifest
from distlab.store.store import Store
from distlab.tabular.columns import row_file, row_number
from distlab.tabular.golds import AUTO, KINDS, said_of

_GIVEN: Final = "given"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._=+-]+")
# Columns that a note lists (ours).
_MOST_UNTAKEN: Final = 12
_DESCRIPTION: Final = """\
Make a run of samples that you already have: JSONL, JSON, CSV or Parquet. A row holds a problem
with a list of its samples, or one sample. Afterwards score, report, view and compare take the run
like any other. Several files are one cell: more problems, or more samples of each.

  python -m distlab.ingest outputs.jsonl --variant instruct --map problem_id=id samples=code gold=gt

Logs of lm-eval (samples_*.jsonl), Inspect (.eval, .json), EvalScope, lighteval, olmo-eval, NeMo
Evaluator and every_eval_ever need no --map, and their scores can be kept as judges beside ours;
each file is a cell:

  python -m distlab.ingest samples_gsm8k_*.jsonl --variant instruct --keep-scores

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
  choices             what was offered: a column of lists, or a column each: choices=opa,opb,opc
  cluster, pair, side, strata.NAME    what problems share; see "What the columns mean"
"""


def _ingest_given(arguments: argparse.Namespace) -> int:
    with _uncollected():
        return _ingest_all(arguments)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage in the block: millions of rows are in use, and looking takes a fifth."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _ingest_all(arguments: argparse.Namespace) -> int:
    # Those that do not exist are refused before anything is read.
    own_folders(arguments.config_dir)
    cells = _cells(arguments)
    _refuse_alike(cells)
    with _folder(arguments, cells[0].labels) as folder:
        manifest = _manifest(arguments, folder)
        manifest = replace(manifest, parts=_parts(arguments, manifest))
        for cell in cells:
            manifest = _ingest(folder, manifest, cell)
        print(f"run       {folder.path}\nGrade them with:")
        print(f"  python -m distlab.score {shlex.quote(str(folder.path))}")
    for sentence in dict.fromkeys(said for cell in cells for said in cell.source.said):
        print(f"note: {plain(sentence, None)}")
    return Exit.DONE


def _refuse_alike(cells: Sequence[GivenCell]) -> None:
    """Refuse logs that would be one cell, before one of them is written.

    Raises:
        UserError: Two have the same labels.
    """
    files: dict[CellLabels, Path] = {}
    for cell in cells:
        (file,) = cell.source.paths[:1]
        if (other := files.setdefault(cell.labels, file)) is not file:
            raise UserError(
                f"{other} and {file} have the same model, dataset and decoding: ingest the "
                "second afterwards, with --into and another --family, --dataset or --decoding"
            )


def _cells(arguments: argparse.Namespace) -> list[GivenCell]:
    """What the files hold: a cell together, or one for each log of another tool."""
    if arguments.tool is None and arguments.map is not None:
        return [_table(arguments)]
    return [_log(arguments, file) for file in arguments.files]


def _table(arguments: argparse.Namespace) -> GivenCell:
    """The cell of files whose columns are named."""
    if arguments.keep_scores:
        raise UserError("--keep-scores is for logs of other tools: give --map label=COLUMN")
    columns = ColumnMap.parse(arguments.map)
    labels = _labels(arguments)
    rows = _rows(arguments.files, columns, arguments.skip)
    source = SourceFile.of(arguments.files, arguments.skip)
    columns = with_labels(columns, rows)
    read = _read(arguments, rows, columns, labels)
    said = (*read.said, *_said(next(iter(rows)), columns), *_said_of_labels(read.given, columns))
    verdicts = verdicts_of(read.given, columns)
    return GivenCell(labels, read.given, replace(source, said=said), columns, verdicts)


def _log(arguments: argparse.Namespace, file: Path) -> GivenCell:
    """The cell of a log of another tool."""
    log = read_log(file, arguments.tool or formats.AUTO)
    source = SourceFile.of([file], arguments.skip)
    named = dict(word.partition("=")[::2] for word in arguments.map or ())
    columns = ColumnMap.parse([f"{k}={v}" for k, v in (log.columns | named).items()])
    rows = _kept([file], columns.laid_out(log.rows), arguments.skip)
    labels = _labels(arguments, log)
    read = _read(arguments, rows, columns, labels)
    kept = KeptScores()
    if arguments.keep_scores:
        kept = kept_scores(log, read.own_ids, read.given.samples.n)
    judges = kept.judges if arguments.keep_scores else None
    said = (*read.said, *log.said, *said_of_scores(log, judges), *kept.said)
    settings = {"tool": log.tool, "task": log.task, "model": log.model, **log.settings}
    refuse_credentials(f"what {file} says of its run", json.dumps(settings))
    source = replace(source, said=said, log=settings)
    return GivenCell(labels, read.given, source, columns, kept.verdicts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab ingest",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("files", type=path, nargs="+", metavar="FILE", help="JSONL, JSON, CSV or Parquet")
    add("--map", nargs="+", metavar="NAME=COLUMN", help="which column holds what")
    add(
        "--from",
        dest="tool",
        choices=formats.TOOLS,
        help="the files are logs of this tool, a cell each; auto, without --map, tells which",
    )
    add(
        "--keep-scores",
        action="store_true",
        help="make judges of the scores in a log, beside ours",
    )
    add(
        "--variant",
        type=_variant,
        required=True,
        metavar="VARIANT",
        help="what was sampled: base, instruct, or a stage of a ladder, as sft",
    )
    add("--family", help="name of the model (default: the file's name)")
    add("--decoding", help="name of the decoding (default: what a log says, or given)")
    add(
        "--kind",
        choices=list(BUILT_IN),
        help="independent draws (default), one greedy sample, or CoT-decoding's ranked branches",
    )
    add("--dataset", help="name of the dataset (default: that of --known, or the file's name)")
    add(
        "--known",
        type=KnownSet.parse,
        metavar="NAME[=FILE]",
        help="the problems are of this dataset: take its golds, limits, clusters and "
        "strata, by id or question; your own are found as distlab run finds them",
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
    add_config_dir(parser)
    return parser


def _variant(text: str) -> Variant:
    return variant_name("--variant", text)


def _labels(arguments: argparse.Namespace, log: EvalLog | None = None) -> CellLabels:
    """What the samples are: as the options say, else as the log does, else as the file is named."""
    name = _safe(arguments.files[0].stem)
    known = None if arguments.known is None else arguments.known.name
    labels = CellLabels(
        family=arguments.family or (_safe(log.model) if log and log.model else name),
        variant=arguments.variant,
        decoding=arguments.decoding or (_GIVEN if log is None else log_decoding(log)),
        kind=arguments.kind or (Stochastic.kind if log is None else log_kind(log)),
        dataset=arguments.dataset or known or (_safe(log.task) if log else name),
        prompt=arguments.prompt,
    )
    for option in ("family", "decoding", "dataset", "prompt"):
        if _UNSAFE.search(value := getattr(labels, option)) or value.startswith("."):
            raise UserError(
                f"--{option} is {value!r}: use ASCII letters, digits and . _ = + - alone, "
                "no point in front"
            )
    if arguments.n is not None and arguments.n < 1:
        raise UserError(f"--n is {arguments.n}: set it to 1 or more")
    return labels


class _Read(NamedTuple):
    """Problems with their samples.

    Attributes:
        given: Problems and samples.
        own_ids: Of each problem, the id that the file gives it.
        said: How golds were read.
    """

    given: GivenFile
    own_ids: tuple[str, ...]
    said: tuple[str, ...]


def _read(
    arguments: argparse.Namespace, rows: Iterable[Row], columns: ColumnMap, labels: CellLabels
) -> _Read:
    given = read_given(rows, columns, labels.dataset, arguments.gold_kind, arguments.n)
    single = BUILT_IN[labels.kind].order is SampleOrder.SINGLE
    if single and given.samples.n > 1:
        raise UserError(
            f"{arguments.files[0]} has {given.samples.n} samples per problem, and --kind "
            f"{labels.kind} takes one: give --n 1 or another --kind"
        )
    own_ids = tuple(problem.id for problem in given.problems)
    golds = said_of(given.golds)
    if (wanted := _known(arguments)) is not None:
        known = joined(given.problems, wanted, labels.dataset)
        return _Read(replace(given, problems=known.problems), own_ids, (known.said,))
    folders = (*arguments.config_dir, conf_folder(), *own_conf_folders())
    named = (file.stem for folder in folders for file in (folder / "dataset").glob("*.yaml"))
    if labels.dataset in named:
        golds += f"; --known {labels.dataset} would take kinds, limits and strata from that dataset"
    return _Read(given, own_ids, (golds,))


def _known(arguments: argparse.Namespace) -> KnownSet | None:
    """The dataset that --known names, looked for in the user's folders too."""
    if arguments.known is None:
        return None
    known: KnownSet = arguments.known
    return replace(known, config_dirs=tuple(arguments.config_dir))


def _rows(files: Sequence[Path], columns: ColumnMap, skip: Sequence[str]) -> RowStream:
    """The rows of all files."""
    if len(files) > 1 and columns.by_row:
        raise UserError(
            "several files name no problems: add problem_id=COLUMN or question=COLUMN to --map"
        )
    if len(set(files)) < len(files):
        raise UserError("a file is named twice: its samples would count twice; name it once")
    streams = [columns.laid_out(RowStream(partial(each_row, file))) for file in files]
    return _kept(files, RowStream(lambda: chain.from_iterable(streams)), skip)


def _said(first: Row, columns: ColumnMap) -> Iterator[str]:
    """How the files were read, where a reader might think otherwise."""
    if columns.by_row:
        yield "a problem's id is the number of its row, for --map names no id and no question"
    if untaken := columns.untaken(first):
        shown = ", ".join(untaken[:_MOST_UNTAKEN] + ["..."] * (len(untaken) > _MOST_UNTAKEN))
        hint = "" if columns.label else "; --map label=COLUMN makes a judge of labels"
        yield f"columns not taken: {shown}{hint}"


def _said_of_labels(given: GivenFile, columns: ColumnMap) -> Iterator[str]:
    """Whose verdicts the labels are, and what they come to."""
    if columns.label is not None and given.labels is not None:
        yield (
            f"labels: column {columns.label} is the judge {judge_of(columns.label)}, whichever "
            f"extractor reads: {given.labels.sum()} of {given.labels.size} samples are correct"
        )


def _safe(name: str) -> str:
    """A name as the parts of a cell's key are written; of other letters than ASCII's a hash."""
    safe = _UNSAFE.sub("-", name).strip("-.") or "samples"
    return safe if name.isascii() else f"{safe}-{text_hash(ascii(name))}"


def _kept(files: Sequence[Path], rows: RowStream, skip: Sequence[str]) -> RowStream:
    """The rows that no word of --skip names."""
    if not skip:
        return rows
    out = {_place_of(word, files, rows) for word in dict.fromkeys(skip)}
    if all(row.place in out for row in rows):
        named = " and ".join(map(str, files))
        raise UserError(f"--skip leaves no row of {named}; leave out fewer")
    return RowStream(lambda: (row for row in rows if row.place not in out))


def _place_of(word: str, files: Sequence[Path], rows: Iterable[Row]) -> str:
    """Where the one row stands that a word of --skip names: ROW, or FILE:ROW."""
    name, _, number = word.rpartition(":")
    if not number.isdecimal() or (len(files) > 1 and not name):
        raise UserError(f"--skip {word} names no row of one file: give ROW, or FILE:ROW of several")
    found = {
        row.place
        for row in rows
        if row_number(row) == int(number)
        and (not name or name in (row_file(row), Path(row_file(row)).name))
    }
    if not found:
        named = name or files[0]
        raise UserError(f"--skip {word} is no row of {named}; give the number of one")
    if len(found) > 1:
        raise UserError(f"--skip {word} is a row of several files: give the path as you named it")
    return found.pop()


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


def _parts(arguments: argparse.Namespace, before: Manifest) -> dict[str, Any]:
    """Where the dataset of --known and the user's folders are, so that `score` finds them."""
    known = _known(arguments)
    loaders = () if known is None else (known.spec().loader,)
    return recorded_parts(loaders, arguments.config_dir, before.parts)


def _ingest(folder: RunFolder, manifest: Manifest, given: GivenCell) -> Manifest:
    """Write the samples, then the run; returns the manifest that has them."""
    n = given.given.samples.n
    cell, fields = describe(n, given.labels, given.source, given.columns)
    check_new(manifest, cell)
    problems = merged_problems(folder, cell, given.given.problems)
    stored = Store.open(manifest.store).cell(cell.path)
    stored.create(fields)
    store_samples(given.given, stored, given.source, folder, manifest.run)
    for verdicts in given.verdicts:
        write_labels(folder, given.labels_of(verdicts, cell.key))
    after = with_cell(manifest, cell, fields, problems, given.source, given.columns)
    write_run(folder, after, cell.dataset, problems)
    samples = counted(cell.n, "sample")
    print(f"{counted(len(given.given.problems), 'problem')} with {samples} each: {cell.key}")
    print(f"samples   {manifest.store}")
    return after


main: Final = Command(_parser, _ingest_given)

if __name__ == "__main__":
    sys.exit(main())
