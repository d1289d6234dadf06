import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.problems.problem import Gold, GoldKind
from distlab.scoring.pool import GraderPool, GradeTask, PoolSettings
from distlab.scoring.types import ComponentSpec, Verdict

SEVEN = Gold(GoldKind.NUMBER, "7")
MOODY = ComponentSpec("moody", "hostile_graders:Moody")
PLUS_ONE = ComponentSpec("plus-one", "hostile_graders:Moody", {"offset": 1})
DEADLINE_S = 0.5
# What a busy machine may take beside deadlines; what is to be killed would take longer.
SLACK_S = 30.0


@pytest.fixture(autouse=True, scope="module")
def graders_on_path() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        yield


@pytest.fixture(scope="module")
def pool(graders_on_path: None) -> Iterator[GraderPool]:
    settings = PoolSettings(deadline_s=DEADLINE_S, memory_mib=512, recycle=1000)
    with GraderPool([MOODY, PLUS_ONE], workers=1, settings=settings) as pool:
        yield pool


def tasks(*answers: str, grader: int = 0) -> list[GradeTask]:
    return [GradeTask(grader, SEVEN, answer) for answer in answers]


def wait_for(condition: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")


@contextlib.contextmanager
def meeting(file: Path, act: Callable[[int], object], *, go: bool = True) -> Iterator[None]:
    """Do something to the worker that is at the answer ``meet:FILE``; then let it go on."""

    def meet() -> None:
        wait_for(lambda: file.exists() and file.read_text().endswith("\n"))
        act(int(file.read_text()))
        if go:
            file.with_suffix(".go").touch()

    thread = threading.Thread(target=meet)
    thread.start()
    yield
    thread.join()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def family(root: int) -> set[int]:
    """All processes below ``root``."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found - {root}
        found |= more


def test_verdicts_come_in_order(pool: GraderPool) -> None:
    answers = ["7" if i % 3 else "8" for i in range(2000)]
    expected = [Verdict.CORRECT if i % 3 else Verdict.INCORRECT for i in range(2000)]
    assert pool.grade(tasks(*answers)) == expected


def test_each_task_names_its_grader(pool: GraderPool) -> None:
    both = [*tasks("7", "8"), *tasks("7", "8", grader=1)]
    assert pool.grade(both) == [
        Verdict.CORRECT,
        Verdict.INCORRECT,
        Verdict.INCORRECT,
        Verdict.CORRECT,
    ]


def test_no_tasks(pool: GraderPool) -> None:
    assert pool.grade([]) == []


@pytest.mark.parametrize(
    ("bad", "verdict"),
    [
        ("sleep", Verdict.TIMEOUT),
        ("burn", Verdict.TIMEOUT),
        ("hang-in-c", Verdict.TIMEOUT),
        ("ignore-signals", Verdict.TIMEOUT),
        ("exit", Verdict.ERROR),
        ("sys-exit", Verdict.ERROR),
        ("segfault", Verdict.ERROR),
        ("recurse", Verdict.ERROR),
        ("bomb", Verdict.ERROR),
        ("raise", Verdict.ERROR),
        ("raise-unpicklable", Verdict.ERROR),
        ("object", Verdict.ERROR),
        ("numpy", Verdict.CORRECT),
    ],
)
def test_only_the_culprit_is_blamed(pool: GraderPool, bad: str, verdict: Verdict) -> None:
    answers = ["7", "8", bad, "7", "8", "7"]
    begin = time.monotonic()
    got = pool.grade(tasks(*answers))
    assert got == [
        Verdict.CORRECT,
        Verdict.INCORRECT,
        verdict,
        Verdict.CORRECT,
        Verdict.INCORRECT,
        Verdict.CORRECT,
    ]
    assert time.monotonic() - begin < DEADLINE_S + SLACK_S
    assert pool.grade(tasks("7")) == [Verdict.CORRECT]


def test_deadline_counts_for_each_answer_of_a_batch(pool: GraderPool) -> None:
    answers = ["burn", "7", "burn", "burn", "8", "7"]
    begin = time.monotonic()
    verdicts = pool.grade(tasks(*answers))
    took = time.monotonic() - begin
    assert [v.value for v in verdicts] == [
        "timeout",
        "correct",
        "timeout",
        "timeout",
        "incorrect",
        "correct",
    ]
    assert 3 * DEADLINE_S <= took < 3 * DEADLINE_S + SLACK_S


def test_a_hang_stops_no_other_worker(tmp_path: Path) -> None:
    met, count = tmp_path / "met", tmp_path / "count"

    def lines(file: Path) -> int:
        return len(file.read_text().split()) if file.exists() else 0

    with (
        GraderPool([MOODY], workers=2, settings=PoolSettings(deadline_s=60.0)) as pool,
        # A quarter of the answers waits behind the one that hangs; the others do not.
        meeting(met, lambda pid: wait_for(lambda: lines(count) >= 75)),
    ):
        verdicts = pool.grade(tasks(f"meet:{met}", *[f"count:{count}"] * 100))
    assert verdicts == [Verdict.CORRECT, *[Verdict.INCORRECT] * 100]


def test_killed_from_outside_while_grading(pool: GraderPool, tmp_path: Path) -> None:
    met = tmp_path / "met"
    with meeting(met, lambda pid: os.kill(pid, signal.SIGKILL)):
        verdicts = pool.grade(tasks("7", f"meet:{met}", "8"))
    assert verdicts == [Verdict.CORRECT, Verdict.CORRECT, Verdict.INCORRECT]
    assert not pool.disturbed


def test_killed_from_outside_twice_at_one_answer(pool: GraderPool, tmp_path: Path) -> None:
    met = tmp_path / "met"

    def kill_and_meet_again(pid: int) -> None:
        met.unlink()
        os.kill(pid, signal.SIGKILL)
        wait_for(met.exists)
        wait_for(lambda: met.read_text().endswith("\n"))
        os.kill(int(met.read_text()), signal.SIGKILL)

    with meeting(met, kill_and_meet_again):
        verdicts = pool.grade(tasks("8", f"meet:{met}", "7"))
    assert verdicts == [Verdict.INCORRECT, Verdict.CORRECT, Verdict.CORRECT]


def test_a_worker_stopped_for_good_is_replaced(pool: GraderPool, tmp_path: Path) -> None:
    met = tmp_path / "met"
    with meeting(met, lambda pid: os.kill(pid, signal.SIGSTOP), go=False):
        verdicts = pool.grade(tasks(f"meet:{met}", "7"))
    assert verdicts == [Verdict.CORRECT, Verdict.CORRECT]


def test_a_worker_stopped_for_longer_than_the_deadline_loses_nothing(
    pool: GraderPool, tmp_path: Path
) -> None:
    met = tmp_path / "met"

    def stop_for_a_while(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(2 * DEADLINE_S)
        os.kill(pid, signal.SIGCONT)

    with meeting(met, stop_for_a_while):
        verdicts = pool.grade(tasks(f"meet:{met}", "7"))
    assert verdicts == [Verdict.CORRECT, Verdict.CORRECT]


def test_memory_that_others_left_full_tells_against_no_answer(pool: GraderPool) -> None:
    verdicts = pool.grade(tasks("hoard:200", "need:200", "need:2000"))
    assert verdicts == [Verdict.CORRECT, Verdict.CORRECT, Verdict.ERROR]


def test_only_what_the_machine_may_have_caused_is_called_disturbed(pool: GraderPool) -> None:
    pool.grade(tasks("7", "burn", "sleep", "raise"))
    assert pool.disturbed == {2}
    pool.grade(tasks("7"))
    assert not pool.disturbed


def test_killed_from_outside_while_idle(pool: GraderPool) -> None:
    pool.grade(tasks("7"))
    fork_server = pool._fork_server.pid
    for pid in family(fork_server):
        os.kill(pid, signal.SIGKILL)
    assert pool.grade(tasks("7", "8")) == [Verdict.CORRECT, Verdict.INCORRECT]


def test_fork_server_killed_blames_nobody(pool: GraderPool) -> None:
    fork_server = pool._fork_server.pid
    os.kill(fork_server, signal.SIGKILL)
    wait_for(lambda: not alive(fork_server))
    assert pool.grade(tasks("7", "8", "7")) == [
        Verdict.CORRECT,
        Verdict.INCORRECT,
        Verdict.CORRECT,
    ]


def test_fork_server_killed_while_grading(pool: GraderPool, tmp_path: Path) -> None:
    met = tmp_path / "met"
    fork_server = pool._fork_server.pid
    with meeting(met, lambda _: os.kill(fork_server, signal.SIGKILL)):
        verdicts = pool.grade(tasks("7", f"meet:{met}", "8"))
    assert verdicts == [Verdict.CORRECT, Verdict.CORRECT, Verdict.INCORRECT]


def test_fork_server_killed_while_it_starts() -> None:
    before = family(os.getpid())
    killed: list[int] = []

    def kill_two() -> None:
        while len(killed) < 2:
            for pid in family(os.getpid()) - before - set(killed):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Thread(target=kill_two)
    killer.start()
    with GraderPool([MOODY]) as pool:
        killer.join()
        assert pool.grade(tasks("7", "8")) == [Verdict.CORRECT, Verdict.INCORRECT]


def test_a_fork_server_that_cannot_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distlab.scoring.pool._PAUSE_S", 0.0)
    before = family(os.getpid())
    with pytest.raises(UserError, match=r"ended 10 times in a row \(status 3\)"):
        GraderPool([ComponentSpec("deadly", "hostile_graders:Deadly")])
    assert family(os.getpid()) == before


def test_a_grader_that_ends_the_process_costs_its_answers_alone() -> None:
    with GraderPool([ComponentSpec("exiting", "hostile_graders:Exiting")]) as pool:
        assert pool.grade(tasks("7", "x", "8")) == [
            Verdict.CORRECT,
            Verdict.ERROR,
            Verdict.INCORRECT,
        ]


def test_a_closed_pool_refuses() -> None:
    pool = GraderPool([MOODY])
    pool.close()
    with pytest.raises(ValueError, match="closed"):
        pool.grade(tasks("7"))


def test_stopped_worker_is_replaced(pool: GraderPool) -> None:
    # The test before may have ended with a worker that was killed.
    assert pool.grade(tasks("7")) == [Verdict.CORRECT]
    (pid,) = family(pool._fork_server.pid)
    os.kill(pid, signal.SIGSTOP)
    assert pool.grade(tasks("7", "8")) == [Verdict.CORRECT, Verdict.INCORRECT]


def test_recycled(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    settings = PoolSettings(recycle=10)
    with GraderPool([MOODY], workers=1, settings=settings) as pool:
        for _ in range(4):
            pool.grade(tasks(*[f"count:{note}"] * 10))
    pids = note.read_text().split()
    assert len(pids) == 40
    assert len(set(pids)) >= 4


def test_close_leaves_no_process() -> None:
    before = family(os.getpid())
    pool = GraderPool([MOODY], workers=2)
    inside = family(os.getpid()) - before
    assert len(inside) == 3
    pool.grade(tasks("7"))
    pool.close()
    assert not [pid for pid in inside if alive(pid)]
    pool.close()


def test_interrupted_pool_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = GraderPool([MOODY])
    below = family(pool._fork_server.pid) | {pool._fork_server.pid}

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pool, "_turn", interrupt)
    with pytest.raises(KeyboardInterrupt):
        pool.grade(tasks("7"))
    assert not [pid for pid in below if alive(pid)]


def test_workers_die_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(
        textwrap.dedent("""
        import sys, threading
        from distlab.problems.problem import Gold
        from distlab.problems.problem import GoldKind
        from distlab.scoring.pool import GraderPool
        from distlab.scoring.pool import GradeTask
        from distlab.scoring.pool import PoolSettings
        from distlab.scoring.types import ComponentSpec
        pool = GraderPool(
            [ComponentSpec("moody", "hostile_graders:Moody")],
            workers=2,
            settings=PoolSettings(deadline_s=100.0),
        )
        print("up", flush=True)
        pool.grade([GradeTask(0, Gold(GoldKind.NUMBER, "7"), "hang-in-c")] * 2)
        """)
    )
    owner = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    below = family(owner.pid)
    assert len(below) == 3
    time.sleep(0.3)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    wait_for(lambda: not any(alive(pid) for pid in below))


def test_workers_keep_silent(pool: GraderPool, capfd: pytest.CaptureFixture[str]) -> None:
    pool.grade(tasks("print", "7"))
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_is_not_theirs(pool: GraderPool) -> None:
    for pid in [pool._fork_server.pid, *family(pool._fork_server.pid)]:
        os.kill(pid, signal.SIGINT)
    before = family(os.getpid())
    assert pool.grade(tasks("7")) == [Verdict.CORRECT]
    assert family(os.getpid()) == before


@pytest.mark.parametrize(
    "answer",
    [
        "7\0",
        "\ud800\udfff",
        "\u202e7\u202c",
        "{" * 10_000_000,
        "9" * 1_000_000,
        "__import__('os').system('touch hacked')",
    ],
    ids=["nul", "surrogate", "rtl", "braces", "digits", "import"],
)
def test_hostile_text_travels(pool: GraderPool, answer: str) -> None:
    assert pool.grade(tasks(answer, "7")) == [Verdict.INCORRECT, Verdict.CORRECT]


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("no_such_module:Grader", {}, "no_such_module"),
        ("hostile_graders:Nobody", {}, "Nobody"),
        ("hostile_graders", {}, "module:Class"),
        ("hostile_graders:Moody", {"colour": 1}, "colour"),
        ("hostile_graders:Refusing", {}, "no such mood"),
        (
            "hostile_graders:Rewarding",
            {},
            r"returned 0\.1 \(float\), and must return True or False",
        ),
    ],
)
def test_bad_grader(target: str, options: dict[str, int], words: str) -> None:
    before = family(os.getpid())
    with pytest.raises(UserError, match=words):
        GraderPool([ComponentSpec("bad", target, options)])
    assert family(os.getpid()) == before


def test_cheap_answers_are_cheap(pool: GraderPool) -> None:
    many = tasks(*["7"] * 40_000)
    begin = time.monotonic()
    pool.grade(many)
    # 20 000 a second and core is the aim; a process an answer would make a hundred.
    assert 40_000 / (time.monotonic() - begin) > 1_000
