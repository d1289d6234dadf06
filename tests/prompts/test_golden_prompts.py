"""Rendered text and token ids per dataset, prompt and variant, against files that people read.

After a change that is meant, write the files anew and read the difference:

    DISTLAB_WRITE_GOLDEN=1 python -m pytest tests/prompts/test_golden_prompts.py

The problems and exemplars are ours, none is a row of an evaluation set. The token ids are those of
the packaged SmolLM2 tokenizer.
"""

import json
import os
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from distlab.problems import Exemplar, Gold, GoldKind, Problem
from distlab.prompts import ChatTemplate, PromptFormat, PromptSpec, build_renderer

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "prompts"
STYLES = (
    PromptSpec("zero-shot"),
    PromptSpec("few-shot", shots=2),
    PromptSpec("qa", chain_of_thought=False),
)
VARIANTS = {"base": PromptFormat.PLAIN, "instruct": PromptFormat.CHAT}

WORDS = (
    "A baker fills 12 trays with 6 rolls each and sells 50 rolls. How many rolls are left?",
    (
        Exemplar(
            "ours-1",
            "Tom reads 15 pages a day for 4 days. How many pages does he read?",
            "Tom reads 15 * 4 = 60 pages.",
            "60",
        ),
        Exemplar(
            "ours-2",
            "A bus has 40 seats and 13 are empty. How many are taken?",
            "There are 40 - 13 = 27 taken seats.",
            "27",
        ),
    ),
)
LATEX = (
    r"Solve $2x + \frac{1}{2} = 3$ for $x$.",
    (
        Exemplar(
            "ours-3",
            "What is the sum of the roots of $x^2 - 9x + 14 = 0$?",
            r"By Vieta's formulas the sum is $\boxed{9}$.",
            "9",
        ),
        Exemplar(
            "ours-4",
            r"Write $0.\overline{3}$ as a fraction.",
            r"If $y = 0.\overline{3}$ then $9y = 3$, so $y = \boxed{\frac{1}{3}}$.",
            r"\frac{1}{3}",
        ),
    ),
)
NOTES = (
    "Patient note: A woman of 40 is 160 cm tall and weighs 64 kg.\n\n"
    "What is the patient's BMI in kg/m^2?",
    (
        Exemplar(
            "ours-5",
            "Patient note: A man's last period of fasting began at 6 am and ended at 8 pm.\n\n"
            "How many hours did he fast?",
            "From 6 am to 8 pm there are 14 hours.",
            "14",
        ),
        Exemplar(
            "ours-6",
            "Patient note: Her last menstrual period was 25 days ago.\n\n"
            "What is the gestational age as (weeks, days)?",
            "25 days are 3 weeks and 4 days.",
            "(3 weeks, 4 days)",
        ),
    ),
)
DATASETS = {
    "gsm8k": WORDS,
    "gsm-symbolic": WORDS,
    "math": LATEX,
    "math-500": LATEX,
    "math-perturb-simple": LATEX,
    "math-perturb-hard": LATEX,
    "medcalc": NOTES,
}


@pytest.mark.parametrize("dataset", sorted(DATASETS))
def test_prompts_are_the_golden_ones(dataset: str, smollm2: PreTrainedTokenizerBase) -> None:
    found = {
        f"{style.name}/{variant}": _rendered(dataset, style, fmt, smollm2)
        for style in STYLES
        for variant, fmt in VARIANTS.items()
    }
    path = FOLDER / f"{dataset}.json"
    if os.environ.get("DISTLAB_WRITE_GOLDEN"):
        path.write_text(_readable(found))
    assert found == json.loads(path.read_text())


def _rendered(
    dataset: str, style: PromptSpec, fmt: PromptFormat, tokenizer: PreTrainedTokenizerBase
) -> dict[str, object]:
    question, pool = DATASETS[dataset]
    problem = Problem("ours", dataset, question, Gold(GoldKind.NUMBER, "?"), cluster="ours")
    chat = ChatTemplate(tokenizer, {}) if fmt is PromptFormat.CHAT else None
    prompt = build_renderer(style, dataset, tokenizer, pool, chat).render(problem)
    assert tokenizer.decode(prompt.token_ids) == prompt.text
    return {
        "text": prompt.text.split("\n"),
        "token_ids": list(prompt.token_ids),
        "stop": list(prompt.stop),
    }


def _readable(found: dict[str, dict[str, object]]) -> str:
    """JSON with a line for each line of text and one for all token ids."""
    cells = []
    for name, cell in found.items():
        text = ",\n".join(f"   {json.dumps(line)}" for line in cell["text"])  # type: ignore[attr-defined]
        cells.append(
            f' "{name}": {{\n  "text": [\n{text}\n  ],\n'
            f'  "token_ids": {json.dumps(cell["token_ids"])},\n'
            f'  "stop": {json.dumps(cell["stop"])}\n }}'
        )
    return "{\n" + ",\n".join(cells) + "\n}\n"
