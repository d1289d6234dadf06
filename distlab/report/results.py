"""StudyTables in; ``results/``: every table as Parquet, CSV, Markdown and LaTeX."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distlab.files import whole
from distlab.report.table import StudyTables
from distlab.tables.flat import csv_text
from distlab.tables.latex import latex_table
from distlab.tables.markdown import table as markdown_table


def write_results(folder: Path, study: StudyTables) -> None:
    """Write every table with rows, and remove those of an earlier report that have none now.

    Parquet and CSV hold plain numbers (shares, not per cent); Markdown and LaTeX hold the figures
    as people read them, ready for a paper. A CSV cell that a spreadsheet would run as a formula
    gets an apostrophe in front; Parquet holds the text as it is.

    Args:
        folder: The run's ``results/``; made if absent.
        study: The tables.
    """
    folder.mkdir(exist_ok=True)
    for table in study.tables:
        files = [folder / f"{table.name}.{kind}" for kind in ("parquet", "csv", "md", "tex")]
        records = table.as_records(study)
        if not records:
            for file in files:
                file.unlink(missing_ok=True)
            continue
        parquet, *others = files
        with whole(parquet) as stream:
            pq.write_table(pa.Table.from_pylist(records), stream)
        text = table.as_text(study)
        written = (csv_text(records), markdown_table(text), latex_table(text))
        for file, content in zip(others, written, strict=True):
            with whole(file) as stream:
                stream.write(content.encode())
