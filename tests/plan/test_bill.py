"""The bill of a sweep, on what is known without a hub."""

import pytest

from distlab.plan.__main__ import main


def test_the_papers_bill_has_a_line_a_family_and_sums(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # 3145 problems x 2 prompts x 2 arms x 20 samples x 8 families.
    assert main(["+experiment=paper", "cluster=h100-2x8", "cluster.tokens_per_s=1000"]) == 0
    output = capsys.readouterr().out
    assert "2012800" in output
    assert "128" in output
    for line in ("model=qwen3-0", "model=kimi-k2"):
        assert line in output


def test_a_job_that_cannot_be_planned_is_named_and_the_others_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["+experiment=finding-1", "model=qwen3-8b,kimi-k2", "cluster=h100-1x8"]) == 2
    output = capsys.readouterr().out
    assert "job 1 cannot be planned: " in output
    assert "52760" in output


def test_a_misspelt_name_refuses_the_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model=qwen3-8b,qwen3-8bb"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "`model` has no option 'qwen3-8bb'; did you mean" in line
