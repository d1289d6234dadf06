import asyncio

from distlab.engines.tasks import Tasks


def test_the_first_failure_is_kept_and_wakes_the_dispatcher() -> None:
    async def fail(words: str) -> None:
        raise ValueError(words)

    async def run() -> Tasks:
        tasks = Tasks()
        tasks.spawn(fail("first"))
        tasks.spawn(fail("second"))
        await tasks.change(within_s=60)
        return tasks

    assert str(asyncio.run(run()).crash) == "first"


def test_tasks_that_do_not_end_are_cancelled_and_that_is_no_failure() -> None:
    ended = []

    async def long() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def run() -> Tasks:
        tasks = Tasks()
        tasks.spawn(long())
        await tasks.change(within_s=0.01)
        await tasks.end(patience_s=0.01)
        return tasks

    assert asyncio.run(run()).crash is None
    assert ended == ["cancelled"]
