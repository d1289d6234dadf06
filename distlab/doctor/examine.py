"""A study in; its machine or cluster looked at, and the findings out as they come."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.hub import cached_folder, resolve_hub
from distlab.checkpoints.local import local_folder
from distlab.checkpoints.unfinished import unfinished
from distlab.config.values import Study
from distlab.doctor.checks import Wanted, check_nodes, links
from distlab.doctor.findings import Finding
from distlab.engines.cluster import joined
from distlab.engines.links import link_variables, measure_links, node_reports
from distlab.engines.network import GLOO, variables
from distlab.engines.node_report import NodeReport, report_here
from distlab.errors import Unavailable, UserError
from distlab.store.filesystem import open_filesystem

# Seconds for all nodes to say what they are like, and for each all-reduce.
_NODES_S: Final = 50.0
_LINKS_S: Final = 30.0
_HERE: Final = "127.0.0.1"


def examine(study: Study) -> Iterator[Finding]:
    """Look at everything that a run of the study would rest on."""
    wanted = _wanted(study)
    yield from _checkpoints(study)
    for name, path in (("store", study.store), ("model cache", _cache())):
        if (fault := _misplaced(path)) is not None:
            setting = "store" if name == "store" else "HF_HUB_CACHE or HF_HOME"
            yield Finding("fail", name, fault, f"set {setting} to another folder")
    places = list(dict.fromkeys(path for path in (wanted.store, wanted.cache) if path))
    with _marked([place for place in places if "://" not in place]) as mark:
        if study.cluster.address is None:
            yield from check_nodes([report_here(_HERE, places, mark)], wanted)
            return
        try:
            with joined(study.cluster):
                yield from _cluster(node_reports(places, mark, _NODES_S), study, wanted)
        except UserError as error:
            yield Finding("fail", "cluster", str(error), "see the sentence")


def _cluster(said: dict[str, NodeReport | str], study: Study, wanted: Wanted) -> Iterator[Finding]:
    """Findings of a cluster's nodes, and of the links between those that answered."""
    there = {node: report for node, report in said.items() if isinstance(report, NodeReport)}
    for node, report in said.items():
        if isinstance(report, str):
            remedy = "install distlab there, or see why the node does not answer"
            yield Finding("fail", "node", f"{node[:8]}: {report}", remedy)
    if len(said) < study.cluster.min_nodes:
        few = f"{len(said)} of cluster.min_nodes={study.cluster.min_nodes}"
        yield Finding("fail", "nodes", few, "start Ray on the others, or lower it")
    else:
        yield Finding("ok", "nodes", str(len(said)))
    if there:
        yield from check_nodes(list(there.values()), wanted)
    yield from _links(there, study, wanted)


def _links(there: dict[str, NodeReport], study: Study, wanted: Wanted) -> Iterator[Finding]:
    nodes = sorted(there)
    if len(nodes) < 2:
        return
    network: dict[str, str] = dict(study.cluster.env)
    with suppress(UserError):
        found = variables({report.host: report.interface for report in there.values()})
        network = {**link_variables(found.get(GLOO)), **network}
    yield links(measure_links(nodes, "gloo", network, _LINKS_S))
    having = [node for node in nodes if there[node].gpus]
    if wanted.on_gpus and len(having) > 1:
        yield links(measure_links(having, "nccl", network, _LINKS_S))


def _wanted(study: Study) -> Wanted:
    facts, specs = study.family.facts, _specs(study)
    lacking = [spec for spec in specs if spec.source == "hub" and not _is_cached(spec)]
    return Wanted(
        on_gpus=study.cluster.device == "gpu",
        store=_standing(study.store),
        cache=_standing(_cache()),
        to_load=len(lacking) * facts.weight_bytes if facts is not None else 0,
        env=study.cluster.env,
    )


def _cache() -> str:
    """Where the hub's files go, as HF_HUB_CACHE or HF_HOME say."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return HF_HUB_CACHE


def _standing(path: str) -> str:
    """The folder, or the nearest above it that is there: nothing is made by looking.

    An address stays as it is. What ``_misplaced`` finds fault with is "", which is not tried.
    """
    if _misplaced(path) is not None:
        return ""
    return path if "://" in path else str(_nearest(path))


def _misplaced(path: str) -> str | None:
    """Why nothing can be kept at a path, whoever tries; None where that is not known."""
    if "://" in path:
        return None
    try:
        open_filesystem(path)
    except UserError as error:
        return str(error)
    nearest = _nearest(path)
    return None if nearest.is_dir() else f"{nearest} is a file"


def _nearest(path: str) -> Path:
    folder = Path(path).expanduser().absolute()
    return next(each for each in (folder, *folder.parents) if each.exists())


def _specs(study: Study) -> list[CheckpointSpec]:
    return list(dict.fromkeys(study.family.checkpoints[v] for v in study.variants))


def _checkpoints(study: Study) -> Iterator[Finding]:
    """Whether checkpoints are here, or the hub gives them to this user."""
    for spec in _specs(study):
        if spec.source == "local" and (lack := _lack(local_folder(spec))) is not None:
            remedy = "set `model.*.id` to a whole checkpoint, or fetch the file"
            yield Finding("fail", "checkpoint", f"{spec.id}: {lack}", remedy)
        elif spec.source != "hub":
            yield Finding("ok", "checkpoint", f"{spec.id} needs no hub")
        elif _is_cached(spec):
            yield Finding("ok", "checkpoint", f"{spec.id} is in the hub cache")
        else:
            try:
                resolve_hub(spec)
                yield Finding("ok", "checkpoint", f"the hub gives {spec.id}")
            except (UserError, Unavailable) as error:
                said, _, remedy = str(error).partition("; ")
                yield Finding("fail", "checkpoint", said, remedy or "do what the sentence says")


def _is_cached(spec: CheckpointSpec) -> bool:
    """Whether the hub's cache has the weights, too: planning alone fetches config.json."""
    folder = cached_folder(spec)
    return folder is not None and _lack(folder) is None


def _lack(folder: Path) -> str | None:
    """What a checkpoint lacks; of one in another format than safetensors nothing is known."""
    if any(next(folder.glob(pattern), None) for pattern in ("*.bin", "*.pt", "*.gguf")):
        return None
    return unfinished(folder)


@contextmanager
def _marked(places: Sequence[str]) -> Iterator[str]:
    """A file in each folder that shows whether others see the same disk."""
    mark = f".doctor-mark-{uuid.uuid4().hex}"
    files = [Path(place) / mark for place in places]
    try:
        for file in files:
            with suppress(OSError):  # that it cannot be written is found by the node's report
                file.touch()
        yield mark
    finally:
        for file in files:
            with suppress(OSError):
                file.unlink(missing_ok=True)
