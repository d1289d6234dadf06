"""Reports of nodes and links in, findings out. Pure.

Bounds are ours unless a source is named.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from distlab.doctor.findings import Finding
from distlab.engines.links import LinkReport
from distlab.engines.network import GLOO, NCCL, are_told, variables
from distlab.engines.node_report import FolderReport, NodeReport
from distlab.errors import UserError, counted
from distlab.placement.gpus import GIB
from distlab.placement.memory import gib

# Oldest driver of a CUDA, by its major version (NVIDIA's CUDA compatibility guide, Linux).
_DRIVERS: Final = {12: 525, 13: 580}
# Ray's own advice for a node (docs.ray.io, "large clusters").
_FILES: Final = 65536
# Of a node's GPU, what is taken although nothing of ours runs.
_TAKEN_MIB: Final = 1024
_SHM: Final = 1 * GIB
_PORTS: Final = 2000
_SKEW_S: Final = 30.0
_SLOW_DISK: Final = 100e6
# Of an all-reduce: less than a gigabit, and less than PCIe gives.
_SLOW: Final = {"gloo": 100e6, "nccl": 5e9}

Reports = Sequence[NodeReport]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a study takes.

    Attributes:
        on_gpus: Whether engines compute on GPUs.
        store: The store's folder, or its address in an object store.
        cache: The folder of the model cache.
        to_load: Bytes of checkpoints that the cache may lack; 0 where that is not known.
        env: What `cluster.env` hands on to engines.
    """

    on_gpus: bool
    store: str
    cache: str
    to_load: int = 0
    env: Mapping[str, str] = field(default_factory=dict)


def check_nodes(reports: Reports, wanted: Wanted) -> Iterator[Finding]:
    """Everything that nodes say of themselves."""
    yield from versions(reports)
    yield from drivers(reports, wanted)
    yield from gpus(reports, wanted)
    yield from slowed(reports)
    yield from interfaces(reports, wanted)
    yield from ports(reports)
    yield from limits(reports, wanted)
    yield from clocks(reports)
    yield from folders(reports, wanted)


def versions(reports: Reports) -> Iterator[Finding]:
    """Python, Ray and vLLM are one version everywhere; vLLM's two builds are one engine."""
    readers: dict[str, Callable[[NodeReport], str]] = {
        "Python": lambda node: node.python,
        "Ray": lambda node: node.ray,
        "vLLM": lambda node: node.vllm.rpartition(" ")[2],
    }
    for name, read in readers.items():
        found = {read(node) or "none": node.host for node in reports}
        said = ", ".join(
            f"{version} on {host}" if len(found) > 1 else version for version, host in found.items()
        )
        if "none" in found:
            yield Finding("fail", name, said, "install it there: `make setup`")
        elif len(found) > 1:
            yield Finding("fail", name, said, "install the same version on all nodes")
        else:
            yield Finding("ok", name, said)


def drivers(reports: Reports, wanted: Wanted) -> Iterator[Finding]:
    """The driver is new enough for the CUDA that torch is built for."""
    for node in reports:
        cuda = f"CUDA {node.cuda}" if node.cuda else "torch without CUDA"
        said = f"{node.host}: driver {node.driver or 'none'}, {cuda}"
        if wanted.on_gpus and not node.cuda:
            yield Finding("fail", "driver", said, "install vLLM for GPUs: `make setup ENGINE=gpu`")
        elif not node.driver:
            continue
        elif node.cuda and _major(node.driver) < (least := _DRIVERS.get(_major(node.cuda), 0)):
            remedy = f"install driver {least} or newer, or a vLLM built for an older CUDA"
            yield Finding("fail", "driver", said, remedy)
        else:
            yield Finding("ok", "driver", said)


def _major(version: str) -> int:
    first = version.partition(".")[0]
    return int(first) if first.isdigit() else 0


def gpus(reports: Reports, wanted: Wanted) -> Iterator[Finding]:
    """There are GPUs, alike and free."""
    if not any(node.gpus for node in reports):
        if wanted.on_gpus:
            yield Finding(
                "fail", "GPUs", "no node has any", "set cluster=local-cpu, or join nodes with GPUs"
            )
        else:
            yield Finding("ok", "GPUs", "none, and the cluster is described as of CPUs")
        return
    for node in reports:
        kinds = ", ".join(dict.fromkeys(gpu.name for gpu in node.gpus)) or "GPUs"
        said = f"{node.host}: {len(node.gpus)} x {kinds}"
        taken = [gpu for gpu in node.gpus if gpu.used_mib > _TAKEN_MIB]
        if taken:
            held = ", ".join(f"GPU {gpu.index}: {gpu.used_mib / 1024:.1f} GiB" for gpu in taken)
            remedy = "other processes hold memory: see nvidia-smi, and end or avoid them"
            yield Finding("warn", "GPUs", f"{said}, taken on {held}", remedy)
        else:
            yield Finding("ok", "GPUs", f"{said}, free")


def slowed(reports: Reports) -> Iterator[Finding]:
    """No GPU's clock is lowered by heat, its supply or a fault."""
    found = [(node.host, gpu) for node in reports for gpu in node.gpus]
    for host, gpu in found:
        if gpu.slowed_by:
            said = f"{host}: GPU {gpu.index} is slowed by {' and '.join(gpu.slowed_by)}"
            remedy = "see `nvidia-smi -q -d PERFORMANCE`: an engine is as fast as its slowest"
            yield Finding("warn", "GPU clocks", said, remedy)
    if found and not any(gpu.slowed_by for _, gpu in found):
        yield Finding("ok", "GPU clocks", "slowed by nothing")


