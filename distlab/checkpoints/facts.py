"""A checkpoint in; its facts out, read from its config.json and the headers of its weights."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distlab.checkpoints.architecture import Architecture, architecture
from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.class_defaults import with_class_defaults
from distlab.checkpoints.hub import cached_folder, gated_message, hub_reason, resolve_hub
from distlab.checkpoints.local import local_folder
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.unfinished import strayed, unfinished
from distlab.checkpoints.weights import Weights, lacks_head, measured
from distlab.errors import Unavailable, UserError

if TYPE_CHECKING:
    from huggingface_hub.utils._safetensors import SafetensorsRepoMetadata


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """What a checkpoint says of itself.

    Attributes:
        checkpoint: What people call it.
        architecture: What its config.json says.
        weights: What its weights come to; None where no header of safetensors is at hand.
    """

    checkpoint: str
    architecture: Architecture
    weights: Weights | None


def read_facts(spec: CheckpointSpec) -> CheckpointFacts:
    """A checkpoint's facts: from its folder, the hub's cache, or the hub.

    Raises:
        Unavailable: The folder is not on this machine, or the hub does not answer.
        NotSaid: Its config.json does not say what everything depends on.
        UserError: There is no such checkpoint, or its files are not as they should be.
    """
    found = facts_at_hand(spec)
    if found is not None and found.weights is not None:
        return found
    if spec.source == "hub":
        return _of_hub(spec)
    if spec.source == "server":
        raise Unavailable(f"{spec.id} is a name at a server, which says nothing of its size")
    if spec.source != "local":
        return _of_folder(spec, Path(resolve(spec).model))
    if found is None:
        raise Unavailable(
            f"the checkpoint folder {spec.id} is not there: name one that is as `model.*.id`"
        )
    return found


def facts_at_hand(spec: CheckpointSpec, *, weights: bool = True) -> CheckpointFacts | None:
    """As ``read_facts``, but nothing is downloaded or converted; None where nothing is here.

    Args:
        spec: The checkpoint.
        weights: Whether to read the headers of its weights.

    Raises:
        NotSaid: Its config.json does not say what everything depends on.
        UserError: Its files are not as they should be.
    """
    if spec.source == "hub":
        folder = cached_folder(spec)
        return None if folder is None else _of_folder(spec, folder, weights=weights)
    if spec.source == "local" and Path(spec.id).is_dir():
        return _of_folder(spec, local_folder(spec), weights=weights)
    return None


def _of_folder(spec: CheckpointSpec, folder: Path, *, weights: bool = True) -> CheckpointFacts:
    from huggingface_hub import get_local_safetensors_metadata
    from huggingface_hub.errors import NotASafetensorsRepoError, SafetensorsParsingError

    made = architecture(with_class_defaults(_json(folder / "config.json", spec.id)), spec.id)
    # Without any file of weights, config and index of a checkpoint may be all that a plan needs.
    if not weights or next(folder.glob("*.safetensors"), None) is None:
        return CheckpointFacts(spec.id, made, None)
    # Of the hub's cache, what is missing is downloaded.
    lack = unfinished(folder) if spec.source == "local" else strayed(folder)
    if lack is not None:
        raise UserError(
            f"the weights of {spec.id} are not whole: {lack}; copy or download it again, or name "
            "another checkpoint as `model.*.id`"
        )
    try:
        return _facts(spec, made, get_local_safetensors_metadata(folder))
    except (NotASafetensorsRepoError, FileNotFoundError):
        return CheckpointFacts(spec.id, made, None)
    except (SafetensorsParsingError, ValueError) as error:
        raise UserError(f"the weights of {spec.id} are damaged: {error}") from error


def _of_hub(spec: CheckpointSpec) -> CheckpointFacts:
    from huggingface_hub import get_safetensors_metadata, hf_hub_download
    from huggingface_hub.errors import GatedRepoError, NotASafetensorsRepoError

    # It pins the commit, and says soonest that the hub does not answer.
    commit = resolve_hub(spec).revision
    try:
        with _no_bars():
            file = hf_hub_download(spec.id, "config.json", revision=commit)
            made = architecture(with_class_defaults(_json(Path(file), spec.id)), spec.id)
            return _facts(spec, made, get_safetensors_metadata(spec.id, revision=commit))
    except NotASafetensorsRepoError:
        return CheckpointFacts(spec.id, made, None)
    except GatedRepoError as error:
        raise Unavailable(gated_message(spec.id)) from error
    except UserError:
        raise
    except Exception as error:  # whatever the HTTP stack raises
        raise Unavailable(
            f"the facts of checkpoint {spec.id} cannot be read: {hub_reason(error)}"
        ) from error


def _facts(
    spec: CheckpointSpec, made: Architecture, headers: "SafetensorsRepoMetadata"
) -> CheckpointFacts:
    tensors = {
        name: tensor
        for file in headers.files_metadata.values()
        for name, tensor in file.tensors.items()
    }
    if lacks_head(tensors, made):
        raise UserError(
            f"the weights of {spec.id} have no output head (lm_head), and its config.json says "
            "that the embedding is none: set `tie_word_embeddings` to true there if it is, or name "
            "a checkpoint with all of its weights as `model.*.id`"
        )
    return CheckpointFacts(spec.id, made, measured(tensors, made))


def _json(file: Path, checkpoint: str) -> Mapping[str, Any]:
    try:
        read = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"config.json of {checkpoint} cannot be read: {error}") from error
    if not isinstance(read, dict):
        raise UserError(f"config.json of {checkpoint} holds no mapping: take another checkpoint")
    return read


@contextmanager
def _no_bars() -> Iterator[None]:
    """No progress bars of the hub's client, which would stand in the way of ours."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    were_shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if were_shown:
            enable_progress_bars()
