"""The forms of an export, and the one that a name stands for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from distlab.api.opened import Run
from distlab.export.every_eval_ever import write_evaluations
from distlab.export.lm_eval import write_logs
from distlab.export.model_index import write_model_cards
from distlab.export.tables import write_csv, write_dataset

Write = Callable[[Run, Path], None]

HUB: Final = "hub"
FORMS: Final[Mapping[str, Write]] = {
    HUB: write_dataset,
    "every-eval-ever": write_evaluations,
    "model-index": write_model_cards,
    "csv": write_csv,
    "lm-eval": write_logs,
}
