"""One spelling for what models write in many ways, before any grader parses it."""

import re
from functools import lru_cache

from distlab.scoring.graders._characters import one_space, visible
from distlab.scoring.numerals import (
    COUNTED_PARTS,
    DOZENS,
    HALF,
    MIXED_NUMERAL,
    NUMERAL,
    SMALL_PARTS,
    counted_parts,
    dozens_value,
    numeral_value,
)

# Not the ** of a power.
BOLD = r"(?<![0-9)])(?<!\b[A-Za-z])\*\*|\*\*(?![0-9(])"
_MACRO = (
    r"\\(?:text(?:bf|rm|it|sf|tt|normal)?|mbox|mathrm|mathbf|mathit|mathsf|operatorname|hbox|rm)"
)
# \text{...}; what it holds is group 1.
TEXT_BOX = re.compile(rf"{_MACRO}\s?\{{([^{{}}]*)\}}")
_WORD_BOX = re.compile(r"\\(?:text(?:bf|rm|it)?|mbox|mathrm)\s?\{([^{}]*)\}")
_BOX_START = re.compile(r"\\(?:text(?:bf|rm|it)?|mbox|mathrm)\s?\{")
# \boxed{1} and \boxed{2}, without what encloses it: a list.
_BOXES = re.compile(r"\}\s?\$?[\s,]{0,2}(?:and|or|,)\s{0,2}\$?\s?\\f?boxed\s?\{")
_ANSWER = re.compile(
    r"\A\s?(?:\\text(?:bf)?\s?\{\s?)?(?:the\s)?(?:(?:final|correct)\s)?(?:answer|ans\.?|result)"
    r"(?:\sis\b|\s?[:=]|\s(?=[-0-9$\\]))\s?:?\s?(?:\}\s?:?)?",
    re.IGNORECASE,
)
# "about 3", "3 (approximately)"
_ABOUT = r"(?:about|approximately|approx\.?|around|roughly|exactly|circa|ca\.)"
_HEDGE = re.compile(
    rf"\A\s?\$?(?:\\text\s?\{{\s?{_ABOUT}:?\s?\}}|{_ABOUT}:?\s)\s?"
    rf"(?=[-0-9.\\$]|{NUMERAL.pattern})"
    rf"|(?<=[0-9}}%$])\s?(?:\\text\s?\{{\s?\(?{_ABOUT}\)?\s?\}}|\(?{_ABOUT}\)?)\s?\$?\.?\Z"
    r"|\A\s?(?:\\approx|\\sim|~)\s?(?=[-0-9.\\$])",
    re.IGNORECASE,
)
_MINUS_WORD = re.compile(r"\A(\s?)(?:minus|negative)\s(?=[0-9\\$.])", re.IGNORECASE)
_CURRENCY = re.compile(
    r"\\(?:textdollar|mathdollar|texteuro|euro|pounds|textsterling|yen)(?![A-Za-z])(?:\{\})?"
    r"|(?<![A-Za-z])(?:US|CA|AU|NZ|HK|A|C|S)(?=\\?\$)"
    r"|(?<![A-Za-z])(?:USD|EUR|GBP|CAD|AUD|INR|Rs)\.?[\s~]?(?=(?:\\[,; ]\s?)?[0-9])"
    r"|\\(?:text|mbox|mathrm)\s?\{\s?(?:\\?\$|USD|EUR|GBP|CAD|AUD|INR|Rs\.?)\s?\}"
    r"(?=\s?(?:\\[,; ]|~)?\s?[0-9])"
    r"|(?<=\$)\s?(?:\\[,;: ]|~)\s?(?=[0-9])"
)
_SPACE = re.compile(r"\\[,;: ]|~")
_SPACE_MACRO = r"(?:\\[,;: ]|\\thinspace(?![A-Za-z])|~)"
_THOUSANDS = re.compile(
    rf"(?<=[0-9])(?:\{{\s?(?:,|\\,)\s?\}}(?:\s?\\!)?|,?\\!(?:\s?\\!){{0,4}}|,\s?\\!|{_SPACE_MACRO})"
    r"\s?(?=[0-9]{3}(?![0-9]))"
)
# 15,\,400: a number or a list, as 15,400 is.
_SPACED_COMMA = re.compile(rf"(?<=[0-9])\s?,\s?(?:{_SPACE_MACRO}\s?){{1,3}}(?=[0-9]{{3}}(?![0-9]))")
# $70k
_SHORT = re.compile(r"(?<=\$)\s?([0-9]{1,9}(?:\.[0-9]{1,6})?)\s?(k|K|M|[bB]n|B|mn)\b")
_SHORT_WORDS = {"k": "thousand", "m": "million", "b": "billion"}
# 1.234.567 and 1.234,50; 1'234'567; 1_234_567.
_DOTTED = re.compile(
    r"(?<![0-9.,])([0-9]{1,3}(?:\.[0-9]{3})+),([0-9]{1,2})(?![0-9.,])"
    r"|(?<![0-9.,])([0-9]{1,3}(?:\.[0-9]{3}){2,})(?![0-9,]|\.[0-9])"
)
_TICKED = re.compile(r"(?<![\w'.])[0-9]{1,3}(?:(?:'[0-9]{3})+|(?:_[0-9]{3}){2,})(?![\w'])")
# 2,74 and 1000,99: no groups of thousands. A unit may follow.
_DECIMAL_COMMA = re.compile(
    r"\A\s?(-?(?:[0-9]{1,30}(?=,[0-9]{1,2}(?![0-9]))|[0-9]{4,30})),([0-9]{1,30})(?![0-9])"
    r"((?:\s|\\)[^0-9,]{0,60})?\Z"
)
# The height of a matrix row.
_ROW = re.compile(r"\\\\\[\s?-?[0-9.]{1,5}\s?(?:pt|em|ex|mm|cm)\s?\]")
_JOINS = re.compile(r"\s(?:and|or)\s|,\s")
# \text{15 cm}: a number and its unit; a lone letter that touches the number may be a variable.
_MEASURE = re.compile(
    r"\s?(?P<number>[-$\\]{0,3}[0-9][0-9,]{0,30}(?:\.[0-9]{1,30})?(?:/[0-9]{1,30})?)"
    r"(?:(?P<percent>\s?\\?%)|(?P<unit>\s?[A-Za-z][^{}0-9:,=+*<>\\]{1,60}(?:\^?[23])?"
    r"|\s[A-Za-z]|[mghlsLAVWNJKCF]|\s?m\^?[23]))?\s?\.?\s?"
)
# 5 \text{ hours and } 3, 5 \text{ feet } 3: two numbers.
_TEXT_AND = re.compile(
    r"(?<=[0-9])\s?\\(?:text|mbox|textrm|mathrm)\s?\{[^{}A-Za-z]*+[A-Za-z][^{}]*+\}\s?(?=[0-9])"
)
_OPTION_WORD = re.compile(r"\A\s?(?:option|choice)\s(?=\(?[A-J]\b)", re.IGNORECASE)
_PLAIN_ROOT = re.compile(r"(?<![\\A-Za-z])sqrt(?=\s?[0-9{(\[])")
_ROUND_ROOT = re.compile(r"(\\sqrt\s?(?:\[[^\[\]]{1,20}\])?)\s?(?:\\left\s?)?\(")
_PARENTHESIS = re.compile(r"[()]")
# \sqrt15, which most mean as \sqrt{15}.
_BARE_ROOT = re.compile(r"\\sqrt\s?([0-9]{2,9})(?![0-9])")
_PLAIN_PI = re.compile(r"(?<![\\A-Za-z])pi\b")
_OVER = re.compile(r"\{([^{}]{1,60})\\over(?![A-Za-z])([^{}]{1,60})\}")
# 2\mathrm{i}, 2\mathrm{~i}, 2\text{ x}, 5\mathrm{ab}, 2{\rm e}, 2\mathrm{\pi}: no unit.
_UPRIGHT = re.compile(
    r"(?:\\[,;:! ]|~)?\s?(?P<macro>\\(?:text(?:rm|it|bf|normal)?|mbox|hbox|math(?:rm|it|bf|sf)"
    r"|operatorname|rm))\s?\{(?:\s?(?:\\[,;: ]|~))?\s?"
    r"(?P<name>[A-Z]|[a-z]{1,2}|abc|xyz|\\?pi|\\(?:theta|alpha|beta|gamma|phi|lambda))\s?\}"
    r"|\{\s?\\rm\s(?P<old>[a-z])\s?\}"
)
# metre, gram, second, hour, litre, day, tonne; ampere, volt, watt, newton, joule, kelvin and their
# like. What has another letter, or two that name no unit and no word, is a product of variables.
_UNIT_LETTERS = frozenset("mgshldtAVWNJKCFL")
_UNITS_OF_TWO = re.compile(
    r"[cdkmn]m|[cdkm]g|[cdhm]l|[mn]s|gm|gr|h[ar]|ft|in|yd|mi|lb|oz|pt|qt|cc|sq|p[cpx]|ly|mo|wk|yr"
    r"|[ap]m|st|[nr]d|th|by|of|to|or|a[nst]|i[sf]|on|no|so|do|us|l[gn]"
)
# Cents and pence, in a text box.
_UNITS_IN_WORDS = frozenset("cp")
_GOES_ON = re.compile(r"\s?[A-Za-z]|\s?\\(?:theta|alpha|beta|phi|lambda|mu|rho|pi)(?![A-Za-z])")
_DIRECTION = re.compile(r"\b(north|south)[- ](east|west)\b", re.IGNORECASE)
_OCLOCK = re.compile(r"(?<=[0-9])\s?(?:\\text\s?\{\s?(?:o'clock|noon)\s?\}|(?:o'clock|noon)\b)")
_THE = re.compile(r"\A\s?the\s(?=\\?\$?[0-9])", re.IGNORECASE)
# *18*, but not 18 *.
_EMPHASIS = re.compile(r"\A\s?\*(?=\S)([^*]+)(?<=\S)\*\s?\Z")
_ORDINAL_END = r"(?:st|nd|rd|th)"
_ORDINAL = re.compile(
    rf"(?<=[0-9])\s?(?:\^?\s?\{{\s?{_MACRO}\s?\{{\s?{_ORDINAL_END}\s?\}}\s?\}}"
    rf"|\^?\s?\{{\s?(?:\\rm\s)?{_ORDINAL_END}\s?\}}"
    rf"|\^?\s?(?:{_MACRO}|\\textsuperscript)\s?\{{\s?{_ORDINAL_END}\s?\}}|-?{_ORDINAL_END}\b)"
)
_BASE = r"(?P<base>[0-9]{1,2}|[a-z]{3,7})"
_BASE_INDEX = re.compile(
    rf"(?<=[0-9A-F)}}])\s?_\s?\{{\s?(?:{_MACRO}\s?\{{)?\s?\(?(?:base[\s-]?\}}?\s?)?{_BASE}\)?\s?\}}{{1,2}}"
)
_BASE_WORDS = re.compile(
    rf"(?<=[0-9A-F])[\s~]?(?:{_MACRO}\s?\{{\s?)?\(?(?:in\s)?base[\s-]?\}}?\s?\$?\{{?"
    rf"{_BASE}\}}?\$?\)?\s?\}}?\Z"
)
_BASED_BRACKET = re.compile(r"[({]([0-9A-F]{1,60})[)}]\s?(?=_)")
_PART_BOX = re.compile(
    rf"(?<=[0-9])\s?\\(?:text|mbox)\s?\{{\s?(and\s[a-z -]{{1,30}}|{SMALL_PARTS})\s?\}}"
)
# Words behind a number in words that are no unit.
_NUMERAL_ONLY = re.compile(
    rf"\A({NUMERAL.pattern})"
    r"(?:\s(?!(?:and|or|to|point|over|plus|minus|times|divided|multiplied|squared|cubed)\b)"
    r"(?:(?!\band\s(?:an?|one|two|three|half)\b)[A-Za-z ]){1,60})?\Z",
    re.IGNORECASE,
)
_DOZENS_ONLY = re.compile(rf"\A{DOZENS.pattern}(?:\s[A-Za-z ]{{1,60}})?\Z", re.IGNORECASE)
_HALF_ONLY = re.compile(rf"\A{HALF.pattern}(?:\s[A-Za-z ]{{1,60}})?\Z", re.IGNORECASE)
_ZEROS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_LARGE = re.compile(
    r"([0-9]{1,12}(?:,[0-9]{3})*(?:\.[0-9]{1,15})?)\s?(?:\\(?:text|mbox)\s?\{\s?)?"
    r"(hundred|thousand|million|billion|trillion)\b(?:\s?\})?",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def spelled(text: str) -> str:
    r"""``text`` in the one spelling that parsers know: what models write otherwise.

    Visible characters alone; boxes that are joined, and words in a box that join numbers, are a
    list; "Answer:", "about", currencies and the ends of ordinals go, in a text box too; a
    number and its unit in one box part; "minus 5" is -5; $70k, 1.5 million and "3 and a half" are
    written out;
    1.234,50, 1'234'567, 1_234_567 and ``1\,234`` are numbers; a base is an index of digits;
    ``\mathrm{i}`` is i; ``{a \over b}`` is a fraction, sqrt(2), ``\sqrt(2)`` and pi are LaTeX.
    """
    text = visible(text)
    if text.isdigit():
        return text
    text = _EMPHASIS.sub(r"\1", text.replace("{:}", ":"))
    text = _PLAIN_PI.sub(r"\\pi ", _round_roots(in_digits(text)))
    text = _DIRECTION.sub(r"\1\2", _OCLOCK.sub("", text))
    text = _ORDINAL.sub("", _BOXES.sub(", ", _CURRENCY.sub("", text)))
    text = _PART_BOX.sub(r" \1", _WORD_BOX.sub(_opened, _without_box(text)))
    text = _THE.sub("", _ANSWER.sub("", text))
    text = _MINUS_WORD.sub(r"\1-", _OPTION_WORD.sub("", _HEDGE.sub("", text)))
    text = _based(MIXED_NUMERAL.sub(_digits, _UPRIGHT.sub(_variable, text)))
    text = COUNTED_PARTS.sub(counted_parts, text)
    text = _OVER.sub(r"\\frac{\1}{\2}", _TEXT_AND.sub(", ", _ROW.sub(r"\\\\ ", text)))
    text = _SHORT.sub(lambda m: f"{m[1]} {_SHORT_WORDS[m[2][0].lower()]}", text)
    text = _DOTTED.sub(_undotted, text)
    text = _TICKED.sub(lambda m: re.sub("['_]", "", m[0]), text)
    text = _SPACED_COMMA.sub(",", _THOUSANDS.sub("", text))
    return one_space(_LARGE.sub(_written_out, text))


def in_digits(text: str) -> str:
    r"""``text`` in digits where it is a number in words: ``\text{five}``, "five cm", "two dozen".

    Words that make another number of it ("five squared", "five or six") are no unit.
    """
    bare = unboxed(text).strip()
    if word := _NUMERAL_ONLY.match(bare):
        return str(numeral_value(word[1]))
    if dozens := _DOZENS_ONLY.match(bare):
        return str(dozens_value(dozens))
    return "1/2" if _HALF_ONLY.match(bare) else text


def unboxed(text: str) -> str:
    r"""``text`` with what its text boxes hold in their place: ``3\text{ cm}`` is 3 cm."""
    return one_space(TEXT_BOX.sub(r"\1", text))


def decimal_point(text: str) -> str:
    """One number with a comma before its decimals, as in 2,74 or 1000,99, with a point."""
    return _DECIMAL_COMMA.sub(r"\1.\2\3", text)


def closing(text: str, at: int) -> int:
    """The offset of the bracket that closes the one at ``at``, or -1."""
    depth = 0
    for index in range(at, len(text)):
        if text[index] in "([{":
            depth += 1
        elif text[index] in ")]}":
            depth -= 1
            if depth == 0:
                return index
    return -1


def _digits(words: re.Match[str]) -> str:
    return str(numeral_value(words[0]))


def _without_box(text: str) -> str:
    r"""What a text box around all of ``text`` holds, where formulas are inside of it."""
    box = _BOX_START.match(text)
    if box is None or closing(text, box.end() - 1) != len(text) - 1:
        return text
    inside = text[box.end() : -1]
    return inside if "{" in inside or "$" in inside else text


def _opened(box: re.Match[str]) -> str:
    """What a text box holds, if that is several numbers, an answer, or a number and its unit."""
    inside = _ANSWER.sub("", box[1])
    parts = _JOINS.split(inside)
    if sum(any(character.isdigit() for character in part) for part in parts) > 1:
        return inside
    measure = _MEASURE.fullmatch(_SPACE.sub(" ", inside))
    if measure is None:
        return inside if inside != box[1] else box[0]
    unit = f"\\text{{{measure['unit']}}}" if measure["unit"] else measure["percent"] or ""
    return f"{measure['number']}{unit}"


def _variable(box: re.Match[str]) -> str:
    """The letter in an upright box as a variable, unless it may be a unit."""
    name = box["name"] or box["old"]
    in_words = box["macro"] in ("\\text", "\\mbox") and name in _UNITS_IN_WORDS
    if _UNITS_OF_TWO.fullmatch(name) or ((in_words or name in _UNIT_LETTERS) and not _goes_on(box)):
        return box[0]
    # A macro would run on into the letter.
    space = " " if box.string[box.start() - 1 : box.start()].isalpha() else ""
    # Two letters side by side could still be taken for a unit.
    product = "*".join(name) if name.isalpha() else name
    return f"{space}\\{name}" if name == "pi" else f"{space}{product}"


def _goes_on(box: re.Match[str]) -> bool:
    r"""Whether a variable follows: ``3\mathrm{d}x`` is no number of days."""
    return bool(_GOES_ON.match(box.string, box.end()))


def _based(text: str) -> str:
    """``text`` with the bases of numbers as indices: 221 (base three) is 221_{3}."""
    if "_" not in text and "base" not in text:
        return text
    text = _BASE_WORDS.sub(_index, _BASE_INDEX.sub(_index, text))
    return _BASED_BRACKET.sub(r"\1", text)


def _index(match: re.Match[str]) -> str:
    base = match["base"]
    if base.isdigit():
        return f"_{{{base}}}"
    return f"_{{{numeral_value(base)}}}" if NUMERAL.fullmatch(base) else match[0]


def _round_roots(text: str) -> str:
    r"""``\sqrt(5)`` and sqrt(5) as ``\sqrt{5}``."""
    text = _BARE_ROOT.sub(r"\\sqrt{\1}", _PLAIN_ROOT.sub(r"\\sqrt", text))
    openings = {root.end() - 1: root for root in _ROUND_ROOT.finditer(text)}
    edits: list[tuple[int, int, str]] = []
    opened: list[int] = []
    for at in (mark.start() for mark in _PARENTHESIS.finditer(text) if openings):
        if text[at] == "(":
            opened.append(at)
        elif opened and (root := openings.get(opened.pop())):
            edits.append((root.start(), root.end(), f"{root[1]}{{"))
            edits.append((at - 6 if text.endswith("\\right", 0, at) else at, at + 1, "}"))
    return _edited(text, sorted(edits))


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    pieces, done = [], 0
    for start, end, new in edits:
        pieces += [text[done:start], new]
        done = end
    return "".join([*pieces, text[done:]])


def _undotted(match: re.Match[str]) -> str:
    if match[3]:
        return match[3].replace(".", "")
    return f"{match[1].replace('.', '')}.{match[2]}"


def _written_out(match: re.Match[str]) -> str:
    """1.5 million as 1500000, by moving the decimal point."""
    whole, _, places = match[1].replace(",", "").partition(".")
    zeros = _ZEROS[match[2].lower()]
    if len(places) > zeros:
        return f"{whole}{places[:zeros]}.{places[zeros:]}"
    return f"{whole}{places.ljust(zeros, '0')}".lstrip("0") or "0"
