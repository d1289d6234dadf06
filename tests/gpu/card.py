"""The card at hand."""

import subprocess


def card() -> str | None:
    """Name, memory and driver of this machine's first GPU; None where no driver answers."""
    query = "--query-gpu=name,memory.total,driver_version"
    try:
        said = subprocess.run(
            ["nvidia-smi", query, "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.splitlines()[0] if said.stdout.strip() else None
