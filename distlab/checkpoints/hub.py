"""A hub id in; the commit that stands for it out."""

from pathlib import Path

from distlab.checkpoints.checkpoint import Checkpoint, CheckpointSpec
from distlab.errors import Unavailable, UserError


def gated_message(checkpoint: str) -> str:
    """The sentence for a repository whose licence was not accepted."""
    return f"checkpoint {checkpoint} is gated: accept its licence on the hub and set HF_TOKEN"


def resolve_hub(spec: CheckpointSpec) -> Checkpoint:
    """Pin a hub checkpoint to a commit: from the cache where the hub is off, else from the hub.

    Raises:
        UserError: The hub has no such checkpoint or revision.
        Unavailable: The hub does not answer, or the checkpoint is gated.
    """
    commit = _cached_commit(spec) or _hub_commit(spec)
    return Checkpoint(spec.id, spec.id, commit, commit)


def cached_folder(spec: CheckpointSpec) -> Path | None:
    """Where the hub's cache keeps a checkpoint; None where it has no config.json of it."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        file = try_to_load_from_cache(spec.id, "config.json", revision=spec.revision)
    except HFValidationError:
        return None
    return Path(file).parent if isinstance(file, str) else None


def offline_folder(checkpoint: Checkpoint) -> Path | None:
    """Where the hub's cache keeps a pinned checkpoint; None where the hub may be asked for more.

    A cached snapshot holds what was asked for so far. Only where the hub is switched off is a file
    that it lacks a file that nobody reads.
    """
    from huggingface_hub import constants

    if not constants.HF_HUB_OFFLINE or checkpoint.revision is None:
        return None
    return cached_folder(CheckpointSpec(checkpoint.model, "hub", checkpoint.revision))


def hub_reason(error: Exception) -> str:
    """Why the hub gave nothing, as a part of a sentence."""
    return f"the hub does not answer ({type(error).__name__})"


def _cached_commit(spec: CheckpointSpec) -> str | None:
    """The commit on disk when the hub is switched off or the revision is a commit already."""
    from huggingface_hub import constants

    if not constants.HF_HUB_OFFLINE and len(spec.revision) != 40:
        return None
    folder = cached_folder(spec)
    return None if folder is None else folder.name


def _hub_commit(spec: CheckpointSpec) -> str:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        sha = HfApi().model_info(spec.id, revision=spec.revision, timeout=10).sha
    except GatedRepoError as error:
        raise Unavailable(gated_message(spec.id)) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UserError(
            f"checkpoint {spec.id} is not on the hub: check `model.*.id`, or set HF_TOKEN"
        ) from error
    except RevisionNotFoundError as error:
        raise UserError(
            f"checkpoint {spec.id} has no revision '{spec.revision}': set `model.*.revision`"
        ) from error
    except Exception as error:  # whatever the HTTP stack raises without a network
        folder = cached_folder(spec)
        if folder is not None:
            return folder.name
        raise Unavailable(
            f" cannot be had: {hub_reason(error)}, and nothing is in the hub's cache; connect, or "
            "point `model.*.id` at a folder",
            f"checkpoint {spec.id}",
        ) from error
    assert sha is not None
    return str(sha)
