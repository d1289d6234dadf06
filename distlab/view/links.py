"""Where pages lead: addresses of a server, or files that lie beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlencode

from distlab.problems import Problem
from distlab.view.samples import SampleId

# Pages of a site of files, beside those of problems.
SITE_PAGES: Final = {"overview": "index.html", "problems": "problems.html", "report": "report.html"}


class Links(Protocol):
    """Addresses of pages; an empty one says that there is no such page."""

    @property
    def is_site(self) -> bool:
        """Whether the pages are files: then there are no filters and no pages of samples."""

    def page(self, name: str, **parameters: str | int) -> str:
        """A page by its name.

        Args:
            name: "overview", "samples", "problems", "problem", "sample", "report", "text",
                "download", or "runs" for that of several runs.
            parameters: What it is asked; empty ones are left out.
        """

    def problem(self, problem: Problem, **parameters: str) -> str:
        """The page of a problem."""

    def sample(self, sample: SampleId, names: Mapping[str, str]) -> str:
        """The page of a sample; it goes on to the samples of the filter ``names``."""

    def asset(self, name: str) -> str:
        """One of our own files."""


@dataclass(frozen=True, slots=True)
class ServerLinks:
    """Addresses of one run on a server.

    Attributes:
        root: What stands before its pages: empty, or a slash and a name.
        has_report: Whether the run has a page of its report.
    """

    root: str = ""
    has_report: bool = False

    @property
    def is_site(self) -> bool:
        """It is a server."""
        return False

    def page(self, name: str, **parameters: str | int) -> str:
        """See ``Links``."""
        if name == "runs":
            return "/" if self.root else ""
        if name == "report" and not self.has_report:
            return ""
        return url(f"{self.root}/{'' if name == 'overview' else name}", **parameters)

    def problem(self, problem: Problem, **parameters: str) -> str:
        """See ``Links``."""
        return self.page("problem", dataset=problem.dataset, id=problem.id, **parameters)

    def sample(self, sample: SampleId, names: Mapping[str, str]) -> str:
        """See ``Links``."""
        return self.page("sample", **sample_names(sample), **names)

    def asset(self, name: str) -> str:
        """See ``Links``."""
        return f"/static/{name}"


@dataclass(frozen=True, slots=True)
class SiteLinks:
    """Files of one folder.

    Attributes:
        problems: Dataset and id of a problem to its file.
        has_report: Whether the report lies beside them.
    """

    problems: Mapping[tuple[str, str], str]
    has_report: bool = False

    @property
    def is_site(self) -> bool:
        """They are files."""
        return True

    def page(self, name: str, **parameters: str | int) -> str:
        """See ``Links``."""
        if name == "report" and not self.has_report:
            return ""
        return SITE_PAGES.get(name, "")

    def problem(self, problem: Problem, **parameters: str) -> str:
        """See ``Links``."""
        return self.problems.get((problem.dataset, problem.id), "")

    def sample(self, sample: SampleId, names: Mapping[str, str]) -> str:
        """See ``Links``."""
        return ""

    def asset(self, name: str) -> str:
        """See ``Links``."""
        return name


def url(path: str, **parameters: str | int) -> str:
    """A path with its parameters, empty ones left out."""
    kept = {name: value for name, value in parameters.items() if value != ""}
    return f"{path}?{urlencode(kept, errors='replace')}" if kept else path


def sample_names(sample: SampleId) -> dict[str, str | int]:
    """A sample as parameters of an address."""
    return {"cell": sample.cell, "problem": sample.problem, "rank": sample.rank}
