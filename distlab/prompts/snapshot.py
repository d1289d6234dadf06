"""Snapshots of tokenizers: all that prompts need of one, without the imports behind it.

transformers and torch take seconds to import, and a plan, or a run that finds everything in its
store, needs nothing of them but a tokenizer. So what transformers made of a checkpoint's tokenizer
files is kept once as one JSON file; from then on the ``tokenizers`` library alone reads it. A
snapshot is kept only where it says the same as the original. A folder whose files say all there is
is read without transformers in the first place.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import cast

import jinja2
import jinja2.ext
import jinja2.sandbox
from tokenizers import Tokenizer

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.checkpoints.hub import offline_folder
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.errors import UserError
from distlab.files import cache_folder
from distlab.prompts.plain_files import read_plain
from distlab.prompts.prompt import PromptTokenizer
from distlab.prompts.renderer import apply_template
from distlab.prompts.tokenizer_facts import TokenizerFacts
from distlab.prompts.tokens import tokenizer_hash

_TEXTS = ("", "a", "  12.50 \n\n\\frac{1}{2}\té 数 \U0001f600", "Q: 1\nA: <s></s><|im_start|>x")
_TURNS = (
    [{"role": "user", "content": " 1 + 1 = ?\n"}],
    [
        {"role": "user", "content": "<b>é</b>"},
        {"role": "assistant", "content": "2\n"},
        {"role": "user", "content": "so"},
    ],
)


class Snapshot:
    """A tokenizer as prompts need it; a ``PromptTokenizer``."""

    def __init__(self, facts: TokenizerFacts, rules: str) -> None:
        self._facts = facts
        self.backend_tokenizer = Tokenizer.from_str(rules)
        self.name_or_path = facts.name_or_path
        self.special_tokens_map = facts.special_tokens_map
        self.bos_token = facts.bos_token
        self.bos_token_id = facts.bos_token_id
        self.chat_template = facts.chat_template

    def __len__(self) -> int:
        return self._facts.size

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        """Token ids of a text."""
        encoded = self.backend_tokenizer.encode(text, add_special_tokens=add_special_tokens)
        return list(encoded.ids)

    def get_vocab(self) -> dict[str, int]:
        """Tokens to their ids."""
        return dict(self.backend_tokenizer.get_vocab())

    def decode(self, token_ids: Sequence[int]) -> str:
        """Token ids as text, special tokens included."""
        return str(self.backend_tokenizer.decode(list(token_ids), skip_special_tokens=False))

    def apply_chat_template(
        self,
        turns: Sequence[Mapping[str, str]],
        *,
        tokenize: bool,
        add_generation_prompt: bool,
        **kwargs: object,
    ) -> str:
        """Render chat turns as text.

        Raises:
            TemplateError: The template refuses the turns.
        """
        assert not tokenize, "prompts are encoded from text"
        return self._template.render(
            messages=turns,
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **{**self.special_tokens_map, **kwargs},
        )

    @cached_property
    def _template(self) -> jinja2.Template:
        """As transformers compiles it; a template that needs more fails, and is not kept."""
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        return environment.from_string(self.chat_template or "")


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def prompt_tokenizer(checkpoint: Checkpoint, *, trust_remote_code: bool = False) -> PromptTokenizer:
    """The checkpoint's tokenizer as prompts need it: of plain files, or its snapshot, or anew.

    Raises:
        UserError: The checkpoint has no tokenizer that loads.
    """
    if not trust_remote_code and (plain := _plain(checkpoint)) is not None:
        return plain
    if trust_remote_code or not _is_named_by_digest(checkpoint):
        return _original(checkpoint, trust_remote_code)
    parts = (checkpoint.model, checkpoint.digest, importlib.metadata.version("transformers"))
    name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    file = cache_folder() / "tokenizers" / f"{name}.json"
    if (kept := read(file)) is not None:
        return kept
    tokenizer = _original(checkpoint, trust_remote_code)
    keep(tokenizer, file)
    return tokenizer


def _plain(checkpoint: Checkpoint) -> Snapshot | None:
    """The tokenizer of a folder whose files say all; None for others and for damaged ones."""
    is_of_hub = checkpoint.revision is not None
    folder = offline_folder(checkpoint) if is_of_hub else Path(checkpoint.model)
    if folder is None or (plain := read_plain(folder)) is None:
        return None
    facts, rules = plain
    try:
        return Snapshot(replace(facts, name_or_path=checkpoint.model), rules)
    except Exception:  # tokenizers raises no narrower one; transformers says what is wrong
        return None


def _original(checkpoint: Checkpoint, trust_remote_code: bool) -> PromptTokenizer:
    made = load_tokenizer(checkpoint, trust_remote_code=trust_remote_code)
    return cast(PromptTokenizer, made)


def _is_named_by_digest(checkpoint: Checkpoint) -> bool:
    """Whether the digest covers all that the tokenizer is made of; a folder's skips *.txt."""
    return checkpoint.revision is not None or (Path(checkpoint.model) / "tokenizer.json").is_file()


def read(file: Path) -> Snapshot | None:
    """The snapshot in a file; None where there is none, or none of this version."""
    try:
        held = json.loads(file.read_bytes())
        return Snapshot(TokenizerFacts(**held["facts"]), held["rules"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(tokenizer: PromptTokenizer, file: Path) -> None:
    """Write a snapshot of a tokenizer, where one can stand for it; else nothing."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer) or not isinstance(tokenizer.chat_template, str | None):
        return
    facts = TokenizerFacts(
        name_or_path=tokenizer.name_or_path,
        special_tokens_map=_texts(tokenizer.special_tokens_map),
        bos_token=tokenizer.bos_token,
        bos_token_id=tokenizer.bos_token_id,
        chat_template=tokenizer.chat_template,
        size=len(tokenizer),
    )
    rules = str(backend.to_str())
    if not _same(Snapshot(facts, rules), tokenizer):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    number, draft = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(number, "w", encoding="utf-8") as stream:
        json.dump({"facts": asdict(facts), "rules": rules}, stream)
    Path(draft).replace(file)


def _texts(special: Mapping[str, object]) -> dict[str, str | list[str]]:
    return {
        name: [str(token) for token in value] if isinstance(value, list) else str(value)
        for name, value in special.items()
    }


def _same(snapshot: Snapshot, tokenizer: PromptTokenizer) -> bool:
    return (
        tokenizer_hash(snapshot) == tokenizer_hash(tokenizer)
        and all(_same_on_text(snapshot, tokenizer, text) for text in _TEXTS)
        and all(_rendered(snapshot, turns) == _rendered(tokenizer, turns) for turns in _TURNS)
    )


def _same_on_text(snapshot: Snapshot, tokenizer: PromptTokenizer, text: str) -> bool:
    ids = tokenizer.encode(text, add_special_tokens=False)
    return (
        snapshot.encode(text, add_special_tokens=False) == ids
        and snapshot.encode(text) == tokenizer.encode(text)
        and snapshot.decode(ids) == tokenizer.decode(ids)
    )


def _rendered(tokenizer: PromptTokenizer, turns: list[dict[str, str]]) -> str:
    """The rendered turns, or the complaint about the template."""
    try:
        return apply_template(tokenizer, turns, {})
    except UserError as error:
        return f"refused: {error}"
