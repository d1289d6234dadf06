"""What the site has beside the pages here: the README as home, and a reference of the config."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from distlab.list.keys import ConfigKey, config_keys

README = Path(__file__).parents[1] / "README.md"
HEADER = """# Config

Every key that `distlab run` and the other commands take, as the schema has it. A key without a
default is given by the files of its group (`conf/GROUP/NAME.yaml`) or worked out. `NAME` stands for
the name of an entry, `[]` for an item of a list. `distlab list keys` prints the same.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    home = README.read_text(encoding="utf-8").replace("](docs/", "](")
    for name, content in (("index.md", home), ("config.md", "\n".join(reference()))):
        files.append(File.generated(config, name, content=content))
    return files


def reference() -> Iterator[str]:
    """Lines of the config's page: a table per group."""
    yield HEADER
    for group, keys in groupby(config_keys(), key=_group):
        yield from (f"## {group}", "", "| key | type | default | |", "| --- | --- | --- | --- |")
        yield from map(_row, keys)
        yield ""


def _group(key: ConfigKey) -> str:
    first, _, rest = key.path.partition(".")
    return first if rest else "study"


def _row(key: ConfigKey) -> str:
    default = "" if key.default is None else f"`{key.default}`"
    cells = (f"`{key.path}`", f"`{key.type}`".replace("|", "\\|"), default, key.comment)
    return f"| {' | '.join(cells)} |"
