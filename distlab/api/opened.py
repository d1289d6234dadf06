"""Run: a run folder, or the runs of a sweep, as tables."""

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from distlab.errors import UserError, nearest
from distlab.runs.joining import join, runs_in, unscored_runs
from distlab.runs.keyed import KeyedRuns
from distlab.runs.lazy_table import LazyTable
from distlab.runs.manifest import Manifest
from distlab.store.cell import Cell

# Imported where they are used: whoever wants samples should not wait for scipy.
if TYPE_CHECKING:
    from distlab.report.table import StudyTables


class Run:
    """A run folder, or those of a sweep as one study. What it gives are Arrow tables.

    ``samples``, ``verdicts``, ``problems`` and ``prompts`` are lazy: nothing is read before rows
    are asked for, and then batch by batch, so that millions of them are no matter. ``head`` gives
    the first rows, ``to_table`` and ``to_pandas`` give all, and DuckDB, Polars and whatever else
    takes Arrow's streams takes the table as it is::

        samples = run.samples(columns=["cell", "problem_id", "rank", "text"])
        duckdb.sql("SELECT cell, count(*) FROM samples GROUP BY cell")

    ``scores``, ``gaps`` and ``table`` are small, and in memory: they are the report's tables,
    computed by the same code when one of them is first asked for.

    Every row has the keys of its cell: ``cell`` ("family/variant/decoding/dataset/prompt"),
    ``family``, ``variant``, ``decoding``, ``arm`` ("variant/decoding"), ``dataset`` and ``prompt``,
    each dictionary<int32, string>.

    Args:
        path: A run folder, or the folder of a sweep.

    Raises:
        UserError: It is neither, or its runs draw the same cells again.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        # Tables are read later, and the working directory may be another one then.
        self.path = Path(path).expanduser().absolute()
        self._runs = KeyedRuns.of(runs_in(self.path))
        joined = join(self._runs.manifests)
        if any(joined.reruns):
            # Two samples would have one key.
            raise UserError(
                f"{self.path} holds runs that draw the same cells again, under another seed or "
                "replicate: open one of its run folders at a time"
            )
        self._manifest = joined.manifest

    @property
    def manifest(self) -> Manifest:
        """What ran: cells, config, provenance, notes; of a sweep, of all its runs together."""
        return self._manifest

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells, in the order of the report's tables."""
        return self._manifest.cells

    def samples(
        self, *, columns: Sequence[str] | None = None, cells: Sequence[str] | None = None
    ) -> LazyTable:
        """The samples: one row for each cell, problem and rank.

        Columns, after the keys of the cell:
            problem_id (string), rank (int32): The sample, within its cell; rank is the draw, or
                CoT-decoding's branch.
            text (string): The completion, cut at a stop string.
            finish_reason, stop_string (dictionary), truncated (bool): How it ended.
            prompt_hash (dictionary), prompt_tokens (int32): Its prompt, as ``prompts`` has it.
            token_ids (list<int32>), seed (int64), first_token_logprob (float32),
            computed_tokens, turn_end, thinking_end, thinking_tokens (int32): What the engine said.
            margins (list<float32>), token_lengths (list<int16>), given_delta (float32): What
                CoT-decoding's Delta is made of.
            run (dictionary): The run that drew it.

        The metadata of the schema's fields say more of each (``table.schema.field(...).metadata``).

        Args:
            columns: Which to read; None for all. Texts and tokens are most of the bytes.
            cells: Keys of cells; None for all.

        Raises:
            UserError: There is no such column or cell. While rows are read: a shard is damaged, or
                the store is gone.
        """
        return self._runs.samples(columns, cells)

    def verdicts(
        self, *, columns: Sequence[str] | None = None, cells: Sequence[str] | None = None
    ) -> LazyTable:
        """The verdicts: one row for each cell, problem, rank, extractor and grader.

        Columns, after the keys of the cell:
            problem_id (string), rank (int32): The sample, as in ``samples``.
            extractor, grader (dictionary): The judge. Labels that were ingested with the samples
                have their name as the grader, and no extractor: they hold whichever reads.
            verdict (dictionary): correct, incorrect, no_answer, timeout or error.
            answer (string): What the extractor read; null where it found nothing.
            answer_class (int32): Equal for equal answers of a problem.
            answer_start, answer_end, text_cut (int32): Offsets in the text, in characters.
            delta (float32), delta_given (bool): CoT-decoding's confidence.
            truncated (bool), tokens, thinking_tokens (int32): Of the sample.
            gold_in_text, continued (bool): Whether the text holds the gold, and whether it goes on
                with what the prompt hid.

        Args:
            columns: Which to read; None for all.
            cells: Keys of cells; None for all.

        Raises:
            UserError: There is no such column or cell, or the run is not scored. While rows are
                read: a file is damaged.
        """
        return self._runs.verdicts(columns, cells)

    def problems(self) -> LazyTable:
        """The problems: one row for each dataset and problem.

        Columns:
            problem_id, dataset, question (string).
            gold_kind, gold_text (string), gold_items (list<string>), gold_lower, gold_upper
                (double): The gold, and how it is to be read.
            cluster, pair, side (string): What problems share.
            strata (string): A JSON object of names to values.

        Raises:
            UserError: While rows are read: a file is absent or damaged.
        """
        return self._runs.problems()

    def prompts(self, *, cells: Sequence[str] | None = None) -> LazyTable:
        """The prompts as the models saw them: one row for each cell, problem and prompt.

        Columns, after the keys of the cell:
            problem_id, prompt_hash (string): As samples name them.
            text (string): What the model saw.
            turns (list<struct<role: string, content: string>>): Empty for plain text.

        Samples that were ingested, or drawn by an early version, have none.

        Args:
            cells: Keys of cells; None for all.

        Raises:
            UserError: There is no such cell. While rows are read: a file is damaged.
        """
        return self._runs.prompts(cells)

    def scores(self) -> pa.Table:
        """The report's scores: one row for each cell and judge, rates as shares.

        Columns:
            cell, arm, family, variant, decoding, dataset, prompt (string), n (int64).
            extractor, grader (string).
            problems, scored, failed, outside, incomplete, samples, unjudged (int64): Counts.
            pass_n, pass_1, majority, largest_delta, aggregate_delta, no_answer, truncated, missed
                (double), each with its 95 % interval in ``_low`` and ``_high``.
            distinct (double): Mean number of different answers per problem.

        See ``distlab.report.score_table.ScoreRow`` for what each means.

        Raises:
            UserError: The run is not scored, or a file in it is damaged.
        """
        from distlab.report.score_table import SCORES, ScoreRow
        from distlab.tables.flat import record_schema

        rows = self.study.rows(SCORES)
        table = pa.Table.from_pylist(SCORES.as_records(self.study), record_schema(ScoreRow))
        keys = {"cell": [row.cell.key for row in rows], "arm": [row.cell.arm for row in rows]}
        return _with_keys(table, keys)

    def gaps(self) -> pa.Table:
        """The report's gaps, instruct minus base: one row for each pair of arms, judge and metric.

        Columns:
            base_cell, base_family, ..., base_n; instruct_cell, instruct_family, ..., instruct_n:
                The two arms.
            extractor, grader, metric (string): Judge, and what is compared ("Pass@20", "pass@1").
            primary, headline (bool): The study's own two arms; the metric at the largest k.
            problems, clusters, base_only, instruct_only (int64).
            base, instruct (double): Scores over the shared problems, as shares.
            difference (double), with ``_low``, ``_high``, ``_p``, ``_error`` and the interval
                ``_independent_low``, ``_independent_high``.
            mcnemar, detectable (double); sampled_..., failures...: as the gap, over the problems
                that neither arm failed.

        See ``distlab.report.gap_table.GapRow`` for what each means.

        Raises:
            UserError: The run is not scored, or a file in it is damaged.
        """
        from distlab.report.gap_table import GAPS, GapRow
        from distlab.tables.flat import record_schema

        rows = self.study.rows(GAPS)
        table = pa.Table.from_pylist(GAPS.as_records(self.study), record_schema(GapRow))
        keys = {
            "base_cell": [row.base.key for row in rows],
            "instruct_cell": [row.instruct.key for row in rows],
        }
        return _with_keys(table, keys)

    def table(self, name: str) -> pa.Table:
        """A table of the report by its name, as ``results/NAME.parquet`` has it.

        Args:
            name: One of ``tables``.

        Raises:
            UserError: There is none of that name, the run is not scored, or a file is damaged.
        """
        named = {table.name: table for table in self.study.tables}
        if name not in named:
            raise UserError(f"the report has no table '{name}'{nearest(name, self.tables)}")
        return pa.Table.from_pylist(named[name].as_records(self.study))

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the report's tables that have rows."""
        return tuple(table.name for table, rows in self.study.tables.items() if rows)

    @cached_property
    def study(self) -> "StudyTables":
        """What the report shows, with typed rows.

        Raises:
            UserError: The run is not scored, or a file in it is damaged.
        """
        from distlab.report import build_report

        for waiting in unscored_runs([folder.path for folder in self._runs.folders]):
            warnings.warn(str(waiting), stacklevel=4)
        return build_report(self.path)

    def __repr__(self) -> str:
        return f"distlab.open({str(self.path)!r})"


def _with_keys(table: pa.Table, keys: Mapping[str, Sequence[str]]) -> pa.Table:
    """A table with columns of text in front."""
    fronts = {name: pa.array(values, pa.string()) for name, values in keys.items()}
    return pa.table({**fronts, **{name: table.column(name) for name in table.column_names}})
