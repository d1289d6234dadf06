"""A surveyed study and its cluster's nodes to its Plan; reads the store, starts nothing."""

import statistics
from collections.abc import Iterator, Sequence
from itertools import takewhile

import pyarrow as pa
import pyarrow.compute as pc

from distlab.config.values import Study
from distlab.decoding.decoder import Decoder
from distlab.engines.engine_args import check_engine_args
from distlab.engines.splitting import choose
from distlab.placement.placement import Node, fill
from distlab.plan.plan import CellPlan, EnginePlan, Plan, ShownPrompt, Spread, totals
from distlab.plan.survey import Survey, Unrendered
from distlab.sampling.planned import Example, PlannedCell
from distlab.sampling.prepare import unshared
from distlab.scoring.reading import reading_extractor
from distlab.store.columns import token_counts
from distlab.store.store import StoredCell

# Bytes of a new token in the store before compression: its id (4) and its text (about 4); and
# its margin (4) where samples have margins.
_TOKEN_BYTES = 8
_MARGIN_BYTES = 4


def make_plan(study: Study, found: Survey, nodes: Sequence[Node]) -> Plan:
    """Count what ``distlab.run`` would do, and place its engines.

    Args:
        study: What was asked for.
        found: Its problems and prompts, and what the store holds.
        nodes: The cluster's, with what is taken on them.

    Raises:
        UserError: An engine does not fit the cluster.
    """
    cells = tuple(
        _unrendered(cell) if isinstance(cell, Unrendered) else _cell(cell) for cell in found.cells
    )
    planned = [cell for cell in found.cells if isinstance(cell, PlannedCell)]
    return Plan(
        family=study.family.name,
        store=study.store,
        cells=cells,
        totals=totals(cells),
        engines=plan_engines(study, nodes),
        prompts=_prompts(planned),
        notes=tuple(_notes(study, found, planned)),
    )


def _cell(planned: PlannedCell) -> CellPlan:
    missing = sum(len(request.ranks) for request in planned.requests)
    lengths = planned.prompt_tokens
    cell = planned.cell
    mean, computed = _mean_tokens(planned.stored) if planned.held else (None, None)
    return CellPlan(
        variant=cell.variant,
        decoding=cell.decoding,
        dataset=cell.dataset,
        prompt=cell.prompt,
        fingerprint=cell.fingerprint,
        problems=len(lengths),
        too_long=len(planned.failures),
        held=planned.held,
        missing=missing,
        prompts=len(planned.requests),
        # Of chat messages only the server knows.
        prompt_tokens=None
        if planned.is_chat
        else Spread(min(lengths), statistics.median(lengths), max(lengths)),
        max_new_tokens=missing * planned.arm.decoding.max_tokens,
        mean_new_tokens=mean,
        mean_computed_tokens=computed,
        token_bytes=_token_bytes(planned.arm.decoding.decoder),
    )


def _unrendered(cell: Unrendered) -> CellPlan:
    missing = cell.problems * cell.arm.n
    return CellPlan(
        variant=cell.arm.variant,
        decoding=cell.arm.decoding.name,
        dataset=cell.dataset,
        prompt=cell.prompt,
        fingerprint=None,
        problems=cell.problems,
        too_long=None,
        held=None,
        missing=missing,
        prompts=cell.problems,
        prompt_tokens=None,
        max_new_tokens=missing * cell.arm.decoding.max_tokens,
        mean_new_tokens=None,
        mean_computed_tokens=None,
        token_bytes=_token_bytes(cell.arm.decoding.decoder),
    )


def _mean_tokens(stored: StoredCell) -> tuple[float, float] | tuple[None, None]:
    """Mean length of the samples in the store, and mean of what was computed for one."""
    table = stored.samples(["token_ids", "computed_tokens"])
    lengths = token_counts(table)
    kept = pc.mean(lengths.cast(pa.float64())).as_py()
    computed = pc.mean(pc.coalesce(table.column("computed_tokens"), lengths)).as_py()
    return (None, None) if kept is None or computed is None else (float(kept), float(computed))


def _token_bytes(decoder: Decoder) -> int:
    return _TOKEN_BYTES + (_MARGIN_BYTES if decoder.margins else 0)


