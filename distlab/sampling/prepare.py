"""A validated study to its cells: problems loaded, prompts rendered, what is missing in the store.

Needs tokenizers but no engine, so everything that can be refused is refused here. Ray is asked only
where a cell that is to be gone on with may have been drawn on other hardware than a cluster's.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from distlab.checkpoints.checkpoint import Checkpoint, Variant
from distlab.checkpoints.resolve import resolve
from distlab.config.values import Arm, Family, Study
from distlab.decoding.decoder import Sampler
from distlab.decoding.interface import SampleRequest
from distlab.decoding.thinking import Thinking
from distlab.engines.endpoint import Endpoint
from distlab.engines.engine_args import sample_args
from distlab.engines.origins import expected_origin
from distlab.errors import UserError
from distlab.problems import LoadedDataset, load_dataset
from distlab.problems.problem import Exemplar
from distlab.prompts import ChatTemplate, Prompt, PromptSpec, build_renderer
from distlab.prompts.exemplars import ExemplarPools
from distlab.prompts.fidelity import are_one, check_fidelity
from distlab.prompts.messages import MessagesTokenizer
from distlab.prompts.prompt import PromptTokenizer
from distlab.prompts.snapshot import prompt_tokenizer
from distlab.sampling.chat_templates import chat_template, lending_notes, switch_notes
from distlab.sampling.endpoints import endpoint_of, served_note
from distlab.sampling.planned import Example, PlannedCell, Prepared
from distlab.store.cell import Cell, ProblemFailure
from distlab.store.fingerprint import CellFields, decoder_fields
from distlab.store.kept_prompts import KeptPrompt
from distlab.store.origin import Origin
from distlab.store.store import Store, cell_path
from distlab.versions import vllm_version


@dataclass(frozen=True, slots=True)
class TokenizedCheckpoint:
    """A checkpoint with its tokenizer, and the server that has it where one does."""

    checkpoint: Checkpoint
    tokenizer: PromptTokenizer
    endpoint: Endpoint | None = None

    @classmethod
    def of(
        cls, checkpoint: Checkpoint, family: Family, endpoint: Endpoint | None = None
    ) -> TokenizedCheckpoint:
        """A checkpoint of a family, its tokenizer loaded where a prompt needs one.

        Raises:
            UserError: The tokenizer cannot be had, or it loses blanks or digits of a text.
        """
        if endpoint is not None and endpoint.chat:
            return cls(checkpoint, MessagesTokenizer(checkpoint.id), endpoint)
        trusted = family.trust_remote_code
        tokenizer = prompt_tokenizer(checkpoint, trust_remote_code=trusted)
        check_fidelity(tokenizer, checkpoint.id)
        return cls(checkpoint, tokenizer, endpoint)


@dataclass(frozen=True, slots=True)
class TokenizedFamily:
    """The checkpoints of a study's family with their tokenizers, each resolved and read once.

    Attributes:
        study: The study; several variants of its family may be one checkpoint.
        loaded: Those that were read so far.
    """

    study: Study
    loaded: dict[Variant, TokenizedCheckpoint] = field(default_factory=dict)

    def of(self, variant: Variant) -> TokenizedCheckpoint:
        """The checkpoint of a variant.

        Raises:
            UserError: It, or its tokenizer, cannot be had, or its server cannot draw an arm.
        """
        if variant not in self.loaded:
            self.loaded[variant] = self._read(variant)
        return self.loaded[variant]

    def _read(self, variant: Variant) -> TokenizedCheckpoint:
        family = self.study.family
        spec, read = family.checkpoints[variant], self.loaded.items()
        found = (one.checkpoint for other, one in read if family.checkpoints[other] == spec)
        checkpoint = next(found, None) or resolve(spec)
        endpoint = endpoint_of(self.study, variant, checkpoint)
        for _, one in read:
            if (one.checkpoint, one.endpoint) == (checkpoint, endpoint):
                return one
        return TokenizedCheckpoint.of(checkpoint, family, endpoint)

    def tokenizer(self, variant: Variant) -> PromptTokenizer:
        """The tokenizer of a variant; raises as ``of``."""
        return self.of(variant).tokenizer


@dataclass(frozen=True, slots=True)
class PromptSetting:
    """One dataset x prompt style x variant: the arms of the variant share its prompts.

    Attributes:
        dataset: The problems.
        pool: What few-shot exemplars are picked from.
        style: The prompt style.
        variant: Of the arms.
        tokenized: The variant's checkpoint.
        chat: What chat turns are rendered with; None for plain text.
    """

    dataset: LoadedDataset
    pool: tuple[Exemplar, ...]
    style: PromptSpec
    variant: Variant
    tokenized: TokenizedCheckpoint
    chat: ChatTemplate | None


def tokenizer_notes(tokenized: Sequence[TokenizedCheckpoint]) -> tuple[str, ...]:
    """What to say of servers, and where the tokenizers of a family are not one."""
    served = tuple(
        served_note(one.checkpoint, one.endpoint) for one in tokenized if one.endpoint is not None
    )
    return served + tuple(
        f"{first.checkpoint.id} and {other.checkpoint.id} have different tokenizers: tokens, "
        "margins and lengths of their samples are not of one kind."
        for first, other in product(tokenized[:1], tokenized[1:])
        if not are_one(first.tokenizer, other.tokenizer)
    )


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
    checkpoints = TokenizedFamily(study)
    tokenized = {variant: checkpoints.of(variant) for variant in study.variants}
    pools = ExemplarPools()
    settings = [
        PromptSetting(
            datasets[spec.name],
            pools.of(style, spec),
            style,
            variant,
            tokenized[variant],
            chat_template(style, variant, study.family, checkpoints.tokenizer),
        )
        for variant, spec, style in product(study.variants, study.datasets, study.prompts)
    ]
    where = Whereabouts(study, joins=True)
    cells = [cell for setting in settings for cell in render_cells(where, store, setting, shown)]
    notes = (*tokenizer_notes(list(dict.fromkeys(tokenized.values()))), *setting_notes(settings))
    found = {variant: each.checkpoint for variant, each in tokenized.items()}
    return Prepared(datasets, tuple(cells), found, notes)


@dataclass(slots=True)
class Whereabouts:
    """Where a study's engines would run: asked once, and only where an answer matters.

    Attributes:
        study: The study.
        joins: Whether a running cluster may be joined to ask it.
    """

    study: Study
    joins: bool
    _asked: bool = False
    _origin: Origin | None = None

    @property
    def origin(self) -> Origin | None:
        """What engines would draw on; None where that is not known.

        Raises:
            UserError: The cluster cannot be had.
        """
        if not self._asked:
            study = self.study
            self._origin = expected_origin(study.family, study.cluster, joins=self.joins)
            self._asked = True
        return self._origin


def setting_notes(settings: Sequence[PromptSetting]) -> tuple[str, ...]:
    """What is to be said of how the settings' prompts are made."""
    chats = [each.chat for each in settings if each.chat is not None]
    lent = lending_notes(
        (each.tokenized.checkpoint.id, each.tokenized.tokenizer, each.chat) for each in settings
    )
    return (*lent, *dict.fromkeys(note for chat in chats for note in switch_notes(chat)))


