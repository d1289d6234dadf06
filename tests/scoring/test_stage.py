import contextlib
import errno
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
import ray

from distlab.errors import UserError
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring import stage
from distlab.scoring.gold_mention import GoldMention
from distlab.scoring.judging import GraderFacts, Judging
from distlab.scoring.pieces import CellSource, Piece, SourceProblem, divide
from distlab.scoring.pool import PoolSettings
from distlab.scoring.score_piece import Scorer, ScoringJob, verdict_file
from distlab.scoring.types import ComponentSpec
from distlab.scoring.verdict_schema import VERDICTS
from distlab.store.sample_schema import SAMPLES
from distlab.store.shard import encode

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

# So that a slow machine makes no timeouts; HASTY is for answers that hang.
SETTINGS = PoolSettings(deadline_s=600.0, memory_mib=512)
HASTY = replace(SETTINGS, deadline_s=2.0)
AFTER_EQUALS = ComponentSpec("after-equals", "toy_components:AfterEquals")
LAST = ComponentSpec("last", "toy_components:LastCharacter")
EXACT = ComponentSpec("exact", "toy_components:Exact")


@dataclass(frozen=True)
class Row:
    problem_id: str
    rank: int
    text: str
    prompt_hash: str = "p"
    tokens: int = 3
    truncated: bool = False
    delta: float | None = None
    turn_end: int | None = None
    thinking: tuple[int, int] | None = None


def write_shard(path: Path, rows: Sequence[Row]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list[Any]] = {
        "problem_id": [r.problem_id for r in rows],
        "rank": [r.rank for r in rows],
        "prompt_hash": [r.prompt_hash for r in rows],
        "prompt_tokens": [5] * len(rows),
        "seed": [None] * len(rows),
        "token_ids": [[1] * r.tokens for r in rows],
        "text": [r.text for r in rows],
        "finish_reason": ["length" if r.truncated else "stop" for r in rows],
        "stop_string": [None] * len(rows),
        "truncated": [r.truncated for r in rows],
        "first_token_logprob": [None] * len(rows),
        "margins": [None] * len(rows),
        "token_lengths": [None] * len(rows),
        "given_delta": [r.delta for r in rows],
        "computed_tokens": [None] * len(rows),
        "turn_end": [r.turn_end for r in rows],
        "thinking_end": [r.thinking[0] if r.thinking else None for r in rows],
        "thinking_tokens": [r.thinking[1] if r.thinking else None for r in rows],
        "run": ["test"] * len(rows),
    }
    arrays = [pa.array(columns[f.name]).cast(f.type) for f in SAMPLES]
    path.write_bytes(encode(pa.table(arrays, schema=SAMPLES)))
    return str(path)


def number(text: str) -> SourceProblem:
    return SourceProblem(Gold(GoldKind.NUMBER, text), "p")


def source(
    shards: Sequence[str], problems: Mapping[str, SourceProblem], n: int = 2, cell: str = "c"
) -> CellSource:
    return CellSource(cell, shards, n, problems)


def score_here(
    cell: CellSource,
    out: Path,
    extractors: Sequence[ComponentSpec] = (AFTER_EQUALS,),
    graders: Sequence[ComponentSpec] = (EXACT,),
    cache: Path | None = None,
    settings: PoolSettings = SETTINGS,
) -> list[dict[str, Any]]:
    """Score without Ray; the verdict rows."""
    out.mkdir(exist_ok=True)
    facts = tuple(GraderFacts.of(spec) for spec in graders)
    job = ScoringJob(out, tuple(extractors), facts, settings, cache)
    scorer = Scorer(job)
    rows: list[dict[str, Any]] = []
    try:
        for piece in divide(cell, "test"):
            scorer.score(piece)
            rows += pq.read_table(verdict_file(out, piece)).to_pylist()
    finally:
        scorer.close()
    return rows


def keys(cell: CellSource) -> Counter[tuple[str, int]]:
    """(problem, rank) of all rows that the pieces hold."""
    found: Counter[tuple[str, int]] = Counter()
    for piece in divide(cell, "test"):
        for shard in piece.shards:
            table = pq.read_table(shard.path, columns=["problem_id", "rank"]).take(shard.rows)
            ids, ranks = (table.column(i).to_pylist() for i in range(2))
            found.update(zip(ids, ranks, strict=True))
            assert set(ids) <= set(piece.golds)
    return found


