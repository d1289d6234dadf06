import pytest
import ray

from distlab.errors import UserError
from distlab.local_ray import local_ray


def test_a_ray_that_does_not_come_up_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    with (
        pytest.raises(UserError, match=r"timed out during startup\.\).*run the same command again"),
        local_ray(1 << 20),
    ):
        pass


def test_a_temporary_folder_with_too_long_a_path_is_replaced_for_scoring_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", "/tmp/" + "x" * 90)
    asked: dict[str, object] = {}
    monkeypatch.setattr(ray, "init", lambda **given: asked.update(given))
    said: list[str] = []
    with local_ray(1 << 20, said.append, quiet=True):
        pass
    assert asked["_temp_dir"] == "/tmp/ray"
    assert len(said) == 1 and "too long for sockets" in said[0]
