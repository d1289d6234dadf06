"""What one machine says of itself, before an engine is put on it: asked there, judged elsewhere."""

import importlib.metadata
import os
import platform
import resource
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from distlab.engines.network import interface_here
from distlab.errors import UserError, brief
from distlab.store.filesystem import open_filesystem, publish, read
from distlab.versions import vllm_version

# Enough to see past a disk's own cache of a few MiB, and little enough for a slow share.
_TRIAL_BYTES: Final = 64 << 20
_BUCKET_BYTES: Final = 8 << 20
# Why a GPU's clock is lowered other than by its own choice or by what it may draw: nvml.h,
# nvmlClocksEventReasons.
_SLOWED: Final = {0x8: "the hardware", 0x20: "heat", 0x40: "heat", 0x80: "the power supply"}
_GPU_FIELDS: Final = "index,name,driver_version,memory.total,memory.used"


@dataclass(frozen=True, slots=True)
class GPUReport:
    """A GPU as its driver reports it.

    Attributes:
        index: Its number on the machine.
        name: "NVIDIA H100 80GB HBM3".
        total_mib: Its memory.
        used_mib: What is taken of that.
        slowed_by: What lowers its clock at this moment; empty where nothing does.
    """

    index: int
    name: str
    total_mib: int
    used_mib: int
    slowed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderReport:
    """A folder as one machine sees it.

    Attributes:
        path: The folder, or the address of a store in a bucket.
        error: Why it cannot be written; empty where it can.
        sees_mark: Whether what the driver wrote there is there.
        free: Bytes free on its disk.
        write_s: Bytes per second written, down to the disk.
        read_s: Bytes per second read back, past the page cache where the system lets it.
    """

    path: str
    error: str = ""
    sees_mark: bool = False
    free: int = 0
    write_s: float = 0.0
    read_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeReport:
    """A machine.

    Attributes:
        host: Its name.
        python: Version of Python.
        ray: Version of Ray.
        vllm: Build and version of vLLM, empty where there is none.
        cuda: Version of CUDA that torch is built for, empty for CPUs.
        driver: Version of NVIDIA's driver, empty where none answers.
        gpus: Its GPUs.
        interface: The one with the address at which Ray sees the machine, None where none has it.
        nofile: Files that a process may open.
        memlock: Bytes that a process may pin; -1 for any.
        shm: Bytes of /dev/shm.
        ports: Ports that the system gives out by itself; Ray and engines take dozens.
        clock: Seconds since 1970, by its clock.
        folders: Store and model cache.
    """

    host: str
    python: str
    ray: str
    vllm: str
    cuda: str
    driver: str
    gpus: tuple[GPUReport, ...]
    interface: str | None
    nofile: int
    memlock: int
    shm: int
    ports: int
    clock: float
    folders: tuple[FolderReport, ...]


def report_here(address: str, folders: Sequence[str], mark: str) -> NodeReport:
    """What this machine is like; some seconds, most of them for the folders.

    Args:
        address: At which Ray sees it.
        folders: To be tried.
        mark: Name of the file that the driver wrote into each.
    """
    driver, gpus = _gpus()
    return NodeReport(
        host=socket.gethostname(),
        python=platform.python_version(),
        ray=importlib.metadata.version("ray"),
        vllm=_vllm(),
        cuda=_cuda(),
        driver=driver,
        gpus=gpus,
        interface=interface_here(address),
        nofile=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        memlock=resource.getrlimit(resource.RLIMIT_MEMLOCK)[0],
        shm=shutil.disk_usage("/dev/shm").total if Path("/dev/shm").is_dir() else 0,
        ports=_ports(),
        clock=time.time(),
        folders=tuple(
            try_bucket(folder) if "://" in folder else try_folder(Path(folder), mark)
            for folder in folders
        ),
    )


def _ports() -> int:
    low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    return int(high) - int(low) + 1


