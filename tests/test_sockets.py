import os
import subprocess
import sys
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.sockets import ray_folder, vllm_folder

LONG = "/" + 75 * "x"


@pytest.mark.parametrize(
    "environment",
    [{}, {"TMPDIR": "/tmp"}, {"TMPDIR": "/" + 38 * "x"}, {"TMPDIR": LONG, "RAY_TMPDIR": "/tmp"}],
)
def test_a_short_folder_is_left_to_ray(environment: dict[str, str]) -> None:
    assert ray_folder(environment) is None


@pytest.mark.parametrize("long", [LONG, "/" + 39 * "x", "/" + 20 * "é"])
def test_a_long_one_gives_way_to_the_first_short_one_that_can_be_written(long: str) -> None:
    assert ray_folder({"TMPDIR": long}, ("/absent", "/tmp")) == "/tmp/ray"


def test_nothing_short_is_said_with_the_remedy() -> None:
    with pytest.raises(UserError, match=r"has 76 bytes.* leave it 39: set RAY_TMPDIR"):
        ray_folder({"RAY_TMPDIR": LONG}, ("/absent",))


def test_vllm_has_more_room() -> None:
    assert vllm_folder("/" + 69 * "x") is None
    assert vllm_folder("/" + 70 * "x") == "/tmp"


CONNECTS = """
import os, ray
from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.engines.cluster import connected
with connected(validate(compose_config([])).cluster):
    print(ray.get(ray.remote(lambda: "a worker answers").remote()))
"""


@pytest.mark.ray
def test_ray_starts_under_a_temporary_folder_of_76_characters(tmp_path: Path) -> None:
    folder = Path(f"{tmp_path}/{'x' * 76}"[:76])
    folder.mkdir(parents=True)
    environment = {name: v for name, v in os.environ.items() if not name.startswith("RAY_")}
    started = subprocess.run(
        [sys.executable, "-c", CONNECTS],
        env={**environment, "TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    said = [line for line in started.stdout.splitlines() if not line.startswith("(")]
    assert said == [
        "note: the temporary folder's path is too long for sockets: Ray's files go to /tmp/ray",
        "a worker answers",
    ]
