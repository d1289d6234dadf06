"""What the report says of a claim when the answer is yes, no, or cannot tell: golden sentences.

``python -m tests.report.test_sentences`` writes them anew.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from distlab.analysis.claims import Answer, Claim, Decision, Family, Kind
from distlab.analysis.contrasts import student
from distlab.errors import UserError
from distlab.escape import plain
from distlab.report import build_report
from distlab.report.questions.order import QUESTIONS
from distlab.report.questions.paper import PAPER
from distlab.report.table import StudyTables
from tests.report.sentences import changes, reported
from tests.report.sentences import main as list_changes
from tests.report.studies import HOSTILE, write_run

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "sentences.md"
# What is said where a gap is there.
_OF_A_GAP: Final = (Kind.DECODING_EXPLAINS, Kind.GUESSING_EXPLAINS)
# Kinds that this study has no claim of; their questions' own tests have all three answers.
ELSEWHERE: Final = {
    Kind.FAILURES_EXPLAIN: "test_gap.py",
    Kind.FACTOR: "test_formats.py",
    Kind.FORMAT_EXPLAINS: "test_formats.py",
    Kind.SPREAD: "test_spread.py",
    Kind.RERUNS: "test_reruns.py",
    Kind.RERUNS_GAP: "test_reruns.py",
    Kind.RERUNS_TURN: "test_reruns.py",
    Kind.EXEMPLARS: "test_exemplars.py",
    Kind.MEMORY: "test_memory.py",
    Kind.WITHHELD: "test_withheld.py",
    Kind.STAGE: "test_ladder.py",
    Kind.STAGES_CROSS: "test_ladder.py",
}


def replicated(study: StudyTables) -> StudyTables:
    """The study as if one of the paper's figures were measured as the paper did."""
    row = next(row for row in study.rows(PAPER) if row.figure == "gap")
    same = replace(row, reason="", difference=student(0.02, 0.03, 100.0))
    claim = Claim(Kind.REPLICATION, same.key, "", 1.0, 1.0)
    decision = Decision(claim, Answer.CANNOT_TELL, 1.0, 1.0)
    family = replace(
        study.family,
        decisions={**study.family.decisions, (claim.kind, claim.key): decision},
    )
    return replace(study, tables={**study.tables, PAPER: (same,)}, family=family)


def answered(study: StudyTables, kind: Kind, answer: Answer) -> StudyTables:
    """The study with this answer to the kind's first claim, and cannot tell to all others."""
    first = next(key for key in study.family.decisions if key[0] is kind)
    decisions = {}
    for key, decision in study.family.decisions.items():
        told = answer if key == first else Answer.CANNOT_TELL
        if key[0] is Kind.GAP and kind in _OF_A_GAP:
            told = Answer.YES
        decisions[key] = Decision(decision.claim, told, 0.001, 0.001)
    return replace(study, family=Family(decisions, study.family.tests, study.family.level))


def sentences(study: StudyTables) -> Iterator[str]:
    """Every sentence of the report's answers."""
    for question in QUESTIONS:
        for statement in question.statements(study):
            yield statement.text
            yield from statement.controls
            yield from (f"Warning: {text}" for text in statement.warnings)


def said(study: StudyTables) -> Iterator[str]:
    """The golden text, line by line."""
    study = replicated(study)
    kinds = {kind for kind, _ in study.family.decisions}
    for kind in (kind for kind in Kind if kind in kinds):
        texts = {answer: list(sentences(answered(study, kind, answer))) for answer in Answer}
        common = set.intersection(*map(set, texts.values()))
        yield f"## {kind}\n\n"
        for answer in Answer:
            own = [text for text in texts[answer] if text not in common]
            for text in own or ["(nothing)"]:
                yield f"- {answer}: {plain(text, None)}\n"
        yield "\n"


def test_every_answer_of_every_kind_of_claim_has_its_sentence(full_study: StudyTables) -> None:
    assert "".join(said(full_study)) == GOLDEN.read_text(encoding="utf-8")


def test_no_kind_of_claim_is_without_golden_sentences() -> None:
    text = GOLDEN.read_text(encoding="utf-8")
    here = {kind for kind in Kind if f"## {kind}\n" in text}
    assert here | set(ELSEWHERE) == set(Kind)
    questions = Path(__file__).parent / "questions"
    assert all((questions / name).is_file() for name in ELSEWHERE.values())


def test_what_changed_between_two_reports_is_listed_by_question() -> None:
    old = "## Who?\n\n- base solves more\n  - a control\n\n## Why?\n\n- so\n"
    new = "## Who?\n\n- it cannot be told\n  - a control\n\n## Why?\n\n- so\n"
    assert list(changes(old, new)) == ["## Who?", "- base solves more", "+ it cannot be told"]
    assert list(changes(old, old)) == []


def test_a_commit_that_cannot_read_the_run_is_told_in_one_sentence(tmp_path: Path) -> None:
    package = tmp_path / "distlab" / "report"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "__main__.py").write_text("raise ValueError('no field parts')")
    with pytest.raises(UserError, match=r"no report of .*run \(ValueError: no field parts\)$"):
        reported(tmp_path, tmp_path / "run", tmp_path / "into")


def test_what_is_no_commit_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list_changes([str(tmp_path), "no-such-commit"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("no distlab can be taken from OLD=no-such-commit (fatal:")
    assert said.count("\n") == 1


def main() -> None:
    """Write the golden sentences of the study of ``full_study``."""
    run = Path(tempfile.mkdtemp()) / "run"
    write_run(run, "qwen3-8b", ("zero-shot", "few-shot"), HOSTILE)
    GOLDEN.write_text("".join(said(build_report(run))), encoding="utf-8")


if __name__ == "__main__":
    main()
