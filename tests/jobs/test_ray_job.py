"""A study over Ray's Job API, on a real cluster of this machine."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from distlab.config.quoting import quoted
from distlab.errors import UserError
from distlab.jobs import ray_job
from distlab.jobs.overrides import anchored, composed, study_name
from distlab.jobs.ports import free_ports
from distlab.jobs.ray_job import connect
from distlab.jobs.shipping import pack
from distlab.versions import check_pins, pinned_versions
from tests.jobs.conftest import ENGINE, NEVER_S, STUDY, TOTAL, Place, wait_for


@pytest.fixture(scope="module")
def dashboard(place: Place) -> Iterator[str]:
    """A cluster with ports and a folder of its own; its address for jobs."""
    port, web, client = free_ports(os.getpid(), 3)
    folder = Path(f"/tmp/dl-test-{os.getpid()}")  # short, since sockets live in it
    # No environment is active there: the Python on its PATH has none of the packages.
    tools = place.path / "tools"
    tools.mkdir()
    (tools / "python3").symlink_to(Path(sys.executable).resolve())
    log = (place.path / "ray.txt").open("w")
    head = subprocess.Popen(
        [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
            *(f"--port={port}", f"--dashboard-port={web}", f"--ray-client-server-port={client}"),
            *("--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"),
            *(f"--temp-dir={folder}", "--num-cpus=2", "--disable-usage-stats"),
        ],
        # The jobs bring their code; and the cluster is closed to others.
        env={
            **place.environment,
            "PYTHONPATH": "",
            "PATH": f"{tools}:/usr/bin:/bin",
            "RAY_AUTH_MODE": "token",
            "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
        },
        stdout=log,
        stderr=log,
    )
    try:
        wait_for(lambda: answers(web), lambda: (place.path / "ray.txt").read_text())
        yield f"http://127.0.0.1:{web}"
    finally:
        head.terminate()
        head.wait(60)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def said_so_far(place: Place) -> str:
    return "".join(log.read_text() for log in place.path.glob("runs/*/log.txt"))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_outlives_its_caller_and_goes_on_when_submitted_again(
    place: Place, dashboard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    with pytest.raises(UserError, match=r"wants a token: put its own into ~/\.ray/auth_token"):
        connect(dashboard)
    monkeypatch.setenv("RAY_AUTH_TOKEN", place.environment["RAY_AUTH_TOKEN"])
    submission = ("ray", "--address", dashboard, "--add", str(ENGINE), *STUDY)
    place.pace(5)
    caller = place.start(*submission)
    wait_for(lambda: place.samples() or caller.poll() is not None, lambda: said_so_far(place))
    place.pace(NEVER_S)
    assert caller.poll() is None, caller.communicate()[0]
    engine = place.engines()[0]
    assert "working_dir_files" in str(Path(f"/proc/{engine['pid']}/cwd").readlink())
    caller.send_signal(signal.SIGKILL)
    caller.wait()

    said = place.run(*submission[:3], "--detach", *submission[3:])
    assert "the study runs already, as job distlab-smollm2-135m-package-" in said
    assert "stopping job" in place.run(*submission[:3], "--stop", *submission[3:])
    (job,) = connect(dashboard).list_jobs()
    wait_for(lambda: connect(dashboard).get_job_status(str(job.submission_id)).is_terminal())
    kept = place.samples()
    assert 0 < kept.total() < TOTAL
    assert "no job of this study runs there" in place.run(
        *submission[:3], "--stop", *submission[3:], status=2
    )

    place.pace(0.01)
    followed = place.run(*submission)
    assert f"submitted as job {job.submission_id[:-1]}2" in followed
    assert f"{TOTAL - kept.total()} samples to draw, {kept.total()} in the store" in followed
    assert followed.rstrip().endswith(f"{job.submission_id[:-1]}2: succeeded")
    place.assert_complete()
    assert not kept - place.samples()
    for manifest in place.manifests():
        assert manifest["versions"]["distlab_commit"]  # type: ignore[index]


def test_a_dashboard_that_is_away_is_asked_again_and_a_refusal_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray_job, "_POLL_S", 0.0)
    answers: list[Exception] = [
        ConnectionError("Remote end closed connection without response"),
        RuntimeError("No available agent to submit job, please try again later."),
        RuntimeError("404: no such job"),
    ]

    def ask() -> str:
        if answers:
            raise answers.pop(0)
        return "there"

    with pytest.raises(RuntimeError, match="no such job"):
        ray_job._patiently(ask)
    assert ray_job._patiently(ask) == "there"
    answers += [ConnectionError("refused")] * 2
    monkeypatch.setattr(ray_job, "_AWAY_S", 0.0)
    with pytest.raises(UserError, match="does not answer any more: once it is back, submit the"):
        ray_job._patiently(ask)


def test_no_cluster_at_the_address_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"takes jobs at --address http://127\.0\.0\.1:1: start"):
        connect("http://127.0.0.1:1")


def test_other_versions_than_the_submitters_are_refused_with_both() -> None:
    here = pinned_versions()
    check_pins(here, here)
    with pytest.raises(UserError) as caught:
        check_pins({**here, "vLLM": "0.31.0", "absent": "1"}, here)
    assert str(caught.value).startswith(
        f"the cluster differs: vLLM {here['vLLM']} here and 0.31.0 where it was submitted; "
        "absent none here and 1 where it was submitted: install the same"
    )


def test_paths_are_anchored_where_they_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "it's \\' \\ here\\"
    folder.mkdir()
    monkeypatch.chdir(folder)
    typed = ["runs=s3://bucket/runs", "store=mine"]
    there = anchored(typed, composed(typed)[0])
    assert there == [*typed, f"store={quoted(str(folder / 'mine'))}"]
    # What the other machine composes from it.
    assert composed(there)[0].store == str(folder / "mine")


def test_every_path_that_was_typed_is_anchored_and_a_home_folder_is_the_submitters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/mine")
    typed = [
        *("dataset=[gsm8k,math-500]", "dataset.sets.gsm8k.path=a.jsonl", "store='~/st'"),
        *("dataset.sets.math-500.train_path=b.jsonl", "runs=s3://bucket/runs"),
        *("model.base.source=local", "model.base.id='~/base'", "model.instruct.id=org/name"),
    ]
    (there,) = composed(anchored(typed, composed(typed)[0]))
    sets = there.dataset.sets
    assert (sets.gsm8k.path, sets["math-500"].train_path) == (
        f"{tmp_path}/a.jsonl",
        f"{tmp_path}/b.jsonl",
    )
    assert (there.store, there.runs) == ("/home/mine/st", "s3://bucket/runs")
    assert (there.model.base.id, there.model.instruct.id) == ("/home/mine/base", "org/name")


def test_the_same_study_has_the_same_name_and_another_has_not() -> None:
    typed = ["decoding.n=4"]
    name = study_name(typed, composed(typed)[0])
    assert name == study_name(typed, composed(typed)[0])
    assert name != study_name(["decoding.n=5"], composed(["decoding.n=5"])[0])
    assert len(name) <= 40
    odd = study_name([], composed(["model.name='A b/ç'"])[0])
    assert odd.startswith("distlab-a-b-")


def test_a_sweep_is_one_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = ray_job.Submission.of(["--multirun", "decoding.n=2,3"], (), pin=False)
    command = shlex.split(study.entrypoint)
    assert command[4:6] == ["--multirun", "decoding.n=2,3"]
    assert f"store={quoted(str(tmp_path / 'store'))}" in command
    with pytest.raises(UserError, match=r"`decoding\.n` is 0"):
        ray_job.Submission.of(["--multirun", "decoding.n=2,0"], (), pin=False)


def test_a_study_brings_its_own_config_its_modules_and_the_paths_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    (tmp_path / "more" / "prompt").mkdir(parents=True)
    (tmp_path / "conf" / "dataset" / "quiz.yaml").write_text(
        "sets: {quiz: {loader: 'quizzes.own:Quiz', path: data/quiz.jsonl}}\n"
    )
    (tmp_path / "more" / "prompt" / "terse.yaml").write_text(
        "styles: {terse: {instruction: Be brief., shots: 1, exemplars: shown.jsonl}}\n"
    )
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes" / "own.py").write_text("class Quiz: ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    typed = ["dataset=quiz", "prompt=terse"]
    more = (tmp_path / "more",)
    study = ray_job.Submission.of(typed, (), pin=False, config_dirs=more)
    words = shlex.split(study.entrypoint)
    assert words[4] == "hydra.searchpath=['more']"
    there = composed([f"hydra.searchpath=['{tmp_path}/more']", *study.overrides[1:]])[0]
    assert there.dataset.sets.quiz.path == f"{tmp_path}/data/quiz.jsonl"
    assert there.prompt.styles.terse.exemplars == f"{tmp_path}/shown.jsonl"
    assert {extra.name for extra in study.extras} == {"more", "conf", "quizzes"}
    # Data that goes along is found in the job's folder.
    along = ray_job.Submission.of(typed, (Path("data"),), pin=False, config_dirs=more)
    assert not any(word.startswith("dataset.sets.quiz.path") for word in along.overrides)
    job = tmp_path / "job"
    (tmp_path / "data").mkdir()
    pack(job, along.extras)
    monkeypatch.chdir(job)
    assert composed(along.overrides)[0].dataset.sets.quiz.path == "data/quiz.jsonl"
    assert (job / "quizzes" / "own.py").is_file()


def test_what_is_packed_runs_without_the_source_tree(tmp_path: Path) -> None:
    pack(tmp_path, [ENGINE])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["distlab", "scripted.py"]
    code = "import distlab.config.compose as c; print(c.conf_folder(), c.compose([]).model.name)"
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    assert said.split() == [str(tmp_path / "distlab" / "conf"), "smollm2-135m-packaged"]
    with pytest.raises(UserError, match=r"--add .*nowhere: no such file"):
        pack(tmp_path / "again", [tmp_path / "nowhere"])
