"""Readings: completions in, what a small model reads off them out; stored like any samples.

A reading is a greedy sample whose problem is a completion. It goes through the same replicas,
dispatcher and store, so it resumes, tops up and is content-addressed in the same way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from distlab.checkpoints.checkpoint import Checkpoint, CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.config.values import Arm, Family, Study
from distlab.decoding.decoder import DecodingSpec
from distlab.decoding.greedy import Greedy
from distlab.decoding.interface import SampleRequest
from distlab.errors import UserError
from distlab.prompts.prompt import PromptTokenizer
from distlab.prompts.renderer import apply_template
from distlab.prompts.snapshot import prompt_tokenizer
from distlab.prompts.tokens import encode, tokenizer_hash
from distlab.sampling.planned import PlannedCell
from distlab.scoring.reading import ReadingExtractor, reading_extractor, shown_of, text_key
from distlab.scoring.sampled_text import COLUMNS as OF_TEXT
from distlab.scoring.sampled_text import SampledText, sampled_texts
from distlab.store.batches import prompt_hash
from distlab.store.cell import Cell
from distlab.store.fingerprint import CellFields, decoder_fields
from distlab.store.store import Store, cell_path
from distlab.versions import vllm_version

# Tokens left for a completion under which reading makes no sense (ours).
_LEAST_ROOM = 64


@dataclass(frozen=True, slots=True)
class ModelReader:
    """An extractor that reads with a model, ready to.

    Attributes:
        name: Name of the extractor.
        extractor: The extractor, made.
        checkpoint: The model.
        tokenizer: Its tokenizer.
        room: Tokens of a completion that fit its context.
    """

    name: str
    extractor: ReadingExtractor
    checkpoint: Checkpoint
    tokenizer: PromptTokenizer
    room: int

    def prompt(self, text: str) -> tuple[int, ...]:
        """Token ids of the request; of a text that is too long the end is shown."""
        ids = encode(self.tokenizer, self._request(text))
        if len(ids) <= self._limit:
            return ids
        tail = self.tokenizer.encode(text, add_special_tokens=False)[-self.room :]
        return encode(self.tokenizer, self._request(self.tokenizer.decode(tail)))[: self._limit]

    @property
    def _limit(self) -> int:
        return self.extractor.reader.max_model_len - self.extractor.reader.max_tokens

    def _request(self, text: str) -> str:
        turns = [{"role": "user", "content": self.extractor.request.format(solution=text)}]
        kwargs = dict(self.extractor.reader.chat_template_kwargs)
        return apply_template(self.tokenizer, turns, kwargs)


def model_readers(study: Study) -> tuple[ModelReader, ...]:
    """The study's extractors that read with a model, their checkpoints found.

    Raises:
        UserError: A checkpoint or tokenizer cannot be had, or its context is too short.
    """
    made = ((spec.name, reading_extractor(spec)) for spec in study.extractors)
    return tuple(_reader(name, extractor) for name, extractor in made if extractor is not None)


def _reader(name: str, extractor: ReadingExtractor) -> ModelReader:
    spec = extractor.reader
    checkpoint = resolve(CheckpointSpec(spec.id, spec.source, spec.revision))
    tokenizer = prompt_tokenizer(checkpoint)
    empty = ModelReader(name, extractor, checkpoint, tokenizer, room=0).prompt("")
    # A text in the middle of a request may take a token more at each of its ends.
    room = spec.max_model_len - spec.max_tokens - len(empty) - 2
    if room < _LEAST_ROOM:
        raise UserError(
            f"`extractor.use.{name}.options.max_model_len` is {spec.max_model_len}: it leaves "
            f"{room} tokens for a completion; raise it"
        )
    return ModelReader(name, extractor, checkpoint, tokenizer, room)


def plan_readings(
    study: Study, reader: ModelReader, cells: Sequence[PlannedCell], store: Store
) -> PlannedCell:
    """What is still to be read of the stored samples of some cells."""
    spec = reader.extractor.reader
    decoding = DecodingSpec("greedy", Greedy(), spec.max_tokens)
    fields = _fields(reader)
    path = cell_path(
        "extractors", reader.name, "greedy", "completions", "read", fields.fingerprint()
    )
    cell = Cell(
        family=study.family.name,
        variant="extractor",
        decoding=reader.name,
        kind=Greedy.kind,
        dataset="completions",
        prompt="read",
        n=1,
        fingerprint=fields.fingerprint(),
        path=path,
        order=Greedy.order,
    )
    prompts = {text_key(shown): reader.prompt(shown) for shown in _shown(reader, cells)}
    hashes = {key: prompt_hash(ids) for key, ids in prompts.items()}
    stored = store.cell(path)
    held = stored.ranks(hashes)
    return PlannedCell(
        cell=cell,
        arm=Arm("extractor", decoding, 1),
        family=_served(study, reader),
        checkpoint=reader.checkpoint,
        seed=study.seed,
        fields=fields,
        stop=(),
        prompt_hashes=hashes,
        requests=tuple(
            SampleRequest(key, ids, (0,)) for key, ids in prompts.items() if key not in held
        ),
        held=len(held),
        failures=(),
        stored=stored,
    )


def _shown(reader: ModelReader, cells: Sequence[PlannedCell]) -> Iterator[str]:
    """Every distinct text that the run's completions show to the model."""
    read: set[SampledText] = set()
    seen: set[str] = set()
    for planned in cells:
        table = planned.stored.samples(["problem_id", "rank", *OF_TEXT])
        keys = (table.column(name).to_pylist() for name in ("problem_id", "rank"))
        for problem_id, rank, sampled in zip(*keys, sampled_texts(table), strict=True):
            wanted = problem_id in planned.prompt_hashes and rank < planned.arm.n
            if not wanted or sampled in read:
                continue
            read.add(sampled)
            if (shown := shown_of(reader.extractor, sampled)) and shown not in seen:
                seen.add(shown)
                yield shown


def _fields(reader: ModelReader) -> CellFields:
    spec = reader.extractor.reader
    return CellFields(
        checkpoint=reader.checkpoint.id,
        weights=reader.checkpoint.digest,
        dtype=spec.dtype,
        quantization=None,
        dataset="completions",
        dataset_hash="",
        prompt={
            "request": reader.extractor.request,
            "chat_template_kwargs": repr(spec.chat_template_kwargs),
            "chat_template": str(reader.tokenizer.chat_template),
            "tokenizer_sha256": tokenizer_hash(reader.tokenizer),
            "max_model_len": str(spec.max_model_len),
        },
        stop=(),
        max_tokens=spec.max_tokens,
        seed=None,
        vllm=vllm_version(),
        **decoder_fields(Greedy()),
    )


def _served(study: Study, reader: ModelReader) -> Family:
    """How the reader's engine is built: its own model settings, split as little as can be."""
    spec = reader.extractor.reader
    return replace(
        study.family,
        dtype=spec.dtype,
        quantization=None,
        max_model_len=spec.max_model_len,
        parallel={},
        facts=None,
        trust_remote_code=False,
    )
