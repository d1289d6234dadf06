"""Checkpoints: a name in the config in; a path or hub id that vLLM can load out.

Sources: ``hub`` (resolved to a commit), ``local`` (a folder), ``packaged`` (a GGUF file inside an
installed Python distribution, converted once into a cache folder), ``server`` (a name that a server
knows), and ``tiny`` (``distlab.checkpoints.tiny``).
"""

from distlab.checkpoints.checkpoint import Checkpoint, CheckpointSpec
from distlab.checkpoints.hub import resolve_hub
from distlab.checkpoints.local import resolve_local
from distlab.checkpoints.packaged import resolve_packaged
from distlab.checkpoints.tiny import resolve_tiny


def resolve(spec: CheckpointSpec) -> Checkpoint:
    """Find a checkpoint, and convert it where it is packaged.

    Raises:
        UserError: It cannot be had; the sentence says where from and what to do.
    """
    match spec.source:
        case "hub":
            return resolve_hub(spec)
        case "local":
            return resolve_local(spec)
        case "packaged":
            return resolve_packaged(spec)
        case "server":
            return Checkpoint(spec.id, spec.id, None, f"declared:{spec.id}")
        case "tiny":
            return resolve_tiny(spec)
