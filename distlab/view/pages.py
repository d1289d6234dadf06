"""The pages: a request's parameters in, HTML out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response, StreamingResponse

from distlab.escape import plain
from distlab.problems import Problem
from distlab.runs.pairing import arm_pairs
from distlab.scoring.types import Verdict
from distlab.store.cell import Cell
from distlab.view import shown
from distlab.view.completions import Completions
from distlab.view.download import found_lines
from distlab.view.first_tokens import FirstTokenTexts
from distlab.view.index import ORDERS, PAGE, VERDICT_NAMES, RunIndex
from distlab.view.links import Links, sample_names
from distlab.view.samples import (
    Filter,
    JudgedAnswer,
    ProblemCount,
    SampleId,
    SampleRow,
    StoredSample,
)
from distlab.view.texts import Texts

# What the list of problems can be narrowed to, by what arms solve.
SOLVED: Final[Mapping[str, str]] = {
    "": "all problems",
    "some": "solved by some arms, not by others",
    "all": "solved by every arm",
    "none": "solved by no arm",
}
# Orders of the list of problems.
PROBLEM_ORDERS: Final[Mapping[str, str]] = {
    "": "as in the dataset",
    "apart": "arms furthest apart first",
    "easiest": "most solved first",
    "hardest": "least solved first",
}
_STRATUM: Final = "stratum."
# Seconds that a page waits for texts to be read before it says so (ours).
_PATIENCE: Final = 2.0
# Samples up to which a list can be copied (ours); more are downloaded.
_MOST_COPIED: Final = 1_000
_SPLITS: Final = ("graders", "extractors")
_YES_NO: Final = ("yes", "no")


@dataclass(frozen=True, slots=True)
class FilterOption:
    """A choice of a filter."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample with its text, as pages show it.

    Attributes:
        row: The sample as lists show it.
        stored: What the store has of it; None where it is gone.
        thinking: Its reasoning beside others; None where it has none.
        excerpt: The rest of its text beside others; None where it is gone.
        first_token: A branch's first token as text, or None.
        url: Address of the sample's page.
    """

    row: SampleRow
    stored: StoredSample | None
    thinking: shown.Excerpt | None
    excerpt: shown.Excerpt | None
    first_token: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Side:
    """One cell's samples of a problem.

    Attributes:
        cell: The cell.
        correct: (extractor, grader) to correct samples.
        samples: The samples, by rank.
    """

    cell: Cell
    correct: Mapping[tuple[str, str], int]
    samples: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that is looked at.

    Attributes:
        index: Its verdicts.
        texts: Its samples in the store.
        tokens: Its tokenizers, where they are on this machine.
        completions: Its texts, to be searched.
        links: Where its pages are.
    """

    index: RunIndex
    texts: Texts
    tokens: FirstTokenTexts
    completions: Completions
    links: Links

    @classmethod
    def open(cls, run: Path, links: Links, store: str | None = None) -> "OpenRun":
        """Read a run.

        Args:
            run: The run folder.
            links: Where links lead.
            store: Where its samples are; None for where it says, or beside it.

        Raises:
            UserError: It is no run folder, has no verdicts, its store is gone, or a file is
                damaged.
        """
        index = RunIndex.open(run, store)
        texts = Texts.open(index.manifest)
        tokens = FirstTokenTexts.open(index.manifest)
        return cls(index, texts, tokens, Completions(index.db, texts), links)