def _prompts(cells: Sequence[PlannedCell]) -> tuple[ShownPrompt, ...]:
    """Arms of a variant share their prompts, so the first cell stands for all of them."""
    shown: dict[tuple[str, str, str], ShownPrompt] = {}
    for planned in cells:
        key = (planned.cell.dataset, planned.cell.prompt, planned.cell.variant)
        if planned.example is not None and key not in shown:
            shown[key] = _shown(planned, planned.example)
    return tuple(shown.values())


def _shown(planned: PlannedCell, example: Example) -> ShownPrompt:
    cell, ids = planned.cell, example.prompt.token_ids
    return ShownPrompt(
        dataset=cell.dataset,
        prompt=cell.prompt,
        variant=cell.variant,
        problem_id=example.prompt.problem_id,
        text=example.prompt.text,
        tokens=None if planned.is_chat else len(ids),
        bos=example.bos,
        bos_count=ids.count(example.bos_id) if example.bos_id is not None else 0,
        bos_leading=len(list(takewhile(lambda token: token == example.bos_id, ids))),
        stop=example.prompt.stop,
    )


def _notes(study: Study, found: Survey, cells: Sequence[PlannedCell]) -> Iterator[str]:
    yield from (*study.family.notes, *found.notes)
    if study.waves is not None:
        yield "decoding.until=solved draws at most what is planned here: problems stop once solved"
    if study.decided is not None:
        yield (
            "decoding.until=decided draws at most "
            f"{100 * study.decided.budget:g} % of what is planned here, and stops once each gap "
            f"between base and instruct is known or smaller than {100 * study.decided.margin:g} "
            "points"
        )
    for gap in found.gaps:
        yield f"{gap}. Planned from what is known without it"
    for spec in study.extractors:
        if reading_extractor(spec) is not None:
            yield f"extractor {spec.name} takes an engine of its own, which is not planned here"
    for dataset in found.datasets.values():
        yield from (f"{dataset.name}: {note}" for note in dataset.notes)
    yield from unshared(study)
    if study.cluster.device == "gpu":
        yield from _on_gpus(study)
    for planned in cells:
        if planned.note:
            yield f"{planned.cell.key}: {planned.note}"
        if planned.differing:
            yield (
                f"{planned.cell.key}: a new cell; the nearest stored one differs in "
                f"{', '.join(planned.differing)}"
            )
        if planned.failures:
            first, *more = planned.failures
            others = f" (and {len(more)} more)" if more else ""
            yield f"{planned.cell.key}: {first.problem_id}{others}: {first.error}"


def _on_gpus(study: Study) -> Iterator[str]:
    """What a user of GPUs would not guess."""
    seeded = dict.fromkeys(
        arm.decoding.name
        for arm in study.arms
        if arm.decoding.decoder.identity().get("top_p", 1.0) < 1
    )
    if seeded:
        # vLLM 0.32, v1/sample/ops/topk_topp_sampler.py: forward_cuda and random_sample.
        yield (
            f"{', '.join(seeded)}: every draw has a seed of its own and top_p below 1, so vLLM "
            "samples with PyTorch, request by request, and not with FlashInfer"
        )


def plan_engines(study: Study, nodes: Sequence[Node]) -> EnginePlan:
    """Choose how engines are split and place as many as the nodes have free.

    Raises:
        UserError: No engine fits, as ``splitting.choose`` says, or vLLM would refuse an argument.
    """
    family, cluster = study.family, study.cluster
    check_engine_args(cluster.engine_args, cluster.device)
    choice = choose(family, cluster, nodes)
    checkpoints = tuple(dict.fromkeys(family.checkpoints[v].id for v in study.variants))
    wanted = None if cluster.replicas is None else cluster.replicas * len(checkpoints)
    placements, _ = fill(choice.group, nodes, wanted)
    facts = family.facts
    return EnginePlan(
        checkpoints=checkpoints,
        group=choice.group,
        nodes=tuple(nodes),
        placements=placements,
        fit=choice.fit,
        limits=choice.limits,
        alternatives=choice.alternatives,
        disk_gb_per_s=cluster.disk_gb_per_s,
        tokens_per_s=cluster.tokens_per_s,
        replicas=cluster.replicas,
        weight_bytes=None if facts is None or cluster.servers else facts.weight_bytes,
        servers=tuple(
            dict.fromkeys(
                server.url for v in study.variants if (server := cluster.server(v)) is not None
            )
        ),
    )
