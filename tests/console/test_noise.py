import os
import subprocess
from pathlib import Path

import pytest

from distlab.console.noise import quiet


def test_noise_goes_to_the_log_and_words_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.txt"
    with quiet(log) as terminal:
        os.write(2, b"from C\n")
        subprocess.run(["echo", "from a child"], check=True)
        print("for people", file=terminal)
    print("afterwards")
    assert sorted(log.read_text().splitlines()) == ["from C", "from a child"]
    assert capfd.readouterr().out.splitlines() == ["for people", "afterwards"]


def test_an_error_restores_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="inside"), quiet(tmp_path / "log.txt"):
        raise ValueError("inside")
    print("afterwards")
    assert capfd.readouterr().out == "afterwards\n"
