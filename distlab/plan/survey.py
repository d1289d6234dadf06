"""What can be known of a study before it runs: rendered cells, or counts where a hub is silent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from distlab.checkpoints.checkpoint import Checkpoint, Variant
from distlab.checkpoints.resolve import resolve
from distlab.config.values import Arm, Study
from distlab.errors import Unavailable
from distlab.problems import (
    DatasetSpec,
    Exemplar,
    LoadedDataset,
    load_dataset,
    load_exemplars,
    published_problems,
)
from distlab.sampling.planned import PlannedCell
from distlab.sampling.prepare import (
    PromptSetting,
    TokenizedCheckpoint,
    check_shown,
    render_cells,
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
        self._gaps: dict[str, None] = {}
        self._loaded: dict[Checkpoint, TokenizedCheckpoint] = {}

    def run(self) -> Survey:
        datasets, counts = self._datasets()
        if len(datasets) == len(counts):
            check_shown(self._shown, datasets)
        pools = self._pools(datasets)
        cells = tuple(self._cells(datasets, counts, pools))
        notes = tokenizer_notes(list(self._loaded.values()))
        return Survey(cells, datasets, tuple(self._gaps), notes)

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
                self._gaps[str(error)] = None
                counts[spec.name] = known
        return datasets, counts

    def _pools(self, datasets: Mapping[str, LoadedDataset]) -> dict[str, tuple[Exemplar, ...]]:
        """Exemplars of the datasets that few-shot prompts can be made for."""
        if not any(style.shots for style in self._study.prompts):
            return {}
        pools = {}
        for spec in self._study.datasets:
            if spec.name in datasets and (pool := self._pool(spec)) is not None:
                pools[spec.name] = pool
        return pools

    def _pool(self, spec: DatasetSpec) -> tuple[Exemplar, ...] | None:
        try:
            return load_exemplars(spec)
        except Unavailable as error:
            self._gaps[str(error)] = None
            return None

    def _cells(
        self,
        datasets: Mapping[str, LoadedDataset],
        counts: Mapping[str, int],
        pools: Mapping[str, tuple[Exemplar, ...]],
    ) -> Iterator[PlannedCell | Unrendered]:
        for variant in self._study.variants:
            made = self._tokenized(variant, needed=bool(datasets))
            for name, style in product(counts, self._study.prompts):
                at_hand = name in datasets and (not style.shots or name in pools)
                if made is None or not at_hand:
                    yield from self._unrendered(variant, name, style.name, counts[name])
                    continue
                pool = pools.get(name, ())
                setting = PromptSetting(datasets[name], pool, style, variant, made)
                yield from render_cells(self._study, self._store, setting, self._shown)

    def _unrendered(
        self, variant: Variant, dataset: str, prompt: str, problems: int
    ) -> Iterator[Unrendered]:
        arms = (arm for arm in self._study.arms if arm.variant == variant)
        yield from (Unrendered(arm, dataset, prompt, problems) for arm in arms)

    def _tokenized(self, variant: Variant, *, needed: bool) -> TokenizedCheckpoint | None:
        """The variant's tokenizer; where nothing is to be rendered only the checkpoint is tried."""
        family = self._study.family
        try:
            checkpoint = resolve(family.checkpoints[variant])
            if not needed:
                return None
            if checkpoint not in self._loaded:
                self._loaded[checkpoint] = TokenizedCheckpoint.of(checkpoint, family)
            return self._loaded[checkpoint]
        except Unavailable as error:
            self._gaps[str(error)] = None
            return None