def ports(reports: Reports) -> Iterator[Finding]:
    """The system has ports to give out."""
    for node in reports:
        if node.ports < _PORTS:
            said = f"{node.host}: {node.ports} ports for whoever asks for any"
            remedy = "sysctl -w net.ipv4.ip_local_port_range='32768 60999'"
            yield Finding("warn", "ports", said, remedy)
        else:
            yield Finding("ok", "ports", f"{node.host}: {node.ports} to give out")


def interfaces(reports: Reports, wanted: Wanted) -> Iterator[Finding]:
    """Ranks of several nodes can be told one interface; none is looked for where the user did."""
    if len(reports) < 2:
        return
    if are_told(wanted.env):
        said = f"{GLOO}={wanted.env[GLOO]}, {NCCL}={wanted.env[NCCL]} of cluster.env"
        yield Finding("ok", "interfaces", said)
        return
    try:
        names = set(variables({node.host: node.interface for node in reports}).values())
    except UserError as error:
        yield Finding("fail", "interfaces", *_in_two(str(error)))
    else:
        said = ", ".join(names) or "as it was set before Ray started"
        yield Finding("ok", "interfaces", f"{said}, {counted(len(reports), 'node')}")


def _in_two(sentence: str) -> tuple[str, str]:
    """What is wrong and what to do, of a sentence that has both."""
    said, _, remedy = sentence.partition(": set ")
    return said, f"set {remedy}"


def limits(reports: Reports, wanted: Wanted) -> Iterator[Finding]:
    """Open files, pinned memory, shared memory."""
    for node in reports:
        if node.nofile < _FILES:
            yield Finding(
                "warn",
                "limits",
                f"{node.host}: {node.nofile} open files per process",
                f"`ulimit -n {_FILES}` before `ray start`",
            )
        if wanted.on_gpus and len(reports) > 1 and 0 <= node.memlock < GIB:
            yield Finding(
                "warn",
                "limits",
                f"{node.host}: {node.memlock} bytes may be pinned, too few for RDMA",
                "`ulimit -l unlimited` before `ray start`; in a pod, IPC_LOCK",
            )
        if node.shm < _SHM:
            yield Finding(
                "fail" if wanted.on_gpus else "warn",
                "limits",
                f"{node.host}: /dev/shm has {gib(node.shm)}",
                "give it 16 GiB: `--shm-size` of a container, an emptyDir of medium Memory",
            )
        elif node.nofile >= _FILES:
            said = f"{node.host}: {node.nofile} open files, /dev/shm {gib(node.shm)}"
            yield Finding("ok", "limits", said)


def clocks(reports: Reports) -> Iterator[Finding]:
    """Clocks agree; no sample depends on them, but logs, tokens and certificates do."""
    if len(reports) < 2:
        return
    first, last = min(reports, key=_clock), max(reports, key=_clock)
    skew = last.clock - first.clock
    # Nodes answer one after the other, so some seconds are of the asking.
    if skew > _SKEW_S:
        yield Finding(
            "warn",
            "clocks",
            f"{first.host} is {skew:.0f} s behind {last.host}",
            "start an NTP client on both",
        )
    else:
        yield Finding("ok", "clocks", f"within {_SKEW_S:.0f} s")


def _clock(node: NodeReport) -> float:
    return node.clock


def folders(reports: Reports, wanted: Wanted) -> Iterator[Finding]:
    """Store and model cache are writable from everywhere, seen by all, and have room."""
    for name, path in (("store", wanted.store), ("model cache", wanted.cache)):
        for node in reports:
            for folder in node.folders:
                if folder.path == path:
                    yield _folder(name, node.host, folder, wanted)


def _folder(name: str, host: str, folder: FolderReport, wanted: Wanted) -> Finding:
    said = f"{host}: {folder.path}"
    if folder.error:
        remedy = f"make it writable there, or set {'store' if name == 'store' else 'HF_HOME'}"
        if "://" in folder.path:
            remedy = "set its credentials there before `ray start`, or see that the node reaches it"
        return Finding("fail", name, f"{said} cannot be written ({folder.error})", remedy)
    said += f", {folder.write_s / 1e6:.0f} MB/s written, {folder.read_s / 1e6:.0f} MB/s read"
    if not folder.sees_mark and name == "store":
        remedy = "put it on a disk that all nodes share, or in an object store"
        return Finding("warn", name, f"{said}: another disk than the driver's", remedy)
    if name == "model cache" and folder.free < wanted.to_load:
        need = f"{gib(folder.free)} free of {gib(wanted.to_load)} that the checkpoints take"
        return Finding("fail", name, f"{said}, {need}", "free some, or set HF_HOME elsewhere")
    is_disk = "://" not in folder.path
    if is_disk and min(folder.write_s, folder.read_s) < _SLOW_DISK:
        return Finding("warn", name, said, "a faster disk loads faster; plan says how long")
    free = "" if "://" in folder.path else f", {gib(folder.free)} free"
    return Finding("ok", name, f"{said}{free}")


def links(found: LinkReport) -> Finding:
    """An all-reduce among the nodes came to an end, and fast enough."""
    check = f"links ({found.backend})"
    if found.error:
        remedy = (
            "let nodes reach each other on all TCP ports, and see the interfaces above; "
            "cluster.env={NCCL_DEBUG: INFO} says more"
        )
        return Finding("fail", check, f"{counted(found.ranks, 'rank')}: {found.error}", remedy)
    said = (
        f"{counted(found.ranks, 'rank')}: {found.small_s * 1e6:.0f} us, "
        f"{found.bytes_per_s / 1e9:.2f} GB/s"
    )
    if found.bytes_per_s < _SLOW[found.backend]:
        return Finding("warn", check, said, "slow: is it the interface that you meant?")
    return Finding("ok", check, said)