def render_cells(
    where: Whereabouts, store: Store, setting: PromptSetting, shown: str | None = None
) -> list[PlannedCell]:
    """The cells of one dataset x prompt x variant: its prompts rendered, the store looked up.

    Args:
        where: The study, and where it would run.
        store: Where samples are.
        setting: What the cells have in common.
        shown: Id of the problem whose prompt is kept as an example; None for the first.

    Raises:
        UserError: A problem is an exemplar too, or K is larger than the vocabulary.
    """
    study = where.study
    arms = [arm for arm in study.arms if arm.variant == setting.variant]
    tokenizer = setting.tokenized.tokenizer
    _check_branches(arms, len(tokenizer), setting.tokenized.checkpoint)
    renderer = build_renderer(
        setting.style,
        setting.dataset.name,
        tokenizer,
        setting.pool,
        setting.chat,
        {problem.gold.kind for problem in setting.dataset.problems},
    )
    prompts = [renderer.render(problem) for problem in setting.dataset.problems]
    example = _example(prompts, shown, tokenizer)
    kept = {prompt.problem_id: KeptPrompt.of(prompt) for prompt in prompts}
    rendered = _Rendered(prompts, kept, renderer.identity, example, renderer.thinking)
    drawn = [_with_its_sampler(study, store, setting, rendered, arm) for arm in arms]
    return [_plan(where, store, setting, rendered, arm) for arm in drawn]


