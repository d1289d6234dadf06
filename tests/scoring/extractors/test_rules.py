"""The rules extractor against formats that chat and base models really use."""

import time

import pytest

from distlab.problems.problem import GoldKind
from distlab.scoring.extractors.rules import READ_LIMIT, Rules
from distlab.scoring.types import Extraction

NUMBER, LATEX, LIST = GoldKind.NUMBER, GoldKind.LATEX, GoldKind.LIST
INTERVAL, INTEGER = GoldKind.INTERVAL, GoldKind.INTEGER
DATE, WEEKS_DAYS = GoldKind.DATE, GoldKind.WEEKS_DAYS

# The traps of the field: each was read wrong by a published harness.
TRAPS = [
    ("$18", "18"),
    (r"\boxed{18}", "18"),
    ("**18**", "18"),
    ("The answer is 18", "18"),
    ("The answer is 18.", "18"),
    ("She makes $18 every day. I am 100% sure of this.", "18"),
    ("The answer is 18. Confidence: 100%", "18"),
    ("That is 18 dollars (100% certain).", "18"),
    ("The answer is 1,234.5.", "1,234.5"),
    ("The answer is 1,234.5", "1,234.5"),
]

NUMBERS = [
    # Base models and few-shot answers.
    ("The answer is $18.", "18"),
    (" 9 * 2 = 18. The answer is 18.", "18"),
    ("So the answer is 2 + 3 = 5.", "5"),
    ("The answer is 13 - 13 = 0.", "0"),
    ("The answer is 15 x 6 + 14 x 15 = 90 + 210 = 300.", "300"),
    ("The answer is 27 wooden figures + 27 plastic figures = 54 figures.", "54"),
    ("The answer is $1300 + $130 = $1430.", "1430"),
    ("The answer is 11 minutes.", "11"),
    ("The answer is 48g.", "48"),
    ("The answer is 33.33%.", "33.33%"),
    ("The answer is -25.", "-25"),
    ("The answer is −25.", "−25"),
    ("The answer is -$50.", "-$50"),
    ("The answer is $118 000.", "118 000"),
    ("The answer is 3/4.", "3/4"),
    ("The answer is 2 1/2 cups.", "2 1/2"),
    ("The answer is $.40.", ".40"),
    ("The answer is: 18", "18"),
    ("The answer is: **18**", "18"),
    ("The answer is **$1,234** per month.", "1,234"),
    ("the answer is approximately 3.5 miles", "3.5"),
    ("The answer is approx. 42.", "42"),
    ("The answer is about $42.", "42"),
    ("The answer is 18 because 9 * 2 = 18.", "18"),
    ("The answer is that Janet makes 18 dollars a day.", "18"),
    ("The answer is x = 5.", "5"),
    ("The answer is zero.", "zero"),
    ("The answer is $1.5 million.", "1.5 million"),
    ("Janet makes $18 a day.\n\nNote: this assumes 7 days a week.", "18"),
    ("The answer is 5, 6.", "5, 6"),
    ("<answer>18</answer>", "18"),
    ("The answer is twenty-five.", "twenty-five"),
    ("#### 18", "18"),
    ("She makes 9 * 2 = $<<9*2=18>>18 a day.\n#### 18", "18"),
    ("9 * 2 = 18\n#### $1,800", "1,800"),
    ("A: 18", "18"),
    ("A: $18.", "18"),
    ("Ans: 18", "18"),
    ("answer = 18", "18"),
    ("Answer: 18", "18"),
    ("ANSWER: 18", "18"),
    ("answer: $18", "18"),
    ("**Answer:** 18", "18"),
    ("**Answer: 18 dollars**", "18"),
    ("Result: 18", "18"),
    ("The answer is 5. Wait, no. The answer is 6.", "6"),
    ("The correct answer would be 42.", "42"),
    ("Hence, the answer should be 7.", "7"),
    ("Our answer comes to 12.", "12"),
    ("the answer to the question is 12.", "12"),
    ("The answer (in dollars) is 12.", "12"),
    ("The answer, rounded to the nearest dollar, is 12.", "12"),
    ("The answers is 12", "12"),
    # Chat models.
    ("**Final Answer**\n\n18 dollars", "18"),
    ("## Final Answer\n18", "18"),
    ("### Final Answer:\n\n**18**", "18"),
    ("**Final Answer:** Janet makes **$18** every day.", "18"),
    ("Final answer: 18", "18"),
    ("Final Answer: $\\boxed{18}$", "18"),
    ("The final answer is: $\\boxed{18}$", "18"),
    ("The final answer is 18. I hope it is correct.", "18"),
    ("Thus, the total is:\n\n$$\n\\boxed{18}\n$$", "18"),
    (r"\boxed{18\text{ dollars}}", "18"),
    (r"\boxed{\$18}", "18"),
    (r"\boxed{\$1,234.50}", "1,234.50"),
    (r"\boxed{1{,}234}", "1{,}234"),
    (r"\boxed{270,\!000}", r"270,\!000"),
    (r"\boxed{x = 18}", "18"),
    (r"\boxed{50\%}", r"50\%"),
    (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    (r"\boxed{2\frac{1}{2}}", r"2\frac{1}{2}"),
    (r"\boxed{\text{18}}", "18"),
    (r"\boxed 18", "18"),
    (r"\fbox{18}", "18"),
    (r"First \boxed{3}, then \boxed{18}.", "18"),
    (r"the answer is \boxed{18", "18"),
    (r"\boxed{}. The answer is 18.", "18"),
    ("Janet makes **$18** every day at the market.", "18"),
    ("So she has **18 eggs** left.\n\nLet me know if you need more help!", "18"),
    (
        "1. **Add the eggs**: 3 + 4 = 7\n2. **Subtract**: 16 - 7 = 9\n3. **Multiply**: 9 * 2 = 18",
        "18",
    ),
    ("Step 1: 16 - 7 = 9.\nStep 2: 9 * 2 = 18.", "18"),
    ("Therefore, Janet makes $18 per day.", "18"),
    ("So, the total cost is $18 for 3 people.", "18"),
    ("Therefore, it took her a total of \\( 18 \\) hours.", "18"),
    ("The answer is \\(18\\).", "18"),
    ("The answer is $18$.", "18"),
    ("The answer is $\\$18$.", "18"),
    ("<think>maybe the answer is 5</think>\nThe answer is 18.", "18"),
    ("18", "18"),
    (" 18\n", "18"),
    ("18 eggs", "18"),
    # What is no single number is handed over whole, for the grader to judge.
    (r"\boxed{6\sqrt{2}}", r"6\sqrt{2}"),
    (r"\boxed{2^5}", "2^5"),
    (r"\boxed{5x+3}", "5x+3"),
    ("The answer is 84 sofas and 88 chairs.", "84 sofas and 88 chairs"),
    ("The answer is 1 minute and 24 seconds.", "1 minute and 24 seconds"),
    ("The answer is 2:10 pm.", "2:10 pm"),
    ("The answer is 9 * 2.", "9 * 2"),
    ("The answer is 3x + 10.", "3x + 10"),
    ("The answer is 10-15.", "10-15"),
    # Nothing there.
    ("", None),
    ("I cannot tell.", None),
    ("The answer is unknown.", None),
]

LATEXES = [
    (r"So $\boxed{\frac{\sqrt{3}}{2}}$.", r"\frac{\sqrt{3}}{2}"),
    (r"\boxed{\left( 3, \frac{\pi}{2} \right)}", r"\left( 3, \frac{\pi}{2} \right)"),
    (r"\boxed{\{1, 2, \{3\}\}}", r"\{1, 2, \{3\}\}"),
    (r"\boxed{\text{(B)}}", r"\text{(B)}"),
    (r"\boxed{x^2 + 1", "x^2 + 1"),
    (r"\boxed{x^2 + 1$ and so", "x^2 + 1"),
    (r"\[ \boxed{ 1 + 2i } \]", "1 + 2i"),
    (r"\boxed\frac12", r"\frac12"),
    (r"\fbox{\text{east}}", r"\text{east}"),
    (r"The final answer is $[2,5)$. I hope it is correct.", "[2,5)"),
    (r"The final answer is \(\frac{3}{4}\).", r"\frac{3}{4}"),
    ("Final Answer: The final answer is $6 - 5i$. I hope it is correct.", "6 - 5i"),
    ("The answer is $x=5$.", "x=5"),
    ("The answer is $2+3=5$.", "5"),
    ("The answer is the interval $(2, \\infty)$.", "(2, \\infty)"),
    ("The answer is (B).", "(B)"),
    ("The answer is Evelyn.", "Evelyn"),
    ("The answer is **Evelyn**.", "Evelyn"),
    ("The answer is 5 cm.", "5 cm"),
    ("The answer is 1/2, since the coin is fair.", "1/2"),
    ("The answer is 1,234.5.", "1,234.5"),
    ("The answer is $18.", "$18"),
    ("Therefore, $x = \\frac{7}{2}$.", "x = \\frac{7}{2}"),
    ("We get $2 + 2 = 4$.", "4"),
    ("Hence\n$$a = b + c = 12.$$", "12"),
    ("So the area is \\(12\\pi\\).", "12\\pi"),
    ("**Answer:** $\\frac{1}{2}$", "\\frac{1}{2}"),
    ("Answer: (C)", "(C)"),
    ("Answer: Let us think about the sides.\nThe side is $5$.", "5"),
    ("### Answer\n\n\\( 2\\sqrt{5} \\)", "2\\sqrt{5}"),
    ("so it is 42", "42"),
    ("I do not know.", None),
]

LISTS = [
    (r"The answer is $1$ or $2$.", "1$ or $2"),
    (r"\boxed{1, 2}", "1, 2"),
    ("The answer is 8 or 56.", "8 or 56"),
    ("The solutions are $x=1$ and $x=2$.", "x=1$ and $x=2"),
]

MEDCALC = [
    ('{"step_by_step_thinking": "CrCl = 25.2", "answer": "25.238"}', INTERVAL, "25.238"),
    ('{"step_by_step_thinking": "CrCl = 3 * 4", "answer": 25.238}', INTERVAL, "25.238"),
    ('{"step_by_step_thinking": "...", "answer": "25.238"', INTERVAL, "25.238"),
    ('{"step_by_step_thinking": "...", "answer": "25.238', INTERVAL, "25.238"),
    ('{"step_by_step_thinking": "...", "answer": 25.238', INTERVAL, "25.238"),
    ('{"answer": "1,234.5"}', INTERVAL, "1,234.5"),
    ('{"answer": 1,234.5}', INTERVAL, "1,234.5"),
    ('{"answer": "0.495%"}', INTERVAL, "0.495%"),
    ('{"answer": "25.2 mL/min/1.73 m²"}', INTERVAL, "25.2"),
    ('{"answer": "-0.828"}', INTERVAL, "-0.828"),
    ("{'answer': '25.2 mL/min'}", INTERVAL, "25.2"),
    ('{"answer": "The creatinine clearance is 25.2 mL/min."}', INTERVAL, "25.2"),
    ('{"answer": "The CHA2DS2-VASc score is 4 points"}', INTEGER, "4"),
    ('{"answer": "CKD-EPI GFR = 77 mL/min"}', INTERVAL, "77"),
    ('{"answer": "str(25.2)"}', INTERVAL, "25.2"),
    ('```json\n{\n  "step_by_step_thinking": "x",\n  "answer": "4"\n}\n```', INTEGER, "4"),
    ('{"answer": "unknown"}\n{"answer": "4"}', INTEGER, "4"),
    ("The patient's HAS-BLED score is 3.", INTEGER, "3"),
    ("The answer is 141.24 mg/dL.", INTERVAL, "141.24"),
    ("The answer is 4.2 x 10^9.", INTERVAL, "4.2 x 10^9"),
    ("The answer is 1.5e3.", INTERVAL, "1.5e3"),
    (r"\boxed{25.2 \text{ mL/min}}", INTERVAL, "25.2"),
    ('{"answer": "25-30"}', INTERVAL, "25-30"),
    ('{"answer": "09/23/2014"}', DATE, "09/23/2014"),
    ('{"answer": 09/23/2014}', DATE, "09/23/2014"),
    ("The due date is September 23, 2014.", DATE, "September 23, 2014"),
    ("The due date is **23rd of September 2014**.", DATE, "23rd of September 2014"),
    ("From 01/02/2014 add 280 days. The answer is 2014-09-23.", DATE, "2014-09-23"),
    ("LMP 12/17/2013; so 09/23/2014.", DATE, "09/23/2014"),
    ("no date here, only 280 days", DATE, None),
    ('{"answer": "(3 weeks, 4 days)"}', WEEKS_DAYS, "3 weeks, 4 days"),
    ("{\"answer\": \"('3 weeks', '4 days')\"}", WEEKS_DAYS, "3 weeks', '4 days"),
    ('{"answer": ["3 weeks", "4 days"]}', WEEKS_DAYS, '3 weeks", "4 days'),
    ('{"answer": (3, 4)}', WEEKS_DAYS, "3, 4"),
    ("25 days. The answer is 3 weeks and 4 days.", WEEKS_DAYS, "3 weeks and 4 days"),
    ("The gestational age is 3w4d.", WEEKS_DAYS, "3w4d"),
    ("This is 3 weeks 4 days.", WEEKS_DAYS, "3 weeks 4 days"),
    ("This is 3 4/7 weeks.", WEEKS_DAYS, "3 4/7 weeks"),
    ("The answer is 14 weeks.", WEEKS_DAYS, "14 weeks"),
]

# Boxes that make one answer: it is given with commas, and its span is from the first to the last.
JOINED = [
    (r"\boxed{1} and \boxed{2}", "1, 2"),
    (r"$\boxed{1}$, $\boxed{2}$", "1, 2"),
    (r"$\boxed{(2, 2)} \quad \text{and} \quad \boxed{(6, 2)}$", "(2, 2), (6, 2)"),
    (r"\(y_1 = \boxed{-2x + 5}\) and \(y_2 = \boxed{3x - 2}\)", "-2x + 5, 3x - 2"),
    (r"$$\boxed{3} \text{ for part (a) and } \boxed{1}$$", "3, 1"),
    (r"\[ \boxed{5}; \quad \boxed{6} \]", "5, 6"),
    (r"\boxed{7} or, in words, \boxed{7}", "7"),
    (r"\boxed{3} is wrong. So it is \boxed{7}.", "7"),
]

# Text, and what is left of it after the cut.
RUN_ONS = [
    ("The answer is 18.\n\nQ: Tom has 5 pens.\nA: The answer is 5.", "The answer is 18."),
    ("The answer is 18.\nQ: Tom has 5 pens.\nA: The answer is 5.", "The answer is 18."),
    (" 18\n\nQuestion: Tom has 5.\nAnswer: 5", " 18"),
    ("So 18 dollars.\n\nQuestion: Tom has 5.\nAnswer: 5", "So 18 dollars."),
    ("#### 18\n\nQuestion 2: Tom?\n#### 5", "#### 18"),
    ("The answer is 18.\n\n**Problem 2:** Tom?\n5", "The answer is 18."),
    (
        "$x=18$. I hope it is correct.\n\nProblem:\nTom?\n\nSolution: 5",
        "$x=18$. I hope it is correct.",
    ),
    ("The answer is 18.\n\nExercise 3. Tom?\n5", "The answer is 18."),
    ("The answer is 18.\n\nHuman: and 5?\nAssistant: 5", "The answer is 18."),
    ("The answer is 18.\nUser: and 5?", "The answer is 18."),
    ("The answer is 18.<|im_end|>\n<|im_start|>user\n5", "The answer is 18."),
    ("The answer is 18.<|eot_id|>5", "The answer is 18."),
    ("The answer is 18.</s>[INST] 5 [/INST]", "The answer is 18."),
    ("The answer is 18.\n\n### Instruction:\n5", "The answer is 18."),
    (
        "The answer is 18.\n\nTom has 5 pens. How many has he?\nThe answer is 5.",
        "The answer is 18.",
    ),
    ("\n\nQ: Tom has 5 pens.\nA: The answer is 5.", ""),
    ("#### 18\nTom has 5 pens and buys 4. How many?\n#### 9", "#### 18"),
    ("\\boxed{18}\n\nTom has 5 pens and buys 4. How many?\n\\boxed{9}", "\\boxed{18}"),
    (
        "The answer is 18.\n\n---\n\nTom has 5 pens and buys 4. How many?\n9",
        "The answer is 18.\n\n---",
    ),
    # A chat's turn whose special tokens were skipped.
    ("The answer is 18.\nuser\nAnd 5?\nassistant\nIt is 5.", "The answer is 18."),
    ("The answer is 18.\nassistant\nIt is 5.", "The answer is 18."),
    ("The answer is 18.assistant\n\nIt is 5.", "The answer is 18."),
    ("The answer is 18.assistant", "The answer is 18."),
    ("So she makes 18 dollarsassistant\n\nIt is 5.", "So she makes 18 dollars"),
    ("\\boxed{18}user\n\nAnd 5?", "\\boxed{18}"),
    ("The answer is 18.\n\nLet's try another problem.\nTom has 5 pens: 5.", "The answer is 18."),
    ("The answer is 18.\n\nExample 2:\nTom has 5 pens.\nThe answer is 5.", "The answer is 18."),
    ("The answer is 18.\n\n## Problem\nTom has 5. The answer is 5.", "The answer is 18."),
    ("The answer is 18.\n\nSolve the following: Tom has 5.\nThe answer is 5.", "The answer is 18."),
]

NOT_RUN_ONS = [
    "Question: Tom has 5 pens.\nAnswer: 18",
    "**Problem:** Tom has 5 pens.\n\n**Solution:** The answer is 18.",
    "Let me restate it.\n\n**Problem:** Tom has 5 pens.\n\n**Solution:** The answer is 18.",
    "Step 1: Understand\nProblem: Tom has pens\nThe answer is 18.",
    "## Step 1: Question\nWhat do we know? 5 pens.\n\nThe answer is 18.",
    "For example: 5 pens.\nThe answer is 18.",
    "Q = 5 and Q: no line start. The answer is 18.",
    "It is 20.\n\nSolve this equation: x + 2 = 20.\n\nThe answer is 18.",
    "It is 20.\n\nSolve the following: x + 2 = 20.\n\nThe answer is 18.",
    "It is 20.\n\nLet's try another way: 9 * 2.\nThe answer is 18.",
    "2 + 3 = 5.\nExample 2: 9 * 2 = 18.\nThe answer is 18.",
    "The user\nhas 2 pens, the assistant 9.\nThe answer is 18.",
    "He asks his assistant.\nThe answer is 18.",
    "The answer is 20.\nWait, did she not eat 2 of them herself before?\nThe answer is 18.",
]


@pytest.mark.parametrize(("text", "answer"), TRAPS + NUMBERS)
def test_number(text: str, answer: str | None) -> None:
    check(text, NUMBER, answer)


@pytest.mark.parametrize(("text", "answer"), LATEXES)
def test_latex(text: str, answer: str | None) -> None:
    check(text, LATEX, answer)


@pytest.mark.parametrize(("text", "answer"), LISTS)
def test_list(text: str, answer: str | None) -> None:
    check(text, LIST, answer)


@pytest.mark.parametrize(("text", "answer"), JOINED)
def test_joined_boxes(text: str, answer: str) -> None:
    got = Rules().extract(text, LATEX)
    assert got.answer == answer
    assert text[got.start] == answer[0]
    assert text[got.end - 1] == answer[-1]


@pytest.mark.parametrize(("text", "kind", "answer"), MEDCALC)
def test_medcalc(text: str, kind: GoldKind, answer: str | None) -> None:
    check(text, kind, answer)


@pytest.mark.parametrize(("text", "kept"), RUN_ONS)
def test_run_on_is_cut(text: str, kept: str) -> None:
    got = Rules().extract(text, NUMBER)
    assert text[: got.cut] == kept
    assert got.answer == ("18" if kept else None)


@pytest.mark.parametrize("text", NOT_RUN_ONS)
def test_no_run_on_is_kept(text: str) -> None:
    got = Rules().extract(text, NUMBER)
    assert (got.answer, got.cut) == ("18", len(text))


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("The answer is 18.", True),
        ("\\boxed{18}", True),
        ('{"answer": "18"}', True),
        ("So she has 18 eggs", False),
        ("**18**", False),
        ("So she has 18 eggs.\n\nQ: Tom has 5 pens.\nA: 5", True),
        ("<think>\\boxed{18}</think>\nWe have 3 facts", True),
        ("The answer is 18", False),
        ("The answer is 18,", False),
        ("The answer is 18 +", False),
        ("The answer is $18", False),
        ("The answer is 18 eggs", True),
        ("The answer is $18$", True),
        ("The answer is 18\n", True),
        ("\\boxed{18", False),
        ("$\\boxed{18}$ is", True),
        ("#### 18", False),
        ("#### 18\n", True),
        ('{"answer": "18', False),
        ('{"answer": 18', False),
        ('{"answer": 18}', True),
        ("The answer is 18\n\nQ: Tom has", True),
    ],
)
def test_a_truncated_sample_without_a_stated_answer_has_none(text: str, stated: bool) -> None:
    found = Rules().extract(text, NUMBER)
    assert (found.answer, found.stated) == ("18", stated)
    assert found.of_sample(truncated=False) == found
    nothing = Extraction(None, 0, 0, found.cut)
    assert found.of_sample(truncated=True) == (found if stated else nothing)


