"""A run's pages as files."""

import re
from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.problems import Gold, GoldKind, Problem
from distlab.view.__main__ import main
from distlab.view.site import drawn_by_lot, write_site
from tests.view.conftest import REPORT


def test_pages_lead_to_each_other_and_nowhere_else(scored_run: Path, tmp_path: Path) -> None:
    site = write_site(scored_run, tmp_path / "site", 10**6)
    assert (site.problems, site.of) == (2, 2)
    assert site.folder.stat().st_mode & 0o055 == 0o055
    pages = {file.name: file.read_text() for file in site.folder.glob("*.html")}
    report = pages.pop("report.html")
    assert report == REPORT
    assert set(pages) == {"index.html", "problems.html", "problem-0001.html", "problem-0002.html"}
    for text in pages.values():
        assert "default-src 'none'; style-src 'self'" in text.replace("&#39;", "'")
        targets = re.findall(r'(?:href|src)="([^"#]+)', text)
        assert all((site.folder / target).is_file() for target in targets)
        assert "<form" not in text.replace('<form method="dialog">', "")
        assert text.count("<script") == 1
    assert "2 of 2 problems, drawn by a hash of their names" in pages["problems.html"]
    assert "characters between are left out here" in pages["problem-0001.html"]


def test_size_is_bounded_and_what_is_left_out_is_said(
    scored_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write_site(scored_run, tmp_path / "whole", 10**6)
    part = write_site(scored_run, tmp_path / "part", whole.size - 1_000)
    assert part.problems == 1
    assert part.size <= whole.size - 1_000
    assert "1 of 2 problems" in (part.folder / "problems.html").read_text()
    assert main([str(scored_run), "--static", str(tmp_path / "said")]) == 0
    assert "2 of 2 problems, drawn by a hash of their names" in capsys.readouterr().out


def test_what_does_not_fit_leaves_nothing_behind(scored_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not one problem fits 0 MB.*more --megabytes"):
        write_site(scored_run, tmp_path / "site", 10_000)
    assert list(tmp_path.iterdir()) == []


BAD = {
    ("--static", "there"): "there is there already: name a new folder",
    ("--static", "new", "--megabytes", "0"): "--megabytes is 0: give a whole number from 1",
    ("RUN", "--static", "new"): "writes the pages of one run: 2 are named",
}


@pytest.mark.parametrize("words", BAD)
def test_what_cannot_be_written_is_a_sentence(
    scored_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    run = str(scored_run)
    assert main([run, *(run if word == "RUN" else word for word in words)]) == 2
    assert BAD[words] in capsys.readouterr().err


def test_problems_are_drawn_by_their_names_and_from_every_dataset() -> None:
    def problem(dataset: str, number: int) -> Problem:
        return Problem(str(number), dataset, "q", Gold(GoldKind.NUMBER, "1"), str(number))

    many = [problem("many", number) for number in range(20)]
    few = [problem("few", number) for number in range(3)]
    lot = drawn_by_lot([*many, *few])
    assert lot == drawn_by_lot([*reversed(few), *reversed(many)])
    assert sorted(one.dataset for one in lot[:6]) == ["few"] * 3 + ["many"] * 3
    assert [one for one in lot if one.dataset == "many"] != many