@dataclass(frozen=True, slots=True)
class _Rendered:
    """The prompts of a setting, what shapes them, the one to show, and how reasoning is marked."""

    prompts: Sequence[Prompt]
    kept: Mapping[str, KeptPrompt]
    identity: Mapping[str, str]
    example: Example | None
    thinking: Thinking | None

    @property
    def stop(self) -> tuple[str, ...]:
        return self.prompts[0].stop


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
        if arm.decoding.decoder.branches(arm.n) > vocabulary:
            raise UserError(
                f"`decoding.n` is {arm.n}: {arm.decoding.name} cannot branch on more first tokens "
                f"than the {vocabulary} in the vocabulary of {checkpoint.id}; lower it"
            )


def _plan(
    where: Whereabouts, store: Store, setting: PromptSetting, rendered: _Rendered, arm: Arm
) -> PlannedCell:
    """The cell of an arm; what other hardware began is left alone, unless the study mixes."""
    study = where.study
    fields = _fields(study, setting, rendered, arm)
    planned = _planned(study, store, setting, rendered, arm, fields)
    if not planned.requests or not planned.origins or planned.endpoint is not None:
        return planned
    origin = where.origin
    if origin is None or not planned.is_foreign(origin):
        return planned
    held = f"its {planned.held} stored samples were drawn on {planned.drawn_on}"
    if study.mix:
        note = f"{held}, and engines here run on {origin}: mixed, as `mix=true` says"
        return replace(planned, note=note)
    own = replace(fields, hardware=origin.address)
    note = (
        f"{held}, and engines here run on {origin}: drawn in a cell of its own; mix=true goes on "
        "with the stored ones"
    )
    return replace(_planned(study, store, setting, rendered, arm, own), differing=(), note=note)


def _planned(
    study: Study,
    store: Store,
    setting: PromptSetting,
    rendered: _Rendered,
    arm: Arm,
    fields: CellFields,
) -> PlannedCell:
    family, prompts = study.family, rendered.prompts
    cell = _cell(study, setting, arm, fields.fingerprint())
    endpoint = setting.tokenized.endpoint
    room = family.max_model_len - arm.decoding.max_tokens
    if endpoint is not None and endpoint.chat:
        # Which are too long only the server knows, and says.
        room = sys.maxsize
    fitting = [prompt for prompt in prompts if len(prompt.token_ids) <= room]
    kept = tuple(rendered.kept[prompt.problem_id] for prompt in fitting)
    hashes = {prompt.problem_id: prompt.prompt_hash for prompt in kept}
    stored = store.cell(cell.path)
    requests = tuple(_missing(fitting, stored.ranks(hashes), arm.n))
    return PlannedCell(
        cell=cell,
        arm=arm,
        family=family,
        checkpoint=setting.tokenized.checkpoint,
        seed=study.seed,
        fields=fields,
        stop=rendered.stop,
        prompt_hashes=hashes,
        requests=requests,
        held=arm.n * len(fitting) - sum(len(request.ranks) for request in requests),
        failures=tuple(
            _too_long(cell, prompt, room, family)
            for prompt in prompts
            if len(prompt.token_ids) > room
        ),
        stored=stored,
        prompt_tokens=tuple(len(prompt.token_ids) for prompt in prompts),
        example=rendered.example,
        differing=stored.differing(fields),
        prompts=kept,
        endpoint=endpoint,
        thinking=rendered.thinking,
        origins=frozenset(origin for origin in stored.origins() if origin is not None),
        mixes=study.mix,
    )


