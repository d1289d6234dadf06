"""The pages: a request's parameters in, HTML out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from distlab.errors import UserError
from distlab.escape import plain
from distlab.problems import Problem
from distlab.runs.pairing import arm_pairs
from distlab.scoring.types import Verdict
from distlab.store.cell import Cell
from distlab.view import shown
from distlab.view.first_tokens import FirstTokenTexts
from distlab.view.index import PAGE, VERDICT_NAMES, RunIndex
from distlab.view.samples import Filter, ProblemCount, SampleId, SampleRow, StoredSample
from distlab.view.texts import Texts

# What the list of problems can be narrowed to, by what arms solve.
SOLVED: Final[Mapping[str, str]] = {
    "": "all problems",
    "some": "solved by some arms, not by others",
    "all": "solved by every arm",
    "none": "solved by no arm",
}
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
        excerpt: Its text beside others; None where it is gone.
        first_token: A branch's first token as text, or None.
        url: Address of the sample's page.
    """

    row: SampleRow
    stored: StoredSample | None
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


class Pages:
    """Every page of one run."""

    def __init__(self, index: RunIndex, texts: Texts, tokens: FirstTokenTexts) -> None:
        self._index = index
        self._texts = texts
        self._tokens = tokens
        self._jinja = Environment(
            loader=PackageLoader("distlab.view"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=shown.finalize,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals |= {
            "url": url,
            "run": index.manifest.run,
            "problem_url": problem_url,
            "extractors": index.extractors,
            "graders": index.graders,
        }
        self._jinja.filters |= {
            "short": plain,
            "block": shown.block,
            "exact": lambda text: Markup(escape(text)),
            "count": lambda number: f"{number:,}",
        }

    def overview(self, request: Request) -> Response:
        """Cells with their numbers, and what the run says of itself."""
        return self._render(
            "overview.html",
            manifest=self._index.manifest,
            counts=self._index.cell_counts(),
            left_out=self._index.left_out(),
        )

    def samples(self, request: Request) -> Response:
        """A list of samples under a filter."""
        wanted = self._filter(request.query_params)
        total = self._index.count(wanted)
        page = _page(request.query_params, total)
        rows = self._index.page(wanted, page)
        names = _named(wanted)
        return self._render(
            "samples.html",
            form=self._form(wanted),
            wanted=wanted,
            total=total,
            first=PAGE * (page - 1) + 1,
            rows=[(row, sample_url(row.id, names)) for row in rows],
            pager=_pager("/samples", names, page, total),
        )

    def problems(self, request: Request) -> Response:
        """A list of problems, with what each cell solves."""
        query = request.query_params
        wanted = replace(self._filter(query), verdict="", disagree="", truncated="")
        extractor = wanted.extractor or self._index.extractors[0]
        grader = wanted.grader or self._index.graders[0]
        solved = _one_of(query, "solved", tuple(SOLVED))
        found = [
            row
            for row in self._index.problem_counts(wanted, extractor, grader)
            if _is_solved(row, solved)
        ]
        page = _page(query, len(found))
        rows = found[PAGE * (page - 1) : PAGE * page]
        names = {**_named(wanted), "solved": solved}
        return self._render(
            "problems.html",
            form=self._form(wanted),
            wanted=wanted,
            solved=solved,
            choices=SOLVED,
            extractor=extractor,
            grader=grader,
            total=len(found),
            first=PAGE * (page - 1) + 1,
            rows=rows,
            cells=[
                cell for cell in self._index.cells if any(cell.key in row.counts for row in rows)
            ],
            pager=_pager("/problems", names, page, len(found)),
        )

    def problem(self, request: Request) -> Response:
        """Two cells side by side on one problem."""
        query = request.query_params
        problem = self._problem(query.get("dataset", ""), query.get("id", ""))
        here = [cell for cell in self._index.cells if cell.dataset == problem.dataset]
        chosen = self._sides(query, here)
        rows = self._index.of_problem(problem, chosen)
        stored = self._texts.read(rows)
        extractor = _one_of(query, "extractor", ("", *self._index.extractors))
        sides = [self._side(cell, rows, stored, extractor) for cell in chosen]
        before, after = _around(self._index.problems, problem)
        kept = {"left": query.get("left", ""), "right": query.get("right", "")}
        return self._render(
            "problem.html",
            problem=problem,
            sides=sides,
            cells=here,
            extractor=extractor,
            before=before and problem_url(before, **_if_same(before, problem, kept)),
            after=after and problem_url(after, **_if_same(after, problem, kept)),
        )

    def sample(self, request: Request) -> Response:
        """One sample, whole."""
        query = request.query_params
        row = self._sample(query)
        wanted = self._filter(query)
        extractor = wanted.extractor
        (item,) = self._shown([row], self._texts.read([row]), extractor)
        if item.stored is None:
            raise HTTPException(404, "The store no longer holds this sample.")
        text = item.stored.text
        last = max(0, (len(text) - 1) // shown.CHUNK) + 1
        part = _number(query, "part", last)
        begin = shown.CHUNK * (part - 1)
        before, after = self._index.neighbours(row.number, wanted)
        names = _named(wanted)
        return self._render(
            "sample.html",
            item=item,
            row=row,
            prompt=self._texts.prompt(row, item.stored),
            text=shown.marked(
                text, shown.first_of(row.readings, extractor), begin, begin + shown.CHUNK
            ),
            characters=len(text),
            begin=begin,
            end=min(begin + shown.CHUNK, len(text)),
            last_part=last,
            part=part,
            part_url=lambda number: f"{sample_url(row.id, names)}&{urlencode({'part': number})}",
            raw_url=url("/text", **_names(row.id)),
            filtered=any(names.values()),
            list_url=url("/samples", **names),
            before=before and sample_url(before, names),
            after=after and sample_url(after, names),
        )

    def text(self, request: Request) -> Response:
        """A sample's text as it is, for a file."""
        row = self._sample(request.query_params)
        stored = self._texts.read([row]).get(row.id)
        if stored is None:
            raise HTTPException(404, "The store no longer holds this sample.")
        headers = {"Content-Disposition": 'attachment; filename="sample.txt"'}
        return Response(stored.text, media_type="text/plain", headers=headers)

    def complaint(self, request: Request, error: Exception) -> Response:
        """What is wrong with a request, in one sentence."""
        status, sentence = 500, str(error)
        if isinstance(error, HTTPException):
            status, sentence = error.status_code, error.detail
        return self._render("complaint.html", status=status, sentence=sentence)

    def _render(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        page = self._jinja.get_template(template).render(values, status=status)
        return HTMLResponse(page, status)

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
        }
        chosen = {name: _one_of(query, name, ("", *values)) for name, values in known.items()}
        return Filter(**chosen, text=query.get("text", "").strip())

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
        ]
        return [
            (
                name,
                label,
                [FilterOption(v, v) for v in dict.fromkeys(values)],
                getattr(wanted, name),
            )
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
            made.append(
                Shown(
                    row=row,
                    stored=text,
                    excerpt=(
                        shown.excerpt(text.text, shown.first_of(row.readings, extractor))
                        if text
                        else None
                    ),
                    first_token=None if token is None else self._tokens.text(row.cell, token),
                    url=sample_url(row.id, {}),
                )
            )
        return made


def guarded(page: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """A page whose bad input is a sentence with a status, not a traceback."""

    def answer(request: Request) -> Response:
        try:
            return page(request)
        except UserError as error:
            raise HTTPException(500, f"{error}.") from error

    return answer


def url(path: str, **parameters: str | int) -> str:
    """A path with its parameters, empty ones left out."""
    kept = {name: value for name, value in parameters.items() if value != ""}
    return f"{path}?{urlencode(kept, errors='replace')}" if kept else path


def sample_url(sample: SampleId, names: Mapping[str, str]) -> str:
    """The page of a sample; it goes on to the samples of the filter ``names``."""
    return url("/sample", **_names(sample), **names)


def problem_url(problem: Problem, **more: str) -> str:
    """The page of a problem."""
    return url("/problem", dataset=problem.dataset, id=problem.id, **more)


def _names(sample: SampleId) -> dict[str, str | int]:
    return {"cell": sample.cell, "problem": sample.problem, "rank": sample.rank}


def _named(wanted: Filter) -> dict[str, str]:
    return {field.name: getattr(wanted, field.name) for field in fields(wanted)}


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


def _pager(path: str, names: Mapping[str, str], page: int, total: int) -> dict[str, object]:
    last = max(1, -(-total // PAGE))

    def at(number: int) -> str:
        return url(path, **names, page=number) if 1 <= number <= last else ""

    return {"page": page, "last": last, "before": at(page - 1), "after": at(page + 1)}


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
