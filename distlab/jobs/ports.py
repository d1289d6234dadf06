"""Addresses and ports for a Ray of our own on machines that others use, too."""

import socket
from pathlib import Path

# Below the range that the kernel hands out, so that no client's socket sits on one by chance.
_FIRST = 20000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_FIRST = 32768
_UNUSED_PORT = 9


def free_ports(seed: int, count: int) -> tuple[int, ...]:
    """Ports that nothing on this machine listens on, below the ephemeral range.

    Args:
        seed: Where to start looking; jobs with different numbers then seldom meet.
        count: How many ports.

    Raises:
        OSError: Fewer ports are free.
    """
    span = _ephemeral_first() - _FIRST
    start = seed * 16 % span
    found: list[int] = []
    for offset in range(span):
        port = _FIRST + (start + offset) % span
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return tuple(found)
    raise OSError(f"fewer than {count} ports are free from {_FIRST} to {_FIRST + span}")


def address_towards(host: str) -> str:
    """This machine's IP on the way to ``host``; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, _UNUSED_PORT))
        return str(probe.getsockname()[0])


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _ephemeral_first() -> int:
    try:
        return int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError):
        return _EPHEMERAL_FIRST