class Pages:
    """Every page of one run.

    Args:
        run: The run.
        others: The other runs that are looked at.
        policy: Content policy that stands in the pages, where no server sends one.
    """

    def __init__(self, run: OpenRun, others: Sequence[OpenRun] = (), policy: str = "") -> None:
        self._index = run.index
        self._texts = run.texts
        self._tokens = run.tokens
        self._completions = run.completions
        self._links = run.links
        self._others = others
        self._jinja = environment(run.links)
        self._jinja.globals |= {
            "policy": policy,
            "run": run.index.manifest.run,
            "extractors": run.index.extractors,
            "graders": run.index.graders,
        }

    def overview(self, query: QueryParams) -> Response:
        """Cells with their numbers, and what the run says of itself."""
        return self._render(
            "overview.html",
            manifest=self._index.manifest,
            counts=self._index.cell_counts(),
            left_out=self._index.left_out(),
        )

    def samples(self, query: QueryParams) -> Response:
        """A list of samples under a filter."""
        wanted = self._filter(query)
        if not self._can_search(wanted):
            return self._reading()
        total = self._index.count(wanted)
        page = _page(query, total)
        rows = self._index.page(wanted, page)
        names = _named(wanted)
        return self._render(
            "samples.html",
            form=self._form(wanted),
            wanted=wanted,
            orders={value: label for value, (label, _) in ORDERS.items()},
            total=total,
            first=PAGE * (page - 1) + 1,
            rows=[(row, self._links.sample(row.id, names)) for row in rows],
            download=self._links.page("download", **names),
            can_copy=0 < total <= _MOST_COPIED,
            pager=self._pager("samples", names, page, total),
        )

    def download(self, query: QueryParams) -> Response:
        """All samples of a filter, as a file of JSON lines."""
        wanted = self._filter(query)
        if not self._can_search(wanted):
            return self._reading()
        return StreamingResponse(
            found_lines(self._index, self._texts, wanted),
            media_type="application/x-ndjson",
            headers={"Content-Disposition": 'attachment; filename="samples.jsonl"'},
        )

    def problems(self, query: QueryParams) -> Response:
        """A list of problems, with what each cell solves."""
        wanted = replace(self._filter(query), verdict="", disagree="", truncated="", completion="")
        extractor = wanted.extractor or self._index.extractors[0]
        grader = wanted.grader or self._index.graders[0]
        solved = _one_of(query, "solved", tuple(SOLVED))
        order = _one_of(query, "sorted", tuple(PROBLEM_ORDERS))
        counted = self._index.problem_counts(replace(wanted, order=""), extractor, grader)
        found = _sorted([row for row in counted if _is_solved(row, solved)], order)
        page = _page(query, len(found))
        names = {**_named(wanted), "solved": solved, "sorted": order}
        return self._render(
            "problems.html",
            form=self._form(wanted),
            wanted=wanted,
            solved=solved,
            choices=SOLVED,
            sorted=order,
            orders=PROBLEM_ORDERS,
            first=PAGE * (page - 1) + 1,
            pager=self._pager("problems", names, page, len(found)),
            total=len(found),
            **self._counted(found[PAGE * (page - 1) : PAGE * page], extractor, grader),
        )

    def chosen_problems(self, chosen: Sequence[Problem], note: str) -> Response:
        """The list of problems of a site of files, which has no filters."""
        extractor, grader = self._index.extractors[0], self._index.graders[0]
        names = {(problem.dataset, problem.id) for problem in chosen}
        rows = [
            row
            for row in self._index.problem_counts(Filter(), extractor, grader)
            if (row.problem.dataset, row.problem.id) in names
        ]
        counted = self._counted(rows, extractor, grader)
        return self._render("problems.html", total=len(rows), first=1, note=note, **counted)

    def problem(self, query: QueryParams) -> Response:
        """Two cells side by side on one problem."""
        problem = self._problem(query.get("dataset", ""), query.get("id", ""))
        here = [cell for cell in self._index.cells if cell.dataset == problem.dataset]
        extractor = _one_of(query, "extractor", ("", *self._index.extractors))
        before, after = _around(self._index.problems, problem)
        kept = {"left": query.get("left", ""), "right": query.get("right", "")}
        return self._render(
            "problem.html",
            cells=here,
            extractor=extractor,
            before=before and self._links.problem(before, **_if_same(before, problem, kept)),
            after=after and self._links.problem(after, **_if_same(after, problem, kept)),
            **self._compared(problem, self._sides(query, here), extractor),
        )

    def chosen_problem(
        self, problem: Problem, before: Problem | None, after: Problem | None
    ) -> Response:
        """A problem with all of its cells, among those of a site of files."""
        here = [cell for cell in self._index.cells if cell.dataset == problem.dataset]
        return self._render(
            "problem.html",
            before=before and self._links.problem(before),
            after=after and self._links.problem(after),
            **self._compared(problem, here, ""),
        )

    def sample(self, query: QueryParams) -> Response:
        """One sample, whole."""
        row = self._sample(query)
        wanted = self._filter(query)
        if not self._can_search(wanted):
            return self._reading()
        extractor = wanted.extractor
        (item,) = self._shown([row], self._texts.read([row]), extractor)
        if item.stored is None:
            raise HTTPException(404, "The store no longer holds this sample.")
        before, after = self._index.neighbours(row.number, wanted)
        names = _named(wanted)
        part = _number(query, "part", _parts(item.stored.text))
        return self._render(
            "sample.html",
            item=item,
            row=row,
            prompt=self._texts.prompt(row, item.stored),
            part_url=lambda number: self._links.sample(row.id, {**names, "part": str(number)}),
            raw_url=self._links.page("text", **sample_names(row.id)),
            filtered=any(names.values()),
            list_url=self._links.page("samples", **names),
            before=before and self._links.sample(before, names),
            after=after and self._links.sample(after, names),
            **_part(item.stored, shown.first_of(row.readings, extractor), part),
        )

    def text(self, query: QueryParams) -> Response:
        """A sample's text as it is, for a file."""
        row = self._sample(query)
        stored = self._texts.read([row]).get(row.id)
        if stored is None:
            raise HTTPException(404, "The store no longer holds this sample.")
        headers = {"Content-Disposition": 'attachment; filename="sample.txt"'}
        return Response(stored.text, media_type="text/plain", headers=headers)

    def _render(self, template: str, **values: object) -> HTMLResponse:
        return HTMLResponse(self._jinja.get_template(template).render(values))

    def _can_search(self, wanted: Filter) -> bool:
        return not wanted.completion or self._completions.is_ready(_PATIENCE)

    def _reading(self) -> Response:
        """Texts are being read for a search; the page asks again."""
        done, total = self._completions.read, self._completions.total
        page = self._render("reading.html", done=done, total=total)
        page.headers["Refresh"] = "2"
        return page

    def _pager(
        self, name: str, names: Mapping[str, str], page: int, total: int
    ) -> dict[str, object]:
        last = max(1, -(-total // PAGE))

        def at(number: int) -> str:
            inside = 1 <= number <= last
            return self._links.page(name, **names, page=number) if inside else ""

        return {"page": page, "last": last, "before": at(page - 1), "after": at(page + 1)}

    def _counted(
        self, rows: Sequence[ProblemCount], extractor: str, grader: str
    ) -> dict[str, object]:
        """What a list of problems shows of them."""
        seen = {key for row in rows for key in row.counts}
        cells = [cell for cell in self._index.cells if cell.key in seen]
        return {"rows": rows, "cells": cells, "extractor": extractor, "grader": grader}

    def _compared(
        self, problem: Problem, cells: Sequence[Cell], extractor: str
    ) -> dict[str, object]:
        """What a problem's page shows of it."""
        rows = self._index.of_problem(problem, cells)
        stored = self._texts.read(rows)
        return {
            "problem": problem,
            "sides": [self._side(cell, rows, stored, extractor) for cell in cells],
            "elsewhere": [
                (other.index.manifest.run, other.links.problem(same))
                for other in self._others
                if (same := other.index.problem(problem.dataset, problem.id))
            ],
        }

    def _filter(self, query: QueryParams) -> Filter:
        """The filter of a request.

        Raises:
            HTTPException: A value is none that the run has.
        """
        cells = self._index.cells
        known = {
            "arm": [cell.arm for cell in cells],
            "family": [cell.family for cell in cells],
            "dataset": [cell.dataset for cell in cells],
            "prompt": [cell.prompt for cell in cells],
            "verdict": VERDICT_NAMES,
            "extractor": self._index.extractors,
            "grader": self._index.graders,
            "disagree": _SPLITS,
            "truncated": _YES_NO,
            "order": tuple(ORDERS),
        }
        chosen = {name: _one_of(query, name, ("", *values)) for name, values in known.items()}
        strata = [
            (name, value)
            for name, values in self._index.strata().items()
            if (value := _one_of(query, f"{_STRATUM}{name}", ("", *values)))
        ]
        return Filter(
            **chosen,
            text=query.get("text", "").strip(),
            completion=query.get("completion", "").strip(),
            strata=tuple(strata),
        )

    def _form(self, wanted: Filter) -> list[tuple[str, str, list[FilterOption], str]]:
        """Name, label, choices and value of each select; one without a choice is left out."""
        cells = self._index.cells
        made = [
            ("arm", "arm", [cell.arm for cell in cells]),
            ("family", "family", [cell.family for cell in cells]),
            ("dataset", "dataset", [cell.dataset for cell in cells]),
            ("prompt", "prompt", [cell.prompt for cell in cells]),
            ("verdict", "verdict", list(VERDICT_NAMES)),
            ("extractor", "by extractor", list(self._index.extractors)),
            ("grader", "by grader", list(self._index.graders)),
            ("disagree", "disagreement of", list(_SPLITS)),
            ("truncated", "truncated", list(_YES_NO)),
            *(
                (f"{_STRATUM}{name}", name, list(values))
                for name, values in self._index.strata().items()
            ),
        ]
        now = _named(wanted)
        return [
            (name, label, [FilterOption(v, v) for v in dict.fromkeys(values)], now.get(name, ""))
            for name, label, values in made
            if len(set(values)) > 1
        ]

    def _problem(self, dataset: str, name: str) -> Problem:
        found = self._index.problem(dataset, name)
        if found is None:
            raise HTTPException(404, f"The run has no problem {name!r} in dataset {dataset!r}.")
        return found

    def _sample(self, query: QueryParams) -> SampleRow:
        rank = query.get("rank", "")
        if not (rank.isascii() and rank.isdigit() and len(rank) < 10):
            raise HTTPException(400, f"rank is {rank!r}: give a whole number from 0.")
        wanted = SampleId(query.get("cell", ""), query.get("problem", ""), int(rank))
        found = self._index.sample(wanted)
        if found is None:
            raise HTTPException(
                404,
                f"The run has no sample of rank {wanted.rank} of problem {wanted.problem!r} "
                f"in {wanted.cell!r}.",
            )
        return found

    def _sides(self, query: QueryParams, here: Sequence[Cell]) -> list[Cell]:
        """The cells to show: those asked for, else the study's two arms."""
        by_key = {cell.key: cell for cell in here}
        pair = next(arm_pairs(here), None)
        default = (pair.base, pair.instruct) if pair else tuple(here[:2])
        asked = [_one_of(query, name, ("", *by_key)) for name in ("left", "right")]
        chosen = [
            by_key[key] if key else cell
            for key, cell in zip(asked, (*default, *default)[:2], strict=True)
        ]
        return list(dict.fromkeys(chosen))

    def _side(
        self,
        cell: Cell,
        rows: Sequence[SampleRow],
        stored: Mapping[SampleId, StoredSample],
        extractor: str,
    ) -> Side:
        mine = [row for row in rows if row.cell == cell]
        correct = {
            (reading.extractor, grader): 0
            for row in mine
            for reading in row.readings
            for grader in reading.verdicts
        }
        for row in mine:
            for reading in row.readings:
                for grader, verdict in reading.verdicts.items():
                    correct[reading.extractor, grader] += verdict == Verdict.CORRECT
        return Side(cell, correct, tuple(self._shown(mine, stored, extractor)))

    def _shown(
        self,
        rows: Sequence[SampleRow],
        stored: Mapping[SampleId, StoredSample],
        extractor: str,
    ) -> list[Shown]:
        made = []
        for row in rows:
            text = stored.get(row.id)
            token = text.first_token if text else None
            reading = shown.first_of(row.readings, extractor)
            end = text.thinking_end if text else None
            made.append(
                Shown(
                    row=row,
                    stored=text,
                    thinking=shown.excerpt(text.text, reading, 0, end) if text and end else None,
                    excerpt=shown.excerpt(text.text, reading, end or 0) if text else None,
                    first_token=None if token is None else self._tokens.text(row.cell, token),
                    url=self._links.sample(row.id, {}),
                )
            )
        return made


def environment(links: Links) -> Environment:
    """Templates with what all pages use."""
    made = Environment(
        loader=PackageLoader("distlab.view"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"to": links, "policy": ""}
    made.filters |= {
        "short": plain,
        "block": shown.block,
        "drawn": shown.drawn,
        "rendered": shown.rendered,
        "exact": lambda text: Markup(escape(text)),
        "count": lambda number: f"{number:,}",
        "breakable": _breakable,
        "share": _share,
    }
    return made


def _breakable(text: str) -> Markup:
    """A label that may be broken after a slash and nowhere inside a word."""
    return Markup("/<wbr>").join(map(shown.block, text.split("/")))


def _share(right: int, judged: int) -> str:
    """A class of the style sheet for how many samples are right: none, few, many or all."""
    if right in (0, judged):
        return "all" if right else "none-right"
    return "many" if 2 * right >= judged else "few"


def _named(wanted: Filter) -> dict[str, str]:
    """A filter as parameters of an address."""
    labels = [field.name for field in fields(wanted) if field.name != "strata"]
    strata = {f"{_STRATUM}{name}": value for name, value in wanted.strata}
    return {**{name: getattr(wanted, name) for name in labels}, **strata}


def _parts(text: str) -> int:
    """Parts that a sample's page is shown in."""
    return max(0, (len(text) - 1) // shown.CHUNK) + 1


def _part(stored: StoredSample, reading: JudgedAnswer | None, part: int) -> dict[str, object]:
    """One part of a sample, its reasoning apart."""
    text = stored.text
    begin, end = shown.CHUNK * (part - 1), min(shown.CHUNK * part, len(text))
    answer = min(max(stored.thinking_end or 0, begin), end)
    return {
        "thinking": shown.marked(text, reading, begin, answer),
        "text": shown.marked(text, reading, answer, end),
        "characters": len(text),
        "begin": begin,
        "end": end,
        "part": part,
        "last_part": _parts(text),
    }


def _one_of(query: QueryParams, name: str, known: Sequence[str]) -> str:
    value = query.get(name, "")
    if value not in known:
        choices = ", ".join(dict.fromkeys(choice for choice in known if choice))
        raise HTTPException(400, f"{name} is {value!r}, which the run does not have: {choices}.")
    return value


def _number(query: QueryParams, name: str, last: int) -> int:
    value = query.get(name, "1")
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= last):
        raise HTTPException(404, f"There is no {name} {value!r}: there are {last:,}.")
    return int(value)


def _page(query: QueryParams, total: int) -> int:
    return _number(query, "page", max(1, -(-total // PAGE)))


def _sorted(rows: list[ProblemCount], order: str) -> list[ProblemCount]:
    """Problems in one of ``PROBLEM_ORDERS``; equal ones stay as they are in the dataset."""

    def shares(row: ProblemCount) -> list[float]:
        return [right / judged for right, judged in row.counts.values() if judged] or [0.0]

    match order:
        case "apart":
            return sorted(rows, key=lambda row: min(shares(row)) - max(shares(row)))
        case "easiest":
            return sorted(rows, key=lambda row: -sum(shares(row)) / len(shares(row)))
        case "hardest":
            return sorted(rows, key=lambda row: sum(shares(row)) / len(shares(row)))
        case _:
            return rows


def _is_solved(row: ProblemCount, how: str) -> bool:
    solved = [right > 0 for right, judged in row.counts.values() if judged]
    match how:
        case "some":
            return any(solved) and not all(solved)
        case "all":
            return bool(solved) and all(solved)
        case "none":
            return not any(solved)
        case _:
            return True


def _around(problems: Sequence[Problem], problem: Problem) -> tuple[Problem | None, Problem | None]:
    place = problems.index(problem)
    before = problems[place - 1] if place else None
    after = problems[place + 1] if place + 1 < len(problems) else None
    return before, after


def _if_same(other: Problem, problem: Problem, kept: Mapping[str, str]) -> Mapping[str, str]:
    """Cells are of one dataset: the choice of sides holds within it."""
    return kept if other.dataset == problem.dataset else {}