def verdicts(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], str]:
    return {(row["problem_id"], row["rank"]): row["verdict"] for row in rows}


# Which rows count.


def test_each_wanted_row_once(tmp_path: Path) -> None:
    shards = [
        write_shard(
            tmp_path / "a.parquet",
            [
                Row("one", 0, "=1"),
                Row("one", 1, "=1"),
                Row("one", 2, "rank n: beyond"),
                Row("stranger", 0, "not of the run"),
            ],
        ),
        write_shard(
            tmp_path / "b.parquet",
            [
                Row("one", 1, "drawn twice"),
                Row("two", 0, "old prompt", prompt_hash="q"),
                Row("two", 0, "=2"),
                Row("two", 1, "old prompt", prompt_hash="q"),
            ],
        ),
    ]
    cell = source(shards, {"one": number("1"), "two": number("2"), "none": number("3")})
    assert keys(cell) == {("one", 0): 1, ("one", 1): 1, ("two", 0): 1}
    rows = score_here(cell, tmp_path / "out")
    assert verdicts(rows) == {
        ("one", 0): "correct",
        ("one", 1): "correct",
        ("two", 0): "correct",
    }


def test_any_prompt_where_no_hash_is_given(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", [Row("one", 0, "=1", prompt_hash="whatever")])
    cell = source([shard], {"one": SourceProblem(Gold(GoldKind.NUMBER, "1"))})
    assert keys(cell) == {("one", 0): 1}


def test_no_shards_and_no_rows(tmp_path: Path) -> None:
    assert not keys(source([], {"one": number("1")}))
    shard = write_shard(tmp_path / "a.parquet", [])
    assert not keys(source([shard], {"one": number("1")}))


@pytest.mark.parametrize("layout", ["whole", "top-up", "interleaved"])
def test_pieces_hold_whole_problems(tmp_path: Path, layout: str) -> None:
    rows = [Row(f"p{i}", rank, "=1") for i in range(300) for rank in range(20)]
    if layout == "top-up":
        rows.sort(key=lambda row: row.rank // 10)
    if layout == "interleaved":
        rows.sort(key=lambda row: (row.rank, row.problem_id))
    shards = [
        write_shard(tmp_path / f"{begin:05}.parquet", rows[begin : begin + 700])
        for begin in range(0, len(rows), 700)
    ]
    cell = source(shards, {f"p{i}": number("1") for i in range(300)}, n=20)
    assert keys(cell) == {(row.problem_id, row.rank): 1 for row in rows}
    pieces = list(divide(cell, "test"))
    assert len(pieces) > 1
    golds = Counter(name for piece in pieces for name in piece.golds)
    assert set(golds.values()) == {1}
    assert sum(piece.samples for piece in pieces) == len(rows)
    if layout == "whole":
        assert sum(len(piece.shards) for piece in pieces) <= len(shards) + 3 * len(pieces)


def test_piece_names_follow_what_verdicts_depend_on(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", [Row("one", 0, "=1"), Row("one", 1, "=1")])
    cell = source([shard], {"one": number("1")})

    def name(cell: CellSource, identity: str = "i") -> str:
        (piece,) = divide(cell, identity)
        return piece.name

    assert name(cell) == name(replace(cell))
    others = [
        name(cell, "j"),
        name(replace(cell, n=1)),
        name(replace(cell, cell="d")),
        name(replace(cell, problems={"one": number("2")})),
    ]
    assert len({name(cell), *others}) == 5


def test_damaged_shard(tmp_path: Path) -> None:
    path = tmp_path / "samples-1.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match=r"samples-1\.parquet is damaged"):
        keys(source([str(path)], {"one": number("1")}))


def test_other_file_systems(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", [Row("one", 0, "=1")])
    elsewhere = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())
    cell = CellSource("c", ["a.parquet"], 1, {"one": number("1")}, elsewhere)
    assert verdicts(score_here(cell, tmp_path / "out")) == {("one", 0): "correct"}


# What a row says.


def test_verdict_rows(tmp_path: Path) -> None:
    rows = [
        Row("one", 1, "so 12 =9", tokens=7, truncated=True, delta=0.5),
        Row("one", 0, "x=12", tokens=2),
        Row("one", 2, "nothing", tokens=0),
        Row("one", 3, "oh!", tokens=1),
        Row("one", 4, "=hang"),
        Row("one", 5, "=trip"),
    ]
    shard = write_shard(tmp_path / "a.parquet", rows)
    cell = source([shard], {"one": number("12")}, n=6)
    got = score_here(cell, tmp_path / "out", settings=HASTY)
    assert [row["rank"] for row in got] == [0, 1, 2, 3, 4, 5]
    assert [row["verdict"] for row in got] == [
        "correct",
        "incorrect",
        "no_answer",
        "error",
        "timeout",
        "error",
    ]
    assert [row["answer"] for row in got] == ["12", "9", None, None, "hang", "trip"]
    assert [row["gold_in_text"] for row in got] == [True, True, False, False, False, False]
    assert [row["tokens"] for row in got] == [2, 7, 0, 1, 3, 3]
    assert got[1] == {
        "cell": "c",
        "problem_id": "one",
        "rank": 1,
        "extractor": "after-equals",
        "answer": "9",
        "answer_class": 1,
        "answer_start": 7,
        "answer_end": 8,
        "text_cut": 8,
        "grader": "exact",
        "verdict": "incorrect",
        "truncated": True,
        "tokens": 7,
        "thinking_tokens": None,
        "delta": 0.5,
        "delta_given": True,
        "gold_in_text": True,
        "continued": None,
    }


def test_a_sample_that_goes_on_with_what_the_prompt_hid(tmp_path: Path) -> None:
    rows = [Row("one", 0, " the rest. =1"), Row("one", 1, "another end. =1")]
    shard = write_shard(tmp_path / "a.parquet", rows)
    whole = number("1")
    hidden = replace(whole, rest="the rest.")
    got = score_here(source([shard], {"one": hidden}), tmp_path / "out")
    assert [row["continued"] for row in got] == [True, False]
    names = {next(divide(source([shard], {"one": each}), "t")).name for each in (whole, hidden)}
    assert len(names) == 2


def test_reasoning_is_counted_and_not_read(tmp_path: Path) -> None:
    rows = [
        Row("one", 0, "=9 so=12", thinking=(5, 2)),
        Row("one", 1, "=12 so", truncated=True, thinking=(6, 3)),
    ]
    shard = write_shard(tmp_path / "a.parquet", rows)
    whole, cut = score_here(source([shard], {"one": number("12")}), tmp_path / "out")
    assert (whole["answer"], whole["answer_start"], whole["thinking_tokens"]) == ("12", 6, 2)
    assert (cut["verdict"], cut["truncated"], cut["thinking_tokens"]) == ("no_answer", True, 3)


def test_a_truncated_sample_that_states_no_answer_has_none(tmp_path: Path) -> None:
    rows = [
        Row("one", 0, "So she has 12 pens", truncated=True),
        Row("one", 1, "So she has 12 pens"),
        Row("one", 2, "The answer is 12. It", truncated=True),
    ]
    shard = write_shard(tmp_path / "a.parquet", rows)
    cell = source([shard], {"one": number("12")}, n=3)
    rules = ComponentSpec("rules", "distlab.scoring.extractors.rules:Rules")
    got = score_here(cell, tmp_path / "out", [rules])
    assert [row["answer"] for row in got] == [None, "12", "12"]
    assert [row["verdict"] for row in got] == ["no_answer", "correct", "correct"]


def test_what_follows_the_turn_by_its_tokens_is_not_read(tmp_path: Path) -> None:
    text = "It is 12.\nuser: and then?\nIt is 5."
    shard = write_shard(
        tmp_path / "a.parquet", [Row("one", 0, text, turn_end=9), Row("one", 1, text)]
    )
    cell = source([shard], {"one": number("12")}, n=2)
    rules = ComponentSpec("rules", "distlab.scoring.extractors.rules:Rules")
    got = score_here(cell, tmp_path / "out", [rules])
    assert [(row["answer"], row["text_cut"]) for row in got] == [("12", 9), ("5", len(text))]


def test_schema_on_disk(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", [Row("one", 0, "=1")])
    score_here(source([shard], {"one": number("1")}), tmp_path / "out")
    (file,) = (tmp_path / "out").iterdir()
    assert pq.read_schema(file).equals(VERDICTS, check_metadata=True)
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "ZSTD"


def test_extractors_times_graders_that_apply(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", [Row("num", 0, "=1"), Row("day", 0, "=1")])
    problems = {"num": number("1"), "day": SourceProblem(Gold(GoldKind.DATE, "1"), "p")}
    dates = ComponentSpec("dates", "toy_components:Dates")
    again = ComponentSpec("again", "toy_components:Exact")
    got = score_here(
        source([shard], problems), tmp_path / "out", [AFTER_EQUALS, LAST], [EXACT, dates, again]
    )
    assert [(r["problem_id"], r["extractor"], r["grader"]) for r in got] == [
        ("day", "after-equals", "dates"),
        ("day", "last", "dates"),
        ("num", "after-equals", "exact"),
        ("num", "after-equals", "again"),
        ("num", "last", "exact"),
        ("num", "last", "again"),
    ]
    assert {r["verdict"] for r in got} == {"correct"}


def test_equal_answers_of_a_problem_are_graded_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    rows = [Row(p, rank, f"{rank}=5") for p in ("one", "two") for rank in range(10)]
    shard = write_shard(tmp_path / "a.parquet", rows)
    exact = ComponentSpec("exact", "toy_components:Exact", {"log": str(log)})
    cell = source([shard], {"one": number("5"), "two": number("6")}, n=10)
    log.write_text("")
    got = score_here(cell, tmp_path / "out", [AFTER_EQUALS, LAST], [exact])
    calls = Counter(log.read_text().split())
    # Beside what graders are warmed with.
    assert {call: count for call, count in calls.items() if call[:2] in ("5~", "6~")} == {
        "5~5": 1,
        "6~5": 1,
    }
    assert Counter((r["problem_id"], r["verdict"]) for r in got) == {
        ("one", "correct"): 20,
        ("two", "incorrect"): 20,
    }


def test_lone_surrogates_are_stored(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", [Row("one", 0, "x")])
    escaper = ComponentSpec("escaper", "toy_components:Escaper")
    (row,) = score_here(source([shard], {"one": number("1")}), tmp_path / "out", [escaper])
    assert (row["answer"], row["verdict"]) == ("?", "incorrect")


@pytest.mark.parametrize(
    ("gold", "text", "stands"),
    [
        (Gold(GoldKind.NUMBER, "5"), "it is 5.", True),
        (Gold(GoldKind.NUMBER, "5"), "it is 15", False),
        (Gold(GoldKind.NUMBER, "5"), "it is 3.5", False),
        (Gold(GoldKind.NUMBER, "5"), "it is 5.5, then 5", True),
        (Gold(GoldKind.NUMBER, "5"), "5,000", False),
        (Gold(GoldKind.NUMBER, "1000"), "$1,000", True),
        (Gold(GoldKind.NUMBER, "1,000"), "1000 dollars", True),
        (Gold(GoldKind.INTERVAL, "1234.5"), "1,234.5 mg", True),
        (Gold(GoldKind.LATEX, "\\frac{1}{2}"), "$\\frac{1}{2}$", True),
        (Gold(GoldKind.LATEX, "\\frac{1}{2}"), "0.5", False),
        (Gold(GoldKind.LIST, "1 or 2", ("1", "2")), "2 and 1", True),
        (Gold(GoldKind.LIST, "1 or 2", ("1", "2")), "only 1", False),
        (Gold(GoldKind.LATEX, ""), "anything", False),
        (Gold(GoldKind.NUMBER, "7"), "", False),
    ],
)
def test_mention(gold: Gold, text: str, stands: bool) -> None:
    assert GoldMention(gold).stands_in(text) is stands


# The cache.


def test_cache_over_runs(tmp_path: Path) -> None:
    log, cache = tmp_path / "log", tmp_path / "cache"
    answers = ["1", "2", "trip", "hang"]
    shard = write_shard(
        tmp_path / "a.parquet", [Row("one", i, f"={a}") for i, a in enumerate(answers)]
    )
    cell = source([shard], {"one": number("9")}, n=4)

    def calls(version: str = "1", deadline_s: float = 0.3) -> list[str]:
        log.write_text("")
        options = {"log": str(log), "version": version, "cached": True}
        exact = ComponentSpec("exact", "toy_components:Exact", options)
        settings = replace(SETTINGS, deadline_s=deadline_s)
        rows = score_here(cell, tmp_path / "out", [AFTER_EQUALS], [exact], cache, settings)
        assert [row["verdict"] for row in rows] == [
            "incorrect",
            "incorrect",
            "error",
            "timeout",
        ]
        return [c.partition("~")[2] for c in log.read_text().split() if c.startswith("9~")]

    assert calls() == ["1", "2", "trip", "hang"]
    # Errors are tried again; the timeout is known up to the deadline that it overran.
    assert calls() == ["trip"]
    assert calls(deadline_s=0.2) == ["trip"]
    assert calls(deadline_s=0.4) == ["trip", "hang"]
    assert calls(deadline_s=0.4) == ["trip"]
    assert calls(version="2") == ["1", "2", "trip", "hang"]


def test_what_the_machine_may_have_caused_is_not_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    shard = write_shard(tmp_path / "a.parquet", [Row("one", 0, "=sleep"), Row("one", 1, "=hang")])
    cell = source([shard], {"one": number("9")}, n=2)
    exact = ComponentSpec("exact", "toy_components:Exact", {"log": str(log), "cached": True})
    settings = replace(SETTINGS, deadline_s=0.2)

    def calls() -> Counter[str]:
        before = Counter(log.read_text().split())
        rows = score_here(cell, tmp_path / "out", [AFTER_EQUALS], [exact], tmp_path / "c", settings)
        assert [row["verdict"] for row in rows] == ["timeout", "timeout"]
        return Counter(log.read_text().split()) - before

    # One that sleeps may do so for want of a core: it is tried again, alone, and in every run.
    first, second = calls(), calls()
    assert (first["9~sleep"], first["9~hang"]) == (2, 1)
    assert (second["9~sleep"], second["9~hang"]) == (2, 0)


def test_cheap_graders_leave_no_cache(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", [Row("one", 0, "=1")])
    score_here(source([shard], {"one": number("1")}), tmp_path / "out", cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def in_process(job: ScoringJob, pieces: Sequence[Piece], _: int | None) -> Iterator[Any]:
    """What the stage's actors do, without Ray."""
    scorer = Scorer(job)
    try:
        yield from [(piece, scorer.score(piece)) for piece in pieces]
    finally:
        scorer.close()


@pytest.mark.parametrize(
    ("graders", "told_again"),
    [([EXACT], 0), ([replace(EXACT, options={"version": "2"})], 4), ([], None)],
)
def test_another_run_takes_over_the_verdicts_of_equal_samples(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    graders: list[ComponentSpec],
    told_again: int | None,
) -> None:
    monkeypatch.setattr(stage, "_ray", contextlib.nullcontext)
    monkeypatch.setattr(stage, "_run", in_process)
    shard = write_shard(tmp_path / "a.parquet", [Row("one", i, f"={i}") for i in range(4)])
    cell = source([shard], {"one": number("1")}, n=4)
    # A grader that trips: its piece is judged again by every run.
    trips = told_again is None
    if trips:
        cell = source(
            [write_shard(tmp_path / "b.parquet", [Row("one", 0, "=trip")])], {"one": number("1")}
        )

    def run(name: str, graders: list[ComponentSpec]) -> int:
        summary = stage.score_samples(
            [cell], tmp_path / name, Judging([AFTER_EQUALS], graders, SETTINGS, tmp_path / "cache")
        )
        assert len(read_out(tmp_path / name)) == summary.samples
        return summary.samples - summary.resumed

    assert run("first", [EXACT]) == (1 if trips else 4)
    assert run("second", graders or [EXACT]) == (1 if trips else told_again)


@pytest.fixture
def rescore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Score four samples with a cache and without Ray; returns how many were judged."""
    monkeypatch.setattr(stage, "_ray", contextlib.nullcontext)
    monkeypatch.setattr(stage, "_run", in_process)
    shard = write_shard(tmp_path / "a.parquet", [Row("one", i, f"={i}") for i in range(4)])
    cell = source([shard], {"one": number("1")}, n=4)

    def run() -> int:
        out, cache = tmp_path / "out", tmp_path / "cache"
        summary = stage.score_samples(
            [cell], out, Judging([AFTER_EQUALS], [EXACT], SETTINGS, cache)
        )
        assert [r["verdict"] for r in read_out(out)].count("correct") == 1
        assert len(read_out(out)) == 4
        return summary.samples - summary.resumed

    return run


def flip(data: bytes) -> bytes:
    middle = len(data) // 3
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda data: data[:-9], flip], ids=["empty", "cut", "flipped"]
)
def test_damaged_verdicts_are_made_again(
    tmp_path: Path, rescore: Callable[[], int], damage: Callable[[bytes], bytes]
) -> None:
    assert rescore() == 4
    assert rescore() == 0
    # The file is kept for other runs too, and is the same one there.
    (file,) = (tmp_path / "out").glob("*.parquet")
    file.write_bytes(damage(file.read_bytes()))
    assert rescore() == 4
    file.unlink()
    assert rescore() == 0


def test_verdicts_of_actors_that_outlived_their_driver_are_dropped(
    tmp_path: Path, rescore: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def joined(job: ScoringJob, pieces: Sequence[Piece], workers: int | None) -> Iterator[Any]:
        yield from in_process(job, pieces, workers)
        late = verdict_file(job.out, replace(pieces[0], name="late"))
        late.write_bytes(verdict_file(job.out, pieces[0]).read_bytes())

    monkeypatch.setattr(stage, "_run", joined)
    assert rescore() == 4
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 1


def test_earlier_verdicts_stay_until_there_are_others(
    tmp_path: Path, rescore: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rescore() == 4
    (earlier,) = (tmp_path / "out").glob("*.parquet")
    other = earlier.rename(earlier.with_name("verdicts-of-other-graders.parquet"))
    shutil.rmtree(tmp_path / "cache")

    def failing(job: ScoringJob, pieces: Sequence[Piece], workers: int | None) -> Iterator[Any]:
        raise UserError("no worker starts")
        yield

    with monkeypatch.context() as broken:
        broken.setattr(stage, "_run", failing)
        with pytest.raises(UserError, match="no worker starts"):
            rescore()
    assert other.exists()
    assert rescore() == 4
    assert not other.exists()


def test_what_an_actor_cannot_score_is_told_as_our_error(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", [Row("one", 0, "=1")])
    (piece,) = divide(source([shard], {"one": number("1")}), "test")
    Path(shard).write_bytes(b"damaged since")
    job = ScoringJob(tmp_path, (AFTER_EQUALS,), (GraderFacts.of(EXACT),), SETTINGS, None)
    batch = {"number": np.array([0]), "piece": np.array([pickle.dumps(piece)], object)}
    (outcome,) = stage._Actor(pickle.dumps(job))(batch)["outcome"]
    assert "is damaged" in str(pickle.loads(outcome))
    assert isinstance(pickle.loads(outcome), UserError)


# Through Ray.


def many(tmp_path: Path, cells: int = 2, problems: int = 60, n: int = 10) -> list[CellSource]:
    """Cells in which even ranks are right."""
    made = []
    for c in range(cells):
        rows = [
            Row(f"p{i}", rank, f"={i if rank % 2 == 0 else -1}")
            for i in range(problems)
            for rank in range(n)
        ]
        shards = [
            write_shard(tmp_path / f"cell{c}" / f"{k}.parquet", rows[k : k + 100])
            for k in range(0, len(rows), 100)
        ]
        golds = {f"p{i}": number(str(i)) for i in range(problems)}
        made.append(CellSource(f"cell{c}", shards, n, golds))
    return made


def read_out(out: Path) -> list[dict[str, Any]]:
    return pads.dataset(out, format="parquet").to_table().to_pylist()


@pytest.mark.ray
def test_stage(ray_up: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from distlab.scoring.stage import ScoreSummary, score_samples

    cells = many(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "verdicts-of-an-older-run.parquet").write_bytes(b"stale")
    (out / ".verdicts-0.parquet.1.tmp").write_bytes(b"draft")
    told: list[tuple[int, int]] = []

    def run() -> ScoreSummary:
        return score_samples(
            cells,
            out,
            Judging([AFTER_EQUALS], [EXACT], SETTINGS),
            progress=lambda done, total: told.append((done, total)),
        )

    summary = run()
    assert (summary.samples, summary.resumed, summary.missing) == (1200, 0, 0)
    assert (summary.answers, summary.graded) == (240, 240)
    assert told[0] == (0, 1200)
    assert told[-1] == (1200, 1200)
    assert told == sorted(told)
    rows = read_out(out)
    assert len(rows) == 1200
    expected = {
        (f"cell{c}", f"p{i}", rank): "incorrect" if rank % 2 else "correct"
        for c in range(2)
        for i in range(60)
        for rank in range(10)
    }
    assert {(r["cell"], r["problem_id"], r["rank"]): r["verdict"] for r in rows} == expected
    assert capfd.readouterr().out == ""

    # Again: nothing to do. Fewer samples per problem: other pieces, and the old ones are gone.
    told.clear()
    assert run().resumed == 1200
    assert told == [(1200, 1200)]
    cells = [replace(cell, n=4) for cell in cells]
    assert run().samples == 480
    assert {r["rank"] for r in read_out(out)} == {0, 1, 2, 3}
    assert len(read_out(out)) == 480


@pytest.mark.ray
def test_stage_counts_what_is_missing(ray_up: None, tmp_path: Path) -> None:
    from distlab.scoring.stage import score_samples

    shard = write_shard(tmp_path / "a.parquet", [Row("one", 0, "=1")])
    cell = source([shard], {"one": number("1"), "two": number("2")})
    summary = score_samples([cell], tmp_path / "out", Judging([AFTER_EQUALS], [EXACT], SETTINGS))
    assert (summary.samples, summary.missing) == (1, 3)


def test_nothing_to_score_starts_no_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_ray", lambda: pytest.fail("asked for Ray"))
    cell = source([], {"one": number("1")})
    summary = stage.score_samples(
        [cell], tmp_path / "out", Judging([AFTER_EQUALS], [EXACT], SETTINGS)
    )
    assert (summary.samples, summary.missing) == (0, 2)


def test_gold_that_no_grader_judges(tmp_path: Path) -> None:
    from distlab.scoring.stage import score_samples

    day = SourceProblem(Gold(GoldKind.DATE, "1/1/2020"))
    with pytest.raises(UserError, match=r"no grader of this run \(exact\) judges the date gold"):
        score_samples(
            [source([], {"day": day})], tmp_path, Judging([AFTER_EQUALS], [EXACT], SETTINGS)
        )


def test_unknown_component(tmp_path: Path) -> None:
    from distlab.scoring.stage import score_samples

    nobody = ComponentSpec("nobody", "toy_components:Nobody")
    with pytest.raises(UserError, match="nobody"):
        score_samples([], tmp_path, Judging([nobody], [EXACT], SETTINGS))


def await_hold(driver: subprocess.Popen[bytes], fifo: int, stderr: Path) -> None:
    """Return once the driver's grader holds; fail at once where the driver dies before."""
    ended = os.pidfd_open(driver.pid)
    try:
        ready, _, _ = select.select([fifo, ended], [], [], 300)
    finally:
        os.close(ended)
    assert ready == [fifo], f"the grader never held: {stderr.read_text()}"


@pytest.mark.ray
@pytest.mark.slow
def test_killed_in_the_middle_resumes(ray_up: None, tmp_path: Path) -> None:
    """Killed while the one actor is held in a later piece, so what stands is known exactly."""
    import ray

    from distlab.scoring.stage import score_samples

    cells = many(tmp_path)
    pieces = [piece for cell in cells for piece in divide(cell, "test")]
    answers = 2 * sum(len(piece.golds) for piece in pieces)
    out, hold, stderr = tmp_path / "out", tmp_path / "hold", tmp_path / "stderr"
    options = {"hold": str(hold), "hold_after": answers // 2}
    exact = ComponentSpec("exact", "toy_components:Exact", options)
    script = tmp_path / "driver.py"
    script.write_text(
        textwrap.dedent(f"""
        import pickle
        from pathlib import Path
        import ray
        from distlab.scoring.stage import score_samples
        ray.init(address={ray.get_runtime_context().gcs_address!r}, log_to_driver=False)
        job = pickle.loads(Path({str(tmp_path / "job")!r}).read_bytes())
        score_samples(job[0], Path({str(out)!r}), *job[1:], workers=1)
        """)
    )
    (tmp_path / "job").write_bytes(
        pickle.dumps((cells, Judging([AFTER_EQUALS], [exact], SETTINGS)))
    )
    os.mkfifo(hold)
    fifo = os.open(hold, os.O_RDWR | os.O_NONBLOCK)
    with stderr.open("wb") as sink:
        driver = subprocess.Popen(
            [sys.executable, str(script)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=sink,
            start_new_session=True,
        )
    try:
        await_hold(driver, fifo, stderr)
    finally:
        driver.kill()
        driver.wait()
        os.close(fifo)
    hold.unlink()
    stood = sum(pq.read_metadata(file).num_rows for file in out.glob("*.parquet"))
    assert 0 < stood < 1200
    summary = score_samples(cells, out, Judging([AFTER_EQUALS], [exact], SETTINGS), workers=1)
    assert (summary.samples, summary.resumed) == (1200, stood)
    assert summary.graded * 5 == 1200 - stood
    rows = Counter((r["cell"], r["problem_id"], r["rank"]) for r in read_out(out))
    assert len(rows) == 1200
    assert set(rows.values()) == {1}
    assert {r["verdict"] for r in read_out(out)} == {"correct", "incorrect"}


@pytest.mark.ray
@pytest.mark.slow
def test_a_node_that_is_lost_in_the_middle_costs_no_verdict(
    ray_up: "Cluster", tmp_path: Path
) -> None:
    """Its actor cannot come back: no other node has a core to spare until the rest is done."""
    second = ray_up.add_node(num_cpus=1, object_store_memory=100 << 20, wait=True)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cells, nodes = many(tmp_path), tmp_path / "nodes"
    nodes.mkdir()
    options = {"folder": str(nodes), "pause_s": 0.005}
    noting = ComponentSpec("noting", "toy_components:Noting", options)
    lost: list[int] = []

    def lose(done: int, total: int) -> None:
        if not lost and (nodes / second.node_id).exists():
            lost.append(done)
            ray_up.remove_node(second, allow_graceful=False)

    judging = Judging([noting], [EXACT], SETTINGS)
    summary = stage.score_samples(cells, tmp_path / "out", judging, workers=3, progress=lose)
    assert 0 < lost[0] < summary.samples == 1200
    assert len(list(nodes.iterdir())) == 2
    rows = read_out(tmp_path / "out")
    assert set(Counter((r["cell"], r["problem_id"], r["rank"]) for r in rows).values()) == {1}
    assert len(rows) == 1200
    assert {r["verdict"] for r in rows} == {"correct", "incorrect"}


@pytest.mark.ray
def test_a_node_that_lacks_a_folder_is_not_scored_on(ray_up: "Cluster", tmp_path: Path) -> None:
    from distlab.scoring import nodes

    here, there = tmp_path / "here", tmp_path / "shard"
    here.mkdir()
    assert not nodes._shares([there], [here])
    there.touch()
    assert nodes._shares([there], [here])
    assert nodes.sharing_nodes([here], [there]) == [ray.get_runtime_context().get_node_id()]
    assert list(here.iterdir()) == []


def test_a_disk_that_refuses_verdicts_is_one_sentence_from_an_actor() -> None:
    class Refused:
        def score(self, piece: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "verdicts/x.parquet")

    actor = stage._Actor.__new__(stage._Actor)
    actor._scorer = Refused()  # type: ignore[assignment]
    found = actor({"number": np.array([0]), "piece": [pickle.dumps(None)]})
    outcome = pickle.loads(found["outcome"][0])
    assert isinstance(outcome, UserError)
    assert str(outcome).startswith("the disk of verdicts/x.parquet is full")
