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
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from distlab.engines.network import interface_here
from distlab.errors import UserError
from distlab.versions import vllm_version

# Enough to see past a disk's own cache of a few MiB, and little enough for a slow share.
_TRIAL_BYTES: Final = 64 << 20
_GPU_FIELDS: Final = "index,name,driver_version,memory.total,memory.used"


@dataclass(frozen=True, slots=True)
class GPUReport:
    """A GPU as its driver reports it.

    Attributes:
        index: Its number on the machine.
        name: "NVIDIA H100 80GB HBM3".
        total_mib: Its memory.
        used_mib: What is taken of that.
    """

    index: int
    name: str
    total_mib: int
    used_mib: int


@dataclass(frozen=True, slots=True)
class FolderReport:
    """A folder as one machine sees it.

    Attributes:
        path: The folder.
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
        clock=time.time(),
        folders=tuple(try_folder(Path(folder), mark) for folder in folders),
    )


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
    query = ["nvidia-smi", f"--query-gpu={_GPU_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "", ()
    return parse_gpus(answer.stdout) if answer.returncode == 0 else ("", ())


def parse_gpus(listing: str) -> tuple[str, tuple[GPUReport, ...]]:
    """Driver and GPUs out of nvidia-smi's lines of ``_GPU_FIELDS``."""
    driver, gpus = "", []
    for line in listing.splitlines():
        index, name, driver, total, used = (part.strip() for part in line.split(","))
        gpus.append(GPUReport(int(index), name, int(total), int(used)))
    return driver, tuple(gpus)


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
        read = time.monotonic()
        free = shutil.disk_usage(folder).free
        sees = (folder / mark).exists()
    except OSError as error:
        return FolderReport(str(folder), error=error.strerror or str(error))
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)
    return FolderReport(
        str(folder), "", sees, free, size / (written - began), size / (read - written)
    )