def unshared(study: Study) -> Iterator[str]:
    """Arms that ask for siblings and cannot have them, one sentence each."""
    for arm in study.arms:
        decoder, sampler = arm.decoding.decoder, arm.decoding.sampler
        if sampler is Sampler.TRIE and decoder.random and study.cluster.server(arm.variant):
            yield f"{arm.variant}/{arm.decoding.name}: a server's samples are independent requests"
        elif sampler is Sampler.TRIE and decoder.random and decoder.sharing is None:
            yield (
                f"{arm.variant}/{arm.decoding.name}: decoding.sampler=trie cannot draw siblings of "
                f"this decoding together ({decoder.seed_name}), so its samples are independent "
                "requests"
            )


def _with_its_sampler(
    study: Study, store: Store, setting: PromptSetting, rendered: _Rendered, arm: Arm
) -> Arm:
    """The arm with a sampler that its decoder has, and that goes on with what the store holds."""

    def drawn_by(sampler: Sampler) -> Arm:
        return replace(arm, decoding=replace(arm.decoding, sampler=sampler))

    def is_begun(arm: Arm) -> bool:
        fields = _fields(study, setting, rendered, arm)
        path = _cell(study, setting, arm, fields.fingerprint()).path
        return bool(store.cell(path).shards())

    alone = drawn_by(Sampler.INDEPENDENT)
    if arm.decoding.decoder.sharing is None or setting.tokenized.endpoint is not None:
        return alone
    if arm.decoding.sampler is Sampler.AUTO and not is_begun(arm) and is_begun(alone):
        return alone
    return arm


def _cell(study: Study, setting: PromptSetting, arm: Arm, fingerprint: str) -> Cell:
    variant, decoding = arm.variant, arm.decoding
    family, dataset, prompt = study.family.name, setting.dataset.name, setting.style.name
    return Cell(
        family=family,
        variant=variant,
        decoding=decoding.name,
        kind=decoding.decoder.kind,
        dataset=dataset,
        prompt=prompt,
        n=arm.n,
        fingerprint=fingerprint,
        path=cell_path(family, variant, decoding.name, dataset, prompt, fingerprint),
        until_solved=study.waves is not None and arm.n > 1,
        order=decoding.decoder.order,
        deltas=decoding.decoder.margins,
        until_decided=study.decided is not None,
    )


def _missing(
    prompts: Sequence[Prompt], held: Mapping[str, Container[int]], n: int
) -> Iterator[SampleRequest]:
    """The samples that the store lacks, of problems that lack any."""
    for prompt in prompts:
        have = held.get(prompt.problem_id, ())
        if ranks := tuple(rank for rank in range(n) if rank not in have):
            yield SampleRequest(prompt.problem_id, prompt.token_ids, ranks)


def _fields(study: Study, setting: PromptSetting, rendered: _Rendered, arm: Arm) -> CellFields:
    checkpoint, dataset, spec = setting.tokenized.checkpoint, setting.dataset, arm.decoding
    endpoint = setting.tokenized.endpoint
    return CellFields(
        checkpoint=checkpoint.id,
        weights=checkpoint.digest,
        dtype=study.family.dtype,
        quantization=study.family.quantization,
        dataset=dataset.name,
        dataset_hash=dataset.content_hash,
        prompt=rendered.identity,
        stop=rendered.stop,
        max_tokens=spec.max_tokens,
        seed=study.seed if spec.decoder.random else None,
        vllm=vllm_version() if endpoint is None else endpoint.engine,
        sampler=None if spec.sampler is Sampler.INDEPENDENT else spec.decoder.sharing,
        engine_args=sample_args(study.cluster.engine_args),
        endpoint={} if endpoint is None else endpoint.declared(),
        replicate=study.replicate,
        batch_invariant=study.cluster.batch_invariant,
        **decoder_fields(spec.decoder),
    )


def _too_long(cell: Cell, prompt: Prompt, room: int, family: Family) -> ProblemFailure:
    return ProblemFailure(
        cell.key,
        prompt.problem_id,
        f"the prompt has {len(prompt.token_ids)} tokens and model.max_model_len="
        f"{family.max_model_len} leaves {room} beside decoding.max_tokens",
    )
