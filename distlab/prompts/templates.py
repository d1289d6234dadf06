"""Jinja in prompt styles: an instruction with the dataset's own in it, or a whole layout.

An instruction may name ``instruction`` (the dataset's own) and ``form`` (what that says of the
answer's form). A layout names ``question`` and, where the style has them, ``instruction``,
``form``, ``cue`` and ``exemplars``: a list, each with ``question``, ``reasoning``, ``answer`` and
``solution``.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import jinja2
import jinja2.meta
import jinja2.sandbox

from distlab.errors import UserError, brief

INSTRUCTION_NAMES: Final = ("instruction", "form")
LAYOUT_NAMES: Final = ("question", "instruction", "form", "cue", "exemplars")
# What rendering a template raises: its own errors, and those of the operations in it.
_FAULTS: Final = (
    *(jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError),
    *(RecursionError, MemoryError),
)


@cache
def _environment() -> jinja2.sandbox.ImmutableSandboxedEnvironment:
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A prompt is the same each time that it is rendered.
    del made.globals["lipsum"], made.filters["random"]
    return made


@cache
def _compiled(source: str) -> jinja2.Template:
    return _environment().from_string(source)


def names_in(source: str) -> frozenset[str]:
    """The names that a template wants to be given.

    Raises:
        jinja2.TemplateSyntaxError: It is no template.
    """
    return frozenset(jinja2.meta.find_undeclared_variables(_environment().parse(source)))


def fill(key: str, source: str, values: Mapping[str, object]) -> str:
    """The template with its names filled in.

    Args:
        key: Of the config, which holds it.
        source: The template.
        values: What it may name.

    Raises:
        UserError: It is no template, or it asks for what a value lacks.
    """
    try:
        return _compiled(source).render(values)
    except _FAULTS as error:
        raise UserError(
            f"`{key}` cannot be rendered ({brief(str(error))}): it may name {', '.join(values)}, "
            "and of each exemplar question, reasoning, answer and solution"
        ) from error
