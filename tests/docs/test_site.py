"""The documentation builds as a site, with no broken link."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "-f", str(config), "-d", str(site)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_page_is_there_and_every_link_holds(tmp_path: Path) -> None:
    built = build(ROOT / ".mkdocs.yml", tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    config = (tmp_path / "config" / "index.html").read_text(encoding="utf-8")
    assert "<code>cluster.hang_s</code>" in config
    for page in (ROOT / "docs").glob("*.md"):
        assert (tmp_path / page.stem / "index.html").is_file()


def test_a_broken_link_fails(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[no](guide.md#nowhere)\n")
    plain = "site_name: x\nstrict: true\nvalidation: {anchors: warn}\n"
    (tmp_path / "mkdocs.yml").write_text(plain)
    assert build(tmp_path / "mkdocs.yml", tmp_path / "site").returncode == 1