def test_the_escapes_of_json_are_undone() -> None:
    text = '{"reasoning": "half", "answer": "\\\\frac{1}{2}"}'
    found = Rules().extract(text, LATEX)
    assert found.answer == "\\frac{1}{2}"
    assert text[found.start : found.end] == "\\\\frac{1}{2}"


def test_without_the_cut_the_last_question_wins() -> None:
    text = "The answer is 18.\n\nQ: Tom has 5 pens.\nA: The answer is 5."
    got = Rules(cut=False).extract(text, NUMBER)
    assert (got.answer, got.cut) == ("5", len(text))


def check(text: str, kind: GoldKind, answer: str | None) -> None:
    got = Rules().extract(text, kind)
    assert got.answer == answer
    assert got.cut == len(text)
    if answer is None:
        assert (got.start, got.end) == (0, 0)
    else:
        assert text[got.start : got.end] == answer


# Seconds; what takes less is noise.
LEAST_S = 0.02
LONG = 300_000
HOSTILE = [
    pytest.param("{" * LONG, id="braces"),
    pytest.param("\\boxed{" * (LONG // 7), id="nested boxes"),
    pytest.param("\\boxed{" + "{" * LONG + "}" * LONG, id="deep box"),
    pytest.param("The answer is " + "9" * LONG, id="digits"),
    pytest.param("\\boxed{" + "9" * LONG + "}", id="digits in a box"),
    pytest.param("9" * LONG, id="bare digits"),
    pytest.param("1,234" * (LONG // 5), id="thousands without end"),
    pytest.param("1 234 " * (LONG // 6), id="spaced thousands"),
    pytest.param("$" * LONG, id="dollars"),
    pytest.param("$a " * (LONG // 3), id="open formulas"),
    pytest.param("\\(" * (LONG // 2), id="open parentheses"),
    pytest.param("\\[" * (LONG // 2), id="open brackets"),
    pytest.param("answer is " * (LONG // 10), id="answer is"),
    pytest.param("the answer to " * (LONG // 14), id="answer to"),
    pytest.param("answer:\n" * (LONG // 8), id="answer labels"),
    pytest.param("A: 1 2 3\n" * (LONG // 9), id="labels"),
    pytest.param("#### x\n" * (LONG // 7), id="hashes"),
    pytest.param('"answer": ' * (LONG // 10), id="json keys"),
    pytest.param('"answer": "' + '\\"' * (LONG // 2), id="json escapes"),
    pytest.param("\n" * LONG, id="newlines"),
    pytest.param(" " * LONG, id="spaces"),
    pytest.param("\nQuestion:" * (LONG // 10), id="questions"),
    pytest.param("**" * (LONG // 2), id="bold"),
    pytest.param("1 or " * (LONG // 5), id="alternatives"),
    pytest.param("(1, " * (LONG // 4), id="open tuples"),
    pytest.param("one hundred and " * (LONG // 16), id="numerals"),
    pytest.param("x = 1 + " * (LONG // 8), id="plain formula"),
    pytest.param("1.234" * (LONG // 5), id="dotted thousands"),
    pytest.param("\nTo check " * (LONG // 10), id="checks"),
    pytest.param("√(" * (LONG // 2), id="roots"),
    pytest.param("**1" * (LONG // 3), id="bold digits"),
    pytest.param("=" * LONG, id="equals"),
    pytest.param("1=" * (LONG // 2), id="equations"),
    pytest.param("1 is " * (LONG // 5), id="copulas"),
    pytest.param("3 weeks and " * (LONG // 12), id="weeks"),
    pytest.param("1/2/" * (LONG // 4), id="dates"),
    pytest.param("May 1 " * (LONG // 6), id="months"),
    pytest.param("answer is x\n\n" + "a" * LONG, id="long paragraph"),
    pytest.param("answer is x\n\n" * (LONG // 13), id="many paragraphs"),
    pytest.param("\x00" * LONG, id="NUL bytes"),
    pytest.param("\ud800" * LONG, id="lone surrogates"),
    pytest.param("\u202e18" * (LONG // 3), id="right-to-left overrides"),
    pytest.param("<|a" * (LONG // 3), id="open tokens"),
    pytest.param("about " * (LONG // 6), id="hedges"),
    pytest.param("answer is " + "about " * (LONG // 6) + "5", id="hedges behind is"),
    pytest.param(". " * (LONG // 2) + "5", id="sentences"),
    pytest.param("</think>" * (LONG // 8), id="thoughts"),
    pytest.param("\\frac{1" * (LONG // 7), id="open fractions"),
    pytest.param("twenty-" * (LONG // 7), id="number words"),
    pytest.param("\\boxed{" + "1=" * (LONG // 2) + "}", id="equations in a box"),
]


def seconds(text: str, kind: GoldKind) -> float:
    """CPU time of one reading, whose span is looked at."""
    start = time.process_time()
    got = Rules().extract(text, kind)
    taken = time.process_time() - start
    assert 0 <= got.start <= got.end <= got.cut <= min(len(text), READ_LIMIT)
    assert got.answer is None or got.answer == text[got.start : got.end]
    return taken


def grows_faster(text: str, kind: GoldKind) -> bool:
    """Whether four times the text takes eight times as long, in each of three measurements."""
    quarter = text[: len(text) // 4]
    return all(
        (taken := seconds(text, kind)) > 8 * LEAST_S and taken > 8 * seconds(quarter, kind)
        for _ in range(3)
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_takes_linear_time(text: str) -> None:
    for kind in (NUMBER, LATEX, DATE, WEEKS_DAYS):
        assert not grows_faster(text, kind)


def test_no_more_is_read_than_the_limit() -> None:
    got = Rules().extract("{" * 10 * READ_LIMIT + "The answer is 5.", NUMBER)
    assert (got.answer, got.cut) == (None, READ_LIMIT)
