"""Entries that people add under a name: datasets, prompt styles, extractors, graders, splits.

Hydra cannot add to a dictionary of dataclasses from the command line, so the schema leaves these
dictionaries untyped, and their entries get their types here.
"""

import copy
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from distlab.config.refusal import refuse, type_fault
from distlab.config.schema import ComponentConfig, DatasetConfig, ParallelConfig, PromptConfig
from distlab.errors import UserError, nearest

# The dictionaries, and what each of their entries is.
ENTRIES: Final[Mapping[str, type]] = {
    "dataset.sets": DatasetConfig,
    "prompt.styles": PromptConfig,
    "extractor.use": ComponentConfig,
    "grader.use": ComponentConfig,
    "model.parallel": ParallelConfig,
}


def typed_entries(config: DictConfig) -> DictConfig:
    """A copy of a composed config, or of some of its groups, with typed entries.

    Raises:
        UserError: An entry is no mapping, or a key or a value of it is not as the schema has it.
    """
    made = copy.deepcopy(config)
    for path, schema in ENTRIES.items():
        if (entries := OmegaConf.select(made, path)) is not None:
            for name in entries:
                entries[name] = typed(f"{path}.{name}", schema, entries[name])
    return made


def typed(key: str, schema: type, raw: Any) -> Any:  # noqa: ANN401 (whatever was typed)
    """An entry with its types.

    Args:
        key: Of the entry, for the sentence.
        schema: The dataclass that it is.
        raw: As it was given.

    Raises:
        UserError: It is no mapping, or a key or a value of it is not as the schema has it.
    """
    known = [field.name for field in fields(schema)]
    if not OmegaConf.is_dict(raw):
        refuse(key, raw, f"write it as {{{known[0]}: ...}}")
    try:
        return OmegaConf.merge(OmegaConf.structured(schema), raw)
    except ConfigKeyError as error:
        raise UserError(
            f"there is no key '{key}.{error.key}'{nearest(str(error.key), known)}"
        ) from error
    except OmegaConfBaseException as error:
        line = str(error).splitlines()[0]
        fault = type_fault(f"{key}.{error.full_key}", raw.get(error.full_key), line)
        raise UserError(fault or f"`{key}.{error.full_key}` cannot be set: {line}") from error
