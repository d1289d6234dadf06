"""What a manifest says of where and how a run ran."""

import os
import platform
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from distlab.config.own_parts import recorded_parts
from distlab.config.values import Study
from distlab.runs.manifest import Manifest
from distlab.sampling.outcome import Outcome
from distlab.sampling.planned import Prepared
from distlab.store.origin import Origin
from distlab.store.store import Store
from distlab.versions import package_versions

# Of shards that an earlier distlab wrote.
_UNTOLD = "what an earlier distlab did not record"


class Stopwatch:
    """Wall seconds of named stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block, also when it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - began, 3)


def manifest(
    run: str,
    command: str,
    study: Study,
    prepared: Prepared,
    config: Mapping[str, object],
    store: Store,
) -> Manifest:
    """The manifest of a run that is about to start."""
    return Manifest(
        run=run,
        command=command,
        # Absolute, so that score and report find it from anywhere.
        store=store.address,
        cells=tuple(planned.cell for planned in prepared.cells),
        failures=tuple(f for planned in prepared.cells for f in planned.failures),
        config=config,
        fingerprints={p.cell.key: p.fields.as_json() for p in prepared.cells},
        datasets={
            name: {
                "problems": len(dataset.problems),
                "rows": dataset.rows,
                "content_hash": dataset.content_hash,
                "source": dataset.source,
                "revision": dataset.revision,
                "notes": list(dataset.notes),
            }
            for name, dataset in prepared.datasets.items()
        },
        versions=package_versions(),
        host=_host(study),
        counts={"samples_in_store": sum(p.held for p in prepared.cells)},
        notes=(*study.family.notes, *prepared.notes),
        parts=own_parts(study),
    )


def own_parts(study: Study) -> dict[str, Any]:
    """Where the study's parts came from that are not distlab's own."""
    targets = [
        *(spec.target for spec in (*study.extractors, *study.graders)),
        *(dataset.loader for dataset in study.datasets),
        *(_named(type(arm.decoding.decoder)) for arm in study.arms),
    ]
    return recorded_parts(targets, _config_dirs())


def _config_dirs() -> list[Path]:
    """The folders that ``--config-dir`` and ``hydra.searchpath`` name."""
    if not HydraConfig.initialized():
        return []
    sources = HydraConfig.get().runtime.config_sources
    named = ("command-line", "hydra.searchpath in command-line")
    return [Path(each.path) for each in sources if each.provider in named]


def _named(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def after_sampling(before: Manifest, outcome: Outcome, clock: Stopwatch) -> Manifest:
    """The manifest with what sampling did."""
    return replace(
        before,
        failures=(*before.failures, *outcome.failures),
        timings_s={
            **clock.seconds,
            "engine_load": round(sum(outcome.load_s), 3),
            "engine_ready": round(outcome.engine_s, 3),
        },
        counts={
            **before.counts,
            "samples_drawn": outcome.samples,
            "tokens_drawn": outcome.tokens,
            "tokens_computed": outcome.computed,
            **_engine_counts(before, outcome),
        },
        tokens={
            cell.key: {"kept": drawn.tokens, "computed": drawn.computed}
            for cell in before.cells
            if (drawn := outcome.cells.get(cell.path)) is not None
        },
        notes=(*before.notes, *outcome.errors, *_unshared(before, outcome)),
    )


def with_origins(before: Manifest, origins: Mapping[str, Mapping[Origin | None, int]]) -> Manifest:
    """The manifest with what drew the stored samples, and a note where a cell mixes.

    Args:
        before: As it was.
        origins: Cell key to each origin and its samples.
    """
    return replace(
        before,
        origins={
            key: [
                {**({"device": None} if one is None else asdict(one)), "samples": samples}
                for one, samples in of.items()
            ]
            for key, of in origins.items()
        },
        notes=(
            *before.notes,
            *(f"{key}: {said}" for key in origins for said in _mixed(origins[key])),
        ),
    )


def _mixed(origins: Mapping[Origin | None, int]) -> Iterator[str]:
    """What is to be said of a cell whose samples are not of one kind."""
    kinds: dict[str, int] = {}
    for drawn_on, samples in origins.items():
        name = str(drawn_on) if drawn_on is not None else _UNTOLD
        kinds[name] = kinds.get(name, 0) + samples
    if len(kinds) > 1:
        each = ", ".join(f"{samples} on {name}" for name, samples in sorted(kinds.items()))
        yield f"its samples were drawn on hardware of several kinds, which can change them: {each}"


def _unshared(before: Manifest, outcome: Outcome) -> Iterator[str]:
    """Cells in which drawing siblings together did not pay."""
    for cell in before.cells:
        drawn = outcome.cells.get(cell.path)
        if drawn is not None and drawn.unshared is not None:
            yield (
                f"{cell.key}: the samples of its first problems had little in common "
                f"({drawn.unshared:.2f} tokens kept per token computed), so the others were drawn "
                "as independent requests"
            )


def after_reading(before: Manifest, outcome: Outcome, name: str, cell: str) -> Manifest:
    """The manifest with what a model read, unless it could not be loaded."""
    unread = len(outcome.failures)
    lost = (f"{unread} completions could not be read by {name}",) if unread else ()
    return replace(
        before,
        counts={
            **before.counts,
            f"{name}_readings_drawn": outcome.samples,
            **_engine_counts(before, outcome),
        },
        notes=(*before.notes, *outcome.errors, *lost),
        readings=before.readings if outcome.unserved else {**before.readings, name: cell},
    )


def _engine_counts(before: Manifest, outcome: Outcome) -> Mapping[str, int]:
    return {
        "engine_starts": before.counts.get("engine_starts", 0) + outcome.starts,
        "engine_deaths": before.counts.get("engine_deaths", 0) + outcome.deaths,
    }


def _host(study: Study) -> Mapping[str, object]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "name": socket.gethostname(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "device": study.cluster.device,
        "cluster": study.cluster.address or "this machine",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
