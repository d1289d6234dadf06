"""A checkpoint's folder in; its tokenizer out, where its files say all that there is to it.

transformers takes seconds to import. For checkpoints whose class is its generic one, what it makes
of a folder is tokenizer.json as it stands, with the names of special tokens and the chat template
beside it. Wherever a file asks for more than that, None comes out, and transformers reads it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from distlab.prompts.tokenizer_facts import TokenizerFacts

# Model types whose tokenizers transformers 5 reads with its generic class where
# tokenizer_config.json names that one (``AutoTokenizer.from_pretrained``).
_MODELS: Final = ("llama", "olmo2", "olmo3", "smollm3")
_CLASSES: Final = ("PreTrainedTokenizerFast", "TokenizersBackend")
_SPECIAL: Final = (
    *("bos_token", "eos_token", "unk_token", "sep_token"),
    *("pad_token", "cls_token", "mask_token"),
)
_FLAGS: Final = ("add_bos_token", "add_eos_token")
# Settings that change what a text becomes.
_SWITCHES: Final = (
    *("auto_map", "add_prefix_space", "clean_up_tokenization_spaces", "split_special_tokens"),
    *("extra_special_tokens", "additional_special_tokens", "fix_mistral_regex"),
)
_LEGACY: Final = ("special_tokens_map.json", "added_tokens.json", "additional_chat_templates")


def read_plain(folder: Path) -> tuple[TokenizerFacts, str] | None:
    """What prompts need of the tokenizer in a folder, and its rules as ``tokenizers`` reads them.

    None where its files leave anything to transformers, or cannot be read.
    """
    try:
        model, config = _json(folder / "config.json"), _json(folder / "tokenizer_config.json")
        text = (folder / "tokenizer.json").read_text(encoding="utf-8")
        return _plain(folder, model, config, text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _plain(
    folder: Path, model: Mapping[str, Any], config: Mapping[str, Any], text: str
) -> tuple[TokenizerFacts, str] | None:
    rules = json.loads(text)
    added = {token["content"]: token for token in rules.get("added_tokens", ())}
    special = {name: _text(config[name]) for name in _SPECIAL if config.get(name) is not None}
    if not (
        model.get("model_type") in _MODELS
        and config.get("tokenizer_class") in _CLASSES
        and _is_plain(folder, config, rules)
        and _adds_nothing(config, added)
        and all(token in added for token in special.values())
    ):
        return None
    bos = special.get("bos_token")
    facts = TokenizerFacts(
        name_or_path=str(folder),
        special_tokens_map=special,
        bos_token=bos,
        bos_token_id=None if bos is None else added[bos]["id"],
        chat_template=_template(folder, config),
        size=len({*rules["model"]["vocab"], *added}),
    )
    return facts, text


def _json(file: Path) -> Mapping[str, Any]:
    read = json.loads(file.read_bytes())
    if not isinstance(read, dict):
        raise ValueError(f"{file} holds no mapping")
    return read


def _text(token: Any) -> str:  # noqa: ANN401 (JSON)
    """A special token, which stands there as a text or with its settings."""
    return str(token["content"]) if isinstance(token, dict) else str(token)


def _is_plain(folder: Path, config: Mapping[str, Any], rules: Mapping[str, Any]) -> bool:
    """Whether tokenizer.json is used as it stands."""
    others = (name for name in config if name.endswith("_token"))
    return (
        not any(config.get(name) for name in _SWITCHES)
        and not any((folder / name).exists() for name in _LEGACY)
        and all(name in (*_SPECIAL, *_FLAGS) for name in others)
        and isinstance(config.get("chat_template"), str | None)
        and rules.get("model", {}).get("type") == "BPE"
        and rules.get("post_processor") is not None
        and rules.get("truncation") is None
        and rules.get("padding") is None
    )


def _adds_nothing(config: Mapping[str, Any], added: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether all tokens that tokenizer_config.json adds stand in tokenizer.json just so."""
    given = config.get("added_tokens_decoder", {})
    return isinstance(given, dict) and all(
        added.get(token.get("content")) == {"id": int(number), **token}
        for number, token in given.items()
    )


def _template(folder: Path, config: Mapping[str, Any]) -> str | None:
    file = folder / "chat_template.jinja"
    return file.read_text(encoding="utf-8") if file.is_file() else config.get("chat_template")
