"""A study on a real SLURM of two nodes, and what its jobs do at their time limit."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from distlab.engines.launchers import without_launcher
from distlab.jobs.__main__ import main
from distlab.jobs.slurm import drawn
from distlab.jobs.slurm_node import ray_start
from tests.jobs.conftest import NEVER_S, REPO, STUDY, TOTAL, Place, wait_for
from tests.jobs.slurm import Slurm, absent, slurm_of_two_nodes

BATCH = REPO / "jobs" / "study.sbatch"
# A scripted engine on each of two made-up GPUs, two samples at once.
GPUS = (
    *("cluster=local-gpu", "cluster.replicas=2", "cluster.cpus_per_rank=1"),
    *("cluster.tensor_parallel=1", "cluster.pipeline_parallel=1"),
)


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    if (reason := absent()) is not None:
        pytest.skip(reason)
    with slurm_of_two_nodes() as running:
        yield running


@pytest.fixture
def hopeless(tmp_path: Path) -> Place:
    """A study whose samples take longer than any time limit."""
    made = Place(tmp_path)
    made.pace(NEVER_S)
    return made


def sbatch(slurm: Slurm, place: Place, *arguments: str) -> str:
    """Submit; the signal comes early, since SLURM looks at limits twice a minute only."""
    options = ("--parsable", "--time=60", "--signal=B:USR1@90", *arguments)
    return slurm.call("sbatch", *options, *STUDY, base=place.environment, cwd=place.path)


def output(place: Place, job: str) -> str:
    said = [place.path / f"slurm-{job}.txt", *place.path.glob(f"runs/slurm-{job}.*/**/*.txt")]
    return "\n".join(file.read_text() for file in said if file.exists())


def processes(text: str) -> list[str]:
    """Command lines that hold a text."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_job_at_its_time_limit_is_queued_again_and_ends_complete(
    slurm: Slurm, place: Place, hopeless: Place
) -> None:
    place.pace(5)
    two = ("--nodes=2", "--gpus-per-node=1", "--cpus-per-task=2", str(BATCH), *GPUS)
    # Siblings that are drawn together would all be in flight at once.
    alone = ("cluster.max_num_seqs=1", "decoding.sampler=independent")
    job = sbatch(slurm, place, *two, *alone)
    # On a node of the other's, at the same time: the ports must not meet.
    other = sbatch(slurm, hopeless, "--cpus-per-task=2", str(BATCH), "cluster.cpus_per_rank=1")

    wait_for(place.samples, lambda: output(place, job))
    place.pace(NEVER_S)
    engines = place.engines()
    assert len({engine["node"] for engine in engines}) == 2
    for engine in engines:
        environment = Path(f"/proc/{engine['pid']}/environ").read_bytes().split(b"\0")
        assert not [name for name in environment if name.startswith((b"SLURM", b"PMI"))]
    wait_for(hopeless.engines, lambda: output(hopeless, other))
    assert slurm.job(job)["JobState"] == slurm.job(other)["JobState"] == "RUNNING"

    slurm.near_the_limit(job)
    slurm.near_the_limit(other)
    wait_for(lambda: slurm.job(job)["Restarts"] == "1", lambda: output(place, job))
    kept = place.samples()
    assert 0 < kept.total() < TOTAL
    place.pace(0.01)
    slurm.call("scontrol", "update", f"JobId={job}", "TimeLimit=60")
    wait_for(lambda: slurm.job(job)["JobState"] == "COMPLETED", lambda: output(place, job))
    place.assert_complete()
    assert not kept - place.samples()
    said = output(place, job)
    assert f"the time limit is near: job {job} goes back into the queue" in said
    assert f"{TOTAL - kept.total()} samples to draw, {kept.total()} in the store" in said
    names = sorted(run.name for run in (place.path / "runs").iterdir())
    assert [name.split("-")[1] for name in names] == [f"{job}.0", f"{job}.1"]

    wait_for(lambda: slurm.job(other)["JobState"] == "FAILED", lambda: output(hopeless, other))
    assert slurm.job(other)["Restarts"] == "0"
    said = output(hopeless, other)
    assert f"distlab: the time limit of job {other} is shorter than loading an engine and" in said
    for number in (job, other):
        wait_for(lambda number=number: not processes(f"/tmp/dl-{number}."))  # type: ignore[misc]
        assert not list(Path("/tmp").glob(f"dl-{number}.*"))


def test_ray_starts_with_what_the_job_has_and_leaves_no_port_to_chance() -> None:
    slurm = {"SLURM_CPUS_ON_NODE": "12", "SLURM_GPUS_ON_NODE": "4", "SLURM_NODEID": "1"}
    temp = Path("/tmp/dl-7.0.1")
    command = ray_start(slurm, "127.0.0.1", 20112, 20113, temp)
    assert {"--address=127.0.0.1:20112", "--num-cpus=12", "--num-gpus=4"} <= set(command)
    assert "--head" not in command
    head = ray_start({**slurm, "SLURM_NODEID": "0"}, "127.0.0.1", 20112, 20113, temp)
    assert {"--head", "--port=20112", "--ray-client-server-port=20113"} <= set(head)
    for each in (command, head):
        assert {"--min-worker-port=0", "--max-worker-port=0"} <= set(each)


def test_launchers_variables_are_stripped_and_the_users_stay() -> None:
    kept = {"CUDA_VISIBLE_DEVICES": "0", "HYDRA_FULL_ERROR": "1", "PATH": "/bin"}
    stripped = {
        "SLURM_JOB_ID": "1",
        "SLURMD_NODENAME": "n",
        "PMI_RANK": "0",
        "PMIX_ID": "1",
        "MPI_X": "1",
    }
    assert without_launcher({**kept, **stripped}) == kept


def test_outside_of_slurm_the_command_says_how_to_submit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    handlers = [signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGTERM)]
    try:
        assert main(["slurm", "seed=1"]) == 2
    finally:
        for number, handler in zip((signal.SIGUSR1, signal.SIGTERM), handlers, strict=True):
            signal.signal(number, handler)
    said = "distlab: this is no SLURM job (SLURM_JOB_ID is not set): submit jobs/study.sbatch with "
    assert capsys.readouterr().err == f"{said}sbatch\n"


def test_what_a_run_drew_is_read_from_its_manifest(tmp_path: Path) -> None:
    assert drawn(tmp_path) == 0
    counts = {"samples_in_store": 9, "samples_drawn": 0, "tokens_drawn": 7, "llm_readings_drawn": 2}
    (tmp_path / "manifest.json").write_text(json.dumps({"counts": counts}))
    assert drawn(tmp_path) == 2
    (tmp_path / "0").mkdir()  # a job of a sweep
    (tmp_path / "0" / "manifest.json").write_text(json.dumps({"counts": {"samples_drawn": 5}}))
    assert drawn(tmp_path) == 7
