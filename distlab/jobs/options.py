"""Options of ``jobs kuberay`` as typed in; what Kubernetes would take out. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from distlab.errors import UserError

# Kubernetes' own grammar of labels, taints and resources (apimachinery, validation.go).
_KEY: Final = re.compile(
    r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_COUNT: Final = re.compile(r"[1-9][0-9]*(Ki|Mi|Gi|Ti)?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ANYTHING: Final = re.compile(r".*", re.DOTALL)
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
# What pods get of the node that the config describes.
_SIZES: Final = ("cpu", "memory", "nvidia.com/gpu")


def selector(given: Sequence[str]) -> dict[str, str]:
    """Labels of nodes.

    Raises:
        UserError: One is no label, or has two values.
    """
    return _pairs("selector", given, (_KEY, _VALUE), "KEY=VALUE, a label of the nodes")


def resources(given: Sequence[str]) -> dict[str, str]:
    """Resources of a pod beside cores, memory and GPUs.

    Raises:
        UserError: One is no name and count, or is what `cluster.nodes` says.
    """
    found = _pairs("resource", given, (_KEY, _COUNT), "NAME=COUNT, as in rdma/hca=8")
    for name in found:
        if name in _SIZES:
            raise UserError(
                f"--resource {name}: pods have the size of the nodes; set `cluster.nodes` instead"
            )
    return found


def variables(given: Sequence[str]) -> dict[str, str]:
    """Environment variables.

    Raises:
        UserError: One has no name that a shell would take, or two values.
    """
    return _pairs("env", given, (_VARIABLE, _ANYTHING), "NAME=VALUE, as in NCCL_IB_HCA=mlx5")


def toleration(given: str) -> str:
    """A taint as it was given: KEY, KEY=VALUE, and either with :EFFECT.

    Raises:
        UserError: Kubernetes knows no such taint.
    """
    rest, colon, effect = given.partition(":")
    key, _, value = rest.partition("=")
    is_taint = _KEY.fullmatch(key) and _VALUE.fullmatch(value)
    if not is_taint or (colon and effect not in _EFFECTS):
        raise UserError(
            f"--toleration {given}: give KEY[=VALUE][:EFFECT], where EFFECT is "
            f"{', '.join(_EFFECTS[:-1])} or {_EFFECTS[-1]}"
        )
    return given


def retries(given: int) -> int:
    """How often a job starts again.

    Raises:
        UserError: It is below 0.
    """
    if given < 0:
        raise UserError(f"--retries {given}: give 0 or more")
    return given


def _pairs(
    option: str, given: Sequence[str], parts: tuple[re.Pattern[str], re.Pattern[str]], form: str
) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not (equals and parts[0].fullmatch(name) and parts[1].fullmatch(value)):
            raise UserError(f"--{option} {pair}: give {form}")
        if name in found:
            raise UserError(f"--{option} {name} is given twice: give it once")
        found[name] = value
    return found
