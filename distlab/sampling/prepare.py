"""A validated study to its cells: problems loaded, prompts rendered, what is missing in the store.

Needs tokenizers but no engine and no Ray, so everything that can be refused is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping

from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.types import Checkpoint
from distlab.config.values import FORMATS, Arm, Family, Study
from distlab.decoding.types import DecodingKind, Draw
from distlab.errors import UserError
from distlab.problems import LoadedDataset, load_dataset, load_exemplars
from distlab.problems.types import Exemplar
from distlab.prompts import Prompt, PromptSpec, Renderer, build_renderer
from distlab.prompts.snapshot import prompt_tokenizer
from distlab.prompts.types import PromptTokenizer
from distlab.sampling.planned import Example, PlannedCell, Prepared
from distlab.store.batches import prompt_hash
from distlab.store.cell import Cell, ProblemFailure
from distlab.store.fingerprint import CellFields
from distlab.store.store import Store, cell_path
from distlab.versions import vllm_version


def prepare(study: Study, store: Store, shown: str | None = None) -> Prepared:
    """Load, render and look up; writes nothing to the store.

    Args:
        study: What to do.
        store: Where samples are.
        shown: Id of the problem whose prompts are kept as examples; None for each dataset's first.

    Raises:
        UserError: A dataset, checkpoint or tokenizer cannot be had, K is larger than the
            vocabulary, or no dataset holds the problem ``shown``.
    """
    datasets = {spec.name: load_dataset(spec) for spec in study.datasets}
    check_shown(shown, datasets)
    pools = {
        spec.name: load_exemplars(spec) if any(p.shots for p in study.prompts) else ()
        for spec in study.datasets
    }
    # Base and instruct may be one checkpoint, which then is hashed and read once.
    specs = {variant: study.family.checkpoints[variant] for variant in study.variants}
    found = {spec: resolve(spec) for spec in specs.values()}
    checkpoints = {variant: found[spec] for variant, spec in specs.items()}
    trusted = study.family.trust_remote_code
    tokenizers = {c: prompt_tokenizer(c, trust_remote_code=trusted) for c in found.values()}
    cells = []
    for variant, checkpoint in checkpoints.items():
        tokenizer = tokenizers[checkpoint]
        for name, dataset in datasets.items():
            for style in study.prompts:
                cells += render_cells(
                    study, store, dataset, pools[name], style, variant, checkpoint, tokenizer, shown
                )
    return Prepared(datasets, tuple(cells), checkpoints)


def render_cells(
    study: Study,
    store: Store,
    dataset: LoadedDataset,
    pool: tuple[Exemplar, ...],
    style: PromptSpec,
    variant: str,
    checkpoint: Checkpoint,
    tokenizer: PromptTokenizer,
    shown: str | None = None,
) -> list[PlannedCell]:
    """The cells of one dataset x prompt x variant: its prompts rendered, the store looked up.

    Args:
        study: What to do.
        store: Where samples are.
        dataset: The problems.
        pool: What few-shot exemplars are picked from.
        style: The prompt style.
        variant: "base" or "instruct".
        checkpoint: The variant's.
        tokenizer: The checkpoint's.
        shown: Id of the problem whose prompt is kept as an example; None for the first.

    Raises:
        UserError: A problem is an exemplar too, or K is larger than the vocabulary.
    """
    arms = [arm for arm in study.arms if arm.variant == variant]
    _check_branches(arms, len(tokenizer), checkpoint)
    renderer = build_renderer(
        style,
        FORMATS[variant],
        dataset.name,
        tokenizer,
        pool,
        study.family.chat_template_kwargs,
    )
    prompts = [renderer.render(problem) for problem in dataset.problems]
    example = _example(prompts, shown, tokenizer)
    return [
        _plan(study, store, dataset, style, renderer, prompts, example, arm, checkpoint)
        for arm in arms
    ]


def check_shown(shown: str | None, datasets: Mapping[str, LoadedDataset]) -> None:
    """Refuse the id of a problem to show that no dataset holds.

    Raises:
        UserError: None does; the sentence gives one that would do.
    """
    loaded = (problem for dataset in datasets.values() for problem in dataset.problems)
    if shown is not None and all(problem.id != shown for problem in loaded):
        first = next(iter(datasets.values())).problems[0].id
        raise UserError(
            f"no problem of {', '.join(datasets)} has the id '{shown}': give one like '{first}', "
            "or raise dataset.limit"
        )


def _example(
    prompts: list[Prompt], shown: str | None, tokenizer: PromptTokenizer
) -> Example | None:
    for prompt in prompts:
        if shown in (None, prompt.problem_id):
            return Example(prompt, tokenizer.bos_token, tokenizer.bos_token_id)
    return None


def _check_branches(arms: list[Arm], vocabulary: int, checkpoint: Checkpoint) -> None:
    for arm in arms:
        if arm.decoding.kind is DecodingKind.COT and arm.n > vocabulary:
            raise UserError(
                f"`decoding.n` is {arm.n}: CoT-decoding cannot branch on more first tokens than "
                f"the {vocabulary} in the vocabulary of {checkpoint.id}; lower it"
            )


def _plan(
    study: Study,
    store: Store,
    dataset: LoadedDataset,
    style: PromptSpec,
    renderer: Renderer,
    prompts: list[Prompt],
    example: Example | None,
    arm: Arm,
    checkpoint: Checkpoint,
) -> PlannedCell:
    family = study.family
    stop = prompts[0].stop
    fields = _fields(study, dataset, renderer, stop, arm, checkpoint)
    labels = (family.name, arm.variant, arm.decoding.name, dataset.name, style.name)
    cell = Cell(
        family=family.name,
        variant=arm.variant,
        decoding=arm.decoding.name,
        kind=arm.decoding.kind,
        dataset=dataset.name,
        prompt=style.name,
        n=arm.n,
        fingerprint=fields.fingerprint(),
        path=cell_path(*labels, fields.fingerprint()),
        until_solved=study.waves is not None and arm.n > 1,
    )
    room = family.max_model_len - arm.decoding.max_tokens
    failures = tuple(_too_long(cell, p, room, family) for p in prompts if len(p.token_ids) > room)
    fitting = {p.problem_id: p for p in prompts if len(p.token_ids) <= room}
    hashes = {problem_id: prompt_hash(p.token_ids) for problem_id, p in fitting.items()}
    stored = store.cell(cell.path)
    held = stored.ranks(hashes)
    kinds = {problem.id: problem.gold.kind.value for problem in dataset.problems}
    missing = {
        problem_id: tuple(r for r in range(arm.n) if r not in held.get(problem_id, ()))
        for problem_id in fitting
    }
    draws = tuple(
        Draw(problem_id, fitting[problem_id].token_ids, ranks, kinds[problem_id])
        for problem_id, ranks in missing.items()
        if ranks
    )
    return PlannedCell(
        cell=cell,
        arm=arm,
        family=family,
        checkpoint=checkpoint,
        seed=study.seed,
        fields=fields,
        stop=stop,
        prompt_hashes=hashes,
        draws=draws,
        held=sum(arm.n - len(ranks) for ranks in missing.values()),
        failures=failures,
        stored=stored,
        prompt_tokens=tuple(len(prompt.token_ids) for prompt in prompts),
        example=example,
        differing=stored.differing(fields),
    )


def _fields(
    study: Study,
    dataset: LoadedDataset,
    renderer: Renderer,
    stop: tuple[str, ...],
    arm: Arm,
    checkpoint: Checkpoint,
) -> CellFields:
    spec = arm.decoding
    return CellFields(
        checkpoint=checkpoint.id,
        weights=checkpoint.digest,
        dtype=study.family.dtype,
        quantization=study.family.quantization,
        dataset=dataset.name,
        dataset_hash=dataset.content_hash,
        prompt=renderer.identity,
        stop=stop,
        decoding=spec.kind,
        temperature=spec.temperature,
        top_p=spec.top_p,
        max_tokens=spec.max_tokens,
        seed=study.seed if spec.kind is DecodingKind.STOCHASTIC else None,
        vllm=vllm_version(),
    )


def _too_long(cell: Cell, prompt: Prompt, room: int, family: Family) -> ProblemFailure:
    return ProblemFailure(
        cell.key,
        prompt.problem_id,
        f"the prompt has {len(prompt.token_ids)} tokens and model.max_model_len="
        f"{family.max_model_len} leaves {room} beside decoding.max_tokens",
    )
