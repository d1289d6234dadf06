"""First tokens of branches as text, where the checkpoint's tokenizer is on this machine."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from distlab.checkpoints.packaged import packaged_folder
from distlab.runs.manifest import Manifest
from distlab.store.cell import Cell, CellVariant

_FILE: Final = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class FirstTokenTexts:
    """The tokenizers that were found, by variant."""

    tokenizers: Mapping[CellVariant, Tokenizer]

    @classmethod
    def open(cls, manifest: Manifest) -> "FirstTokenTexts":
        """Look for the run's tokenizers on disk; nothing is fetched."""
        found = {}
        for cell in manifest.cells:
            if cell.variant not in found and (file := _file(manifest, cell)) is not None:
                # The library raises no narrower class; a first token is then shown by its id.
                with suppress(Exception):
                    found[cell.variant] = Tokenizer.from_file(str(file))
        return cls(found)

    def text(self, cell: Cell, token: int) -> str | None:
        """A token as text; None where its tokenizer is not here or does not have it."""
        tokenizer = self.tokenizers.get(cell.variant)
        if tokenizer is None or tokenizer.id_to_token(token) is None:
            return None
        text: str = tokenizer.decode([token], skip_special_tokens=False)
        return text


def _file(manifest: Manifest, cell: Cell) -> Path | None:
    """``tokenizer.json`` of a cell's checkpoint."""
    spec = _checkpoint(manifest.config.get("model", {}), cell.variant)
    weights = str(manifest.fingerprints.get(cell.key, {}).get("weights", ""))
    name = str(spec.get("id", ""))
    match spec.get("source"):
        case "local":
            file = Path(name).expanduser() / _FILE
        case "packaged":
            file = packaged_folder(name, weights.partition("-")[0]) / _FILE
        case "hub":
            return _in_hub_cache(name, weights)
        case _:
            return None
    return file if file.is_file() else None


def _checkpoint(model: Mapping[str, Any], variant: str) -> Mapping[str, object]:
    """What a manifest's config says of a variant's checkpoint; nothing in an ingested run."""
    stages = [stage for stage in model.get("stages", ()) if stage["name"] == variant]
    return stages[0] if stages else model.get(variant) or {}


def _in_hub_cache(name: str, commit: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, _FILE, revision=commit)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None
