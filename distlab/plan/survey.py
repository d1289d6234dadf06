"""What can be known of a study before it runs: rendered cells, or counts where a hub is silent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from distlab.checkpoints.checkpoint import Variant
from distlab.checkpoints.resolve import resolve
from distlab.config.values import Arm, Study
from distlab.errors import Unavailable, joined
from distlab.problems import (
    DatasetSpec,
    LoadedDataset,
    load_dataset,
    published_problems,
)
from distlab.prompts import PromptSpec
from distlab.prompts.exemplars import ExemplarPools
from distlab.sampling.chat_templates import chat_template
from distlab.sampling.planned import PlannedCell
from distlab.sampling.prepare import (
    PromptSetting,
    TokenizedCheckpoint,
    TokenizedFamily,
    Whereabouts,
    check_shown,
    render_cells,
    setting_notes,
    tokenizer_notes,
)
from distlab.store.store import Store


@dataclass(frozen=True, slots=True)
class Unrendered:
    """A cell whose prompts cannot be made here: counted, but not looked up in the store.

    Attributes:
        arm: How its samples are drawn.
        dataset: Name of the dataset.
        prompt: Name of the prompt style.
        problems: Problems of the dataset, as published where its files are out of reach.
    """

    arm: Arm
    dataset: str
    prompt: str
    problems: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What a study comes to.

    Attributes:
        cells: In the order of the tables.
        datasets: Those that could be read, by name.
        gaps: What could not be had, one sentence each.
        notes: What is to be said of the checkpoints.
    """

    cells: tuple[PlannedCell | Unrendered, ...]
    datasets: Mapping[str, LoadedDataset]
    gaps: tuple[str, ...]
    notes: tuple[str, ...] = ()


def survey(study: Study, store: Store, shown: str | None = None) -> Survey:
    """As ``prepare``, but what is out of reach becomes a gap instead of an error.

    Raises:
        UserError: The input is bad, or nothing is known of a dataset that cannot be had.
    """
    return _Surveyor(study, store, shown).run()


class _Surveyor:
    def __init__(self, study: Study, store: Store, shown: str | None) -> None:
        self._study = study
        self._store = store
        self._shown = shown
        # What a sentence says, and of what.
        self._gaps: dict[str, dict[str, None]] = {}
        self._checkpoints = TokenizedFamily(study)
        self._pools = ExemplarPools()
        self._settings: list[PromptSetting] = []

    def run(self) -> Survey:
        datasets, counts = self._datasets()
        if len(datasets) == len(counts):
            check_shown(self._shown, datasets)
        cells = tuple(self._cells(datasets, counts))
        tokenized = dict.fromkeys(setting.tokenized for setting in self._settings)
        notes = (*tokenizer_notes(list(tokenized)), *setting_notes(self._settings))
        gaps = tuple(f"{joined(subjects)}{said}" for said, subjects in self._gaps.items())
        return Survey(cells, datasets, gaps, notes)

    def _lack(self, error: Unavailable) -> None:
        """Take note of what is out of reach, together with what is so for the same reason."""
        said = str(error).removeprefix(error.subject)
        self._gaps.setdefault(said, {})[error.subject] = None

    def _datasets(self) -> tuple[dict[str, LoadedDataset], dict[str, int]]:
        """Those that can be read, and the problems of all."""
        datasets, counts = {}, {}
        for spec in self._study.datasets:
            try:
                datasets[spec.name] = load_dataset(spec)
                counts[spec.name] = len(datasets[spec.name].problems)
            except Unavailable as error:
                known = published_problems(spec)
                if known is None:
                    raise
                self._lack(error)
                counts[spec.name] = known
        return datasets, counts

    def _cells(
        self, datasets: Mapping[str, LoadedDataset], counts: Mapping[str, int]
    ) -> Iterator[PlannedCell | Unrendered]:
        where = Whereabouts(self._study, joins=False)
        for variant in self._study.variants:
            made = self._tokenized(variant, needed=bool(datasets))
            for spec, style in product(self._study.datasets, self._study.prompts):
                setting = None
                if made is not None and spec.name in datasets:
                    setting = self._setting(spec, datasets[spec.name], style, variant, made)
                if setting is None:
                    yield from self._unrendered(variant, spec.name, style.name, counts[spec.name])
                    continue
                self._settings.append(setting)
                yield from render_cells(where, self._store, setting, self._shown)

    def _setting(
        self,
        spec: DatasetSpec,
        dataset: LoadedDataset,
        style: PromptSpec,
        variant: Variant,
        made: TokenizedCheckpoint,
    ) -> PromptSetting | None:
        """A setting, where its exemplars and its chat template are to be had."""
        try:
            pool = self._pools.of(style, spec)
            tokenizer_of = self._checkpoints.tokenizer
            chat = chat_template(style, variant, self._study.family, tokenizer_of)
        except Unavailable as error:
            self._lack(error)
            return None
        return PromptSetting(dataset, pool, style, variant, made, chat)

    def _unrendered(
        self, variant: Variant, dataset: str, prompt: str, problems: int
    ) -> Iterator[Unrendered]:
        arms = (arm for arm in self._study.arms if arm.variant == variant)
        yield from (Unrendered(arm, dataset, prompt, problems) for arm in arms)

    def _tokenized(self, variant: Variant, *, needed: bool) -> TokenizedCheckpoint | None:
        """The variant's tokenizer; where nothing is to be rendered only the checkpoint is tried."""
        try:
            if needed:
                return self._checkpoints.of(variant)
            resolve(self._study.family.checkpoints[variant])
        except Unavailable as error:
            self._lack(error)
        return None