def _vllm() -> str:
    try:
        return vllm_version()
    except UserError:
        return ""


def _cuda() -> str:
    """Of torch's build, without importing torch: "2.13.0+cu130" is for 13.0."""
    with suppress(importlib.metadata.PackageNotFoundError):
        build = importlib.metadata.version("torch").partition("+cu")[2]
        if build.isdigit():
            return f"{build[:-1]}.{build[-1]}"
    # Builds of the index say it by what they need.
    for name in ("nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12"):
        with suppress(importlib.metadata.PackageNotFoundError):
            return ".".join(importlib.metadata.version(name).split(".")[:2])
    return ""


def _gpus() -> tuple[str, tuple[GPUReport, ...]]:
    # Asked alone, since a driver that does not know the field refuses the whole question.
    reasons = _nvidia_smi("index,clocks_throttle_reasons.active")
    return parse_gpus(_nvidia_smi(_GPU_FIELDS), reasons)


def _nvidia_smi(fields: str) -> str:
    query = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def parse_gpus(listing: str, reasons: str = "") -> tuple[str, tuple[GPUReport, ...]]:
    """Driver and GPUs out of nvidia-smi's lines.

    Args:
        listing: Of ``_GPU_FIELDS``.
        reasons: Index and bits of what lowers the clock ("0, 0x0000000000000040").
    """
    driver, gpus = "", []
    slowed = {int(index): _slowed(bits) for index, bits in _rows(reasons, 2)}
    for index, name, version, total, used in _rows(listing, 5):
        driver, why = version, slowed.get(int(index), ())
        gpus.append(GPUReport(int(index), name, _mib(total), _mib(used), why))
    return driver, tuple(gpus)


def _rows(listing: str, width: int) -> Iterator[list[str]]:
    """Lines of GPUs; between them nvidia-smi prints its warnings, "infoROM is corrupted"."""
    for line in listing.splitlines():
        row = [part.strip() for part in line.split(",")]
        if len(row) == width and row[0].isdigit():
            yield row


def _mib(text: str) -> int:
    """A size; 0 of a GPU that shares the machine's memory, which says "[N/A]"."""
    return int(text) if text.isdigit() else 0


def _slowed(bits: str) -> tuple[str, ...]:
    """What lowers a GPU's clock; nothing where the driver does not say."""
    mask = int(bits, 16) if bits.startswith("0x") else 0
    return tuple(dict.fromkeys(why for bit, why in _SLOWED.items() if mask & bit))


def try_bucket(uri: str) -> FolderReport:
    """Write an object into a bucket, read it and take it away again."""
    trial = f".doctor-{uuid.uuid4().hex}"
    try:
        fs, root = open_filesystem(uri)
        began = time.monotonic()
        publish(fs, f"{root}/{trial}", os.urandom(_BUCKET_BYTES))
        written = time.monotonic()
        size = len(read(fs, f"{root}/{trial}"))
        ended = time.monotonic()
        fs.delete_file(f"{root}/{trial}")
    except (OSError, pa.ArrowException) as error:
        return FolderReport(uri, error=brief(str(error)))
    return FolderReport(uri, "", True, 0, size / (written - began), size / (ended - written))


def try_folder(folder: Path, mark: str) -> FolderReport:
    """Write a file into a folder, read it and take it away again."""
    trial = folder / f".doctor-{uuid.uuid4().hex}"
    try:
        began = time.monotonic()
        with trial.open("wb") as file:
            file.write(os.urandom(1 << 20) * (_TRIAL_BYTES >> 20))
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        written = time.monotonic()
        size = len(trial.read_bytes())
        ended = time.monotonic()
        free = shutil.disk_usage(folder).free
        sees = (folder / mark).exists()
    except OSError as error:
        return FolderReport(str(folder), error=error.strerror or str(error))
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)
    return FolderReport(
        str(folder), "", sees, free, size / (written - began), size / (ended - written)
    )
