"""Our extraction and grading against what others published on the same texts and golds."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distlab.problems.gsm8k import GSM8K
from distlab.problems.latex_golds import latex_gold
from distlab.problems.math import MATH, MATH500
from distlab.problems.math_perturb import Hard, Simple
from distlab.problems.medcalc import MedCalc as MedCalcSet
from distlab.problems.problem import DatasetLoader, DatasetSpec, Gold, GoldKind, Problem
from distlab.scoring.extractors.rules import Rules
from distlab.scoring.graders.math_verify import MathVerify
from distlab.scoring.graders.medcalc import MedCalc
from distlab.scoring.graders.prm800k import PRM800K
from distlab.scoring.graders.standard import Standard
from distlab.scoring.types import Grader

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the evaluation sets are not at hand")

STANDARD, PRM, MATH_VERIFY, MEDCALC = Standard(), PRM800K(), MathVerify(), MedCalc()
GRADERS: tuple[Grader, ...] = (STANDARD, PRM, MATH_VERIFY, MEDCALC)

SETS: Mapping[str, tuple[Callable[[], DatasetLoader], str]] = {
    "gsm8k": (GSM8K, "gsm8k/test.jsonl"),
    "math-500": (MATH500, "math-500/test.jsonl"),
    "math": (MATH, "math/test.jsonl"),
    "math-perturb-simple": (Simple, "math-perturb/math_perturb_simple.jsonl"),
    "math-perturb-hard": (Hard, "math-perturb/math_perturb_hard.jsonl"),
    "medcalc": (MedCalcSet, "medcalc/test_v1.0.csv"),
}

# Golds that a grader cannot find equal to themselves, and why: (grader, problem) -> reason.
IMPOSSIBLE: Mapping[tuple[str, str], str] = {}

QWEN = "outputs/qwen2.5-math_100x8/math_cot_100.jsonl"
LLAMA = "outputs/llama3.1_base_gsm8k/llama31_results.json"

# Where our verdict is not the published one: (problem, sample) -> (ours, why).
QWEN_DIFFERENCES: Mapping[tuple[int, int], tuple[bool, str]] = {
    (72, 7): (True, r"\boxed{10000} against the gold 10{,}000: equal, published as wrong"),
}


def load(name: str, **options: str) -> tuple[Problem, ...]:
    loader, file = SETS[name]
    spec = DatasetSpec(name, "", path=str(DATA / file), options=options)
    return loader().load(spec).problems


def lines(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / file).read_text().splitlines()]


@pytest.mark.parametrize("grader", GRADERS, ids=lambda grader: grader.name)
@pytest.mark.parametrize("name", SETS)
def test_every_gold_is_correct_against_itself(name: str, grader: Grader) -> None:
    # The graders' short cut for identical text is kept out of it by the white space.
    golds = {problem.gold.text: problem for problem in load(name)}
    wrong = [
        problem.id
        for problem in golds.values()
        if grader.applies(problem.gold.kind)
        and (grader.name, problem.id) not in IMPOSSIBLE
        and not grader.grade(problem.gold, f" {problem.gold.text} ")
    ]
    assert wrong == []


@pytest.mark.parametrize("grader", [STANDARD, PRM], ids=lambda grader: grader.name)
def test_no_gold_is_correct_for_another_problem(grader: Grader) -> None:
    problems = load("math-perturb-hard") + load("math-500")
    distinct = {problem.gold.text: problem.gold for problem in problems}
    texts = sorted(distinct)
    wrong = {
        (gold, answer)
        for gold, answer in zip(texts, texts[1:] + texts[:1], strict=True)
        if grader.grade(distinct[gold], answer)
    }
    # Different writings of one value are no error.
    assert {pair for pair in wrong if not MATH_VERIFY.grade(distinct[pair[0]], pair[1])} == set()


def test_integer_golds_are_told_apart() -> None:
    texts = [str(number) for number in (0, 1, -1, 7, 10, 70, 77, 100, 700, 1000, 1001, 10000)]
    for grader in (STANDARD, PRM, MATH_VERIFY):
        for gold in texts:
            right = [a for a in texts if grader.grade(Gold(GoldKind.NUMBER, gold), a)]
            assert right == [gold]


def qwen_verdicts(grader: Grader) -> dict[tuple[int, int], bool]:
    rules, verdicts = Rules(), {}
    for row in lines(QWEN):
        gold = latex_gold(row["gt"])
        for rank, text in enumerate(row["code"]):
            answer = rules.extract(text, gold.kind).answer
            verdicts[row["idx"], rank] = answer is not None and grader.grade(gold, answer)
    return verdicts


def test_qwen_samples_score_as_published() -> None:
    ours = qwen_verdicts(MATH_VERIFY)
    published = {
        (row["idx"], rank): score for row in lines(QWEN) for rank, score in enumerate(row["score"])
    }
    differing = {key: ours[key] for key in published if ours[key] != published[key]}
    assert differing == {key: verdict for key, (verdict, _) in QWEN_DIFFERENCES.items()}
    agreed = ours | {key: published[key] for key in QWEN_DIFFERENCES}
    problems = {problem for problem, _ in agreed}
    assert [sum(agreed[p, rank] for p in problems) for rank in range(8)] == [
        90, 92, 93, 89, 92, 92, 90, 90,
    ]  # fmt: skip
    assert sum(any(agreed[p, rank] for rank in range(8)) for p in problems) == 96


def test_graders_agree_on_qwen_samples() -> None:
    verdicts = [qwen_verdicts(grader) for grader in (STANDARD, PRM, MATH_VERIFY)]
    assert verdicts[0] == verdicts[1] == verdicts[2]


def test_math_verify_shortcut_agrees_on_real_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules()
    pairs = {
        (row["gt"], rules.extract(text, GoldKind.LATEX).answer or "")
        for row in lines(QWEN)
        for text in row["code"]
    }
    quick = {pair: MATH_VERIFY.grade(latex_gold(pair[0]), pair[1]) for pair in pairs}
    monkeypatch.setattr("distlab.scoring.graders.math_verify._INTEGER", re.compile(r"(?!)"))
    slow = {pair: MATH_VERIFY.grade(latex_gold(pair[0]), pair[1]) for pair in pairs}
    assert quick == slow


def llama_accuracy(rules: Rules) -> float:
    rows = [row for row in json.loads((DATA / LLAMA).read_text()) if "question" in row]
    right = 0
    for row in rows:
        gold = Gold(GoldKind.NUMBER, row["extracted_gold_answer"])
        answer = rules.extract(row["model_answers_text"][0], gold.kind).answer
        right += answer is not None and STANDARD.grade(gold, answer)
    return right / len(rows)


def test_the_cut_recovers_the_base_model() -> None:
    assert 0.53 <= llama_accuracy(Rules()) <= 0.56


def test_without_the_cut_the_base_model_seems_to_fail() -> None:
    assert 0.09 <= llama_accuracy(Rules(cut=False)) <= 0.13


def test_cuts_leave_one_answer() -> None:
    rules = Rules()
    rows = [row for row in json.loads((DATA / LLAMA).read_text()) if "question" in row]
    texts = [row["model_answers_text"][0] for row in rows]
    kept = [text[: rules.extract(text, GoldKind.NUMBER).cut] for text in texts]
    several = [text for text in kept if text.count("The answer is") > 1]
    assert len(several) <= 3
    assert sum(len(text) for text in kept) < 0.6 * sum(len(text) for text in texts)


def test_medcalc_exemplars_are_read_and_right() -> None:
    by_calculator = {p.strata["calculator_id"]: p.gold for p in load("medcalc")}
    rules = Rules()
    for calculator, entry in json.loads((DATA / "medcalc/one_shot_v1.0.json").read_text()).items():
        if calculator not in by_calculator:
            continue
        gold = exemplar_gold(by_calculator[calculator], entry["Response"]["answer"])
        text = json.dumps(entry["Response"])
        for written in (text, text[:-1], f"```json\n{text}\n```"):
            answer = rules.extract(written, gold.kind).answer
            assert answer is not None
            assert MEDCALC.grade(gold, answer)


def exemplar_gold(like: Gold, answer: object) -> Gold:
    if like.kind is GoldKind.INTERVAL:
        value = float(str(answer))
        lower, upper = sorted((0.95 * value, 1.05 * value))
        return replace(like, text=str(answer), lower=lower, upper=upper)
    return replace(like, text=str(answer))


def test_corrected_labels_change_the_verdict_where_they_should() -> None:
    corrected = load(
        "medcalc",
        labels="corrected",
        corrected_path=str(DATA / "medcalc/test_v1.0_corrected_887.csv"),
    )
    published = {problem.id: problem.gold for problem in load("medcalc")}
    changed = 0
    for problem in corrected:
        old, new = published[problem.id], problem.gold
        assert MEDCALC.grade(new, new.text)
        overlap = (
            old.lower <= float(new.text) <= old.upper
            if old.lower is not None and old.upper is not None
            else old.text == new.text
        )
        assert MEDCALC.grade(old, new.text) is overlap
        changed += not overlap
    assert changed > 200
