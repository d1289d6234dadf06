"""A run's pages as a folder of files, for any web server or the Hub.

Not all of a run: some problems, each with all of its samples, as many as fit the size that was
asked for. Which ones goes by a hash of their names, so that nobody chose them by what was solved,
and the pages say how many of how many there are.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

from starlette.datastructures import QueryParams

from distlab.errors import UserError
from distlab.files import written_once
from distlab.problems import Problem
from distlab.runs.folder import RunFolder
from distlab.view.app import ASSETS, POLICY
from distlab.view.links import SITE_PAGES, SiteLinks
from distlab.view.pages import OpenRun, Pages

# Problems that a site has at most (ours): a list without pages, in a folder that the Hub takes.
_MOST_PROBLEMS: Final = 2_000
# Bytes of our own files and of the two lists, per problem of the list: an upper bound (ours).
_PER_ROW: Final = 4_000


@dataclass(frozen=True, slots=True)
class Site:
    """What was written.

    Attributes:
        folder: Where.
        problems: Problems in it.
        of: Problems that the run has.
        size: Bytes of all files.
    """

    folder: Path
    problems: int
    of: int
    size: int


def write_site(run: Path, folder: Path, most_bytes: int, store: str | None = None) -> Site:
    """Write a run's pages.

    Args:
        run: The run folder.
        folder: Must not be there yet; it appears whole or not at all.
        most_bytes: Bytes that all files together may have.
        store: Where the samples are; None for where the run says, or beside it.

    Raises:
        UserError: The run cannot be read, the folder is there, or not one problem fits.
    """
    if folder.exists():
        raise UserError(f"{folder} is there already: name a new folder for the pages")
    report = RunFolder(run).html
    opened = OpenRun.open(run, SiteLinks({}, has_report=report.is_file()), store)
    problems = drawn_by_lot(opened.index.problems)
    with written_once(folder) as draft:
        # A draft is ours alone; a web server reads what becomes of it.
        draft.chmod(0o755)
        for asset in ASSETS.iterdir():
            shutil.copyfile(asset, draft / asset.name)
        if report.is_file():
            shutil.copyfile(report, draft / SITE_PAGES["report"])
        taken = _size(draft)
        chosen = _fitting(opened, problems, most_bytes - taken)
        if not chosen:
            raise UserError(
                f"not one problem fits {most_bytes / 10**6:.0f} MB, of which the report and our "
                f"own files take {taken / 10**6:.1f}: give more --megabytes"
            )
        _write(opened, chosen, draft)
        size = _size(draft)
    return Site(folder, len(chosen), len(problems), size)


def drawn_by_lot(problems: Sequence[Problem]) -> list[Problem]:
    """Problems in the order of a hash of their names, one of each dataset in turn."""
    datasets: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=_lot):
        datasets.setdefault(problem.dataset, []).append(problem)
    turns = chain.from_iterable(zip_longest(*datasets.values()))
    return [problem for problem in turns if problem is not None]


def _lot(problem: Problem) -> str:
    name = f"{problem.dataset}\n{problem.id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(name).hexdigest()


def _fitting(run: OpenRun, problems: Sequence[Problem], room: int) -> list[Problem]:
    """The first problems whose pages fit, in the order of the run."""
    pages = _pages(run, {})
    chosen = []
    for problem in problems[:_MOST_PROBLEMS]:
        room -= len(pages.chosen_problem(problem, None, None).body) + _PER_ROW
        if room < 0:
            break
        chosen.append(problem)
    return sorted(chosen, key=run.index.problems.index)


def _pages(run: OpenRun, files: dict[tuple[str, str], str]) -> Pages:
    links = SiteLinks(files, run.links.page("report") != "")
    return Pages(OpenRun(run.index, run.texts, run.tokens, run.completions, links), policy=POLICY)


def _write(run: OpenRun, chosen: Sequence[Problem], folder: Path) -> None:
    names = {(one.dataset, one.id): f"problem-{n:04d}.html" for n, one in enumerate(chosen, 1)}
    pages = _pages(run, names)
    note = (
        f"{len(chosen):,} of {len(run.index.problems):,} problems, drawn by a hash of their names "
        "and not by what was solved; each with all of its samples, of which long ones are "
        "shortened."
    )
    (folder / SITE_PAGES["overview"]).write_bytes(pages.overview(QueryParams()).body)
    (folder / SITE_PAGES["problems"]).write_bytes(pages.chosen_problems(chosen, note).body)
    around = zip([None, *chosen[:-1]], chosen, [*chosen[1:], None], strict=True)
    for before, problem, after in around:
        page = pages.chosen_problem(problem, before, after)
        (folder / names[problem.dataset, problem.id]).write_bytes(page.body)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
