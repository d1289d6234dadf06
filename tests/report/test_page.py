"""report.html in a real browser, over a study that fills every section with hostile text in it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from distlab.report import build_report, write_report
from distlab.report.findings import findings
from distlab.report.gap_table import headline_gaps
from distlab.report.page.words import glossed
from distlab.report.table import StudyTables
from tests.conftest import Watched
from tests.report.studies import write_run, write_sweep

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

# Time for a loaded machine to inflate plotly.js and draw; a quiet one takes two seconds.
PATIENCE_MS = 120_000
DOCS = Path(__file__).parents[2] / "docs"
SIZES = {"desktop": (1100, 900), "phone": (375, 700)}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyTables:
    return build_report(write_sweep(tmp_path_factory.mktemp("sweep")))


@pytest.fixture(scope="module")
def page(study: StudyTables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("report"), study)


@pytest.fixture
def opened(watched: Watched, page: Path) -> Iterator[Watched]:
    watched.page.set_default_timeout(PATIENCE_MS)
    watched.page.goto(page.as_uri())
    watched.page.wait_for_selector("html[data-ready]")
    yield watched
    # Whatever a test did, nothing failed and nothing was asked for but the page itself.
    assert watched.errors == []
    assert watched.requests == [page.as_uri()]


def draw_all(opened: Watched) -> None:
    """Figures are drawn when they come near the screen: pass by all of them."""
    opened.page.evaluate(
        """async () => {
          for (const folded of document.querySelectorAll("details:has(figure)")) folded.open = true;
          for (const figure of document.querySelectorAll("figure")) {
            figure.scrollIntoView();
            while (!("drawn" in figure.dataset)) await new Promise((go) => setTimeout(go, 20));
          }
        }"""
    )


def test_every_figure_has_marks(opened: Watched, study: StudyTables) -> None:
    drawn = [chart for finding in findings(study) for chart in finding.charts]
    draw_all(opened)
    marks = opened.page.eval_on_selector_all(
        ".plot",
        "plots => plots.map(p => p.querySelectorAll("
        "'.scatterlayer .point, .barlayer .point, .heatmaplayer image, .hm').length)",
    )
    assert len(marks) == len(drawn) >= 10
    assert min(marks) > 0
    assert opened.page.locator(".picture:visible").count() == 0


def test_planted_script_stays_text(opened: Watched) -> None:
    opened.page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert opened.page.evaluate("window.owned") is None
    assert opened.page.locator("img").count() == 0
    text = opened.page.inner_text("body")
    assert text.count("<script>window.owned = 1;") > 10
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("size", SIZES)
def test_page_is_no_wider_than_the_screen(opened: Watched, size: str) -> None:
    width, height = SIZES[size]
    opened.page.set_viewport_size({"width": width, "height": height})
    draw_all(opened)
    opened.page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(opened: Watched, scheme: str) -> None:
    draw_all(opened)
    opened.page.emulate_media(color_scheme=scheme)
    # Figures take the colours of the theme a moment after the page does.
    opened.page.wait_for_timeout(500)
    opened.page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    # WCAG 2: relative luminance, and 4.5 to 1 for text.
    low = opened.page.evaluate(
        """() => {
          const rgb = (c) => c.match(/[0-9.]+/g).map(Number);
          const light = (c) => c.slice(0, 3).map((v) => v / 255)
            .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = (e) => { for (; e; e = e.parentElement) {
            const c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
          const ratio = (e, colour) => { const [a, b] = [light(rgb(colour)), light(behind(e))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
          const kinds = "p, li, td, th, a, h1, h2, summary, caption";
          const texts = [...document.querySelectorAll(kinds)];
          const plots = [...document.querySelectorAll(".xtick text, .ytick text, .legendtext")];
          return Math.min(...texts.map((e) => ratio(e, getComputedStyle(e).color)),
            ...plots.map((e) => ratio(document.body, getComputedStyle(e).fill)));
        }"""
    )
    assert low >= 4.5


def test_keyboard_and_screen_reader(opened: Watched, study: StudyTables) -> None:
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "skip"
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "answers"
    for finding in findings(study):
        heading = opened.page.get_by_role("heading", name=finding.question, exact=True)
        # Questions without an answer stand in one list, and keep their address.
        assert heading.count() == int(finding.has_answer)
        assert opened.page.locator(f"h2#{finding.name}, #cannot ~ ul #{finding.name}").count() == 1
    for selector, wanted in {
        "table": "caption",
        "figure": "figcaption",
    }.items():
        assert opened.page.locator(f"{selector}:not(:has({wanted}))").count() == 0
    unnamed = "[role=img]:not([aria-label]), [role=region]:not([aria-label])"
    assert opened.page.locator(unnamed).count() == 0
    assert opened.page.locator("th:not([scope])").count() == 0
    ids = opened.page.eval_on_selector_all("main [id]:not(svg *)", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_prints_pictures_on_white(opened: Watched) -> None:
    draw_all(opened)
    opened.page.emulate_media(media="print", color_scheme="dark")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    figures = opened.page.locator("figure").count()
    assert opened.page.locator(".picture svg:visible").count() == figures
    assert opened.page.locator(".plot:visible").count() == 0
    assert opened.page.locator("details:not([open])").count() == 0
    assert opened.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_pictures_stay_without_scripts(chromium: object, page: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    silent = context.new_page()
    silent.goto(page.as_uri())
    folded = silent.locator("details figure").count()
    shown = silent.locator("figure").count() - folded
    assert silent.locator(".picture svg:visible").count() == shown > 0
    assert silent.locator(".plot:visible").count() == 0
    context.close()


def test_screenshot(watched: Watched, tmp_path: Path) -> None:
    """What docs/report.md shows; DISTLAB_WRITE_GOLDEN=1 puts it there."""
    run = tmp_path / "run"
    write_run(run, "qwen3-8b", ("zero-shot",), "made-up verdicts", ("gsm8k",))
    page = write_report(run, build_report(run))
    watched.page.set_default_timeout(PATIENCE_MS)
    watched.page.set_viewport_size({"width": 860, "height": 1200})
    watched.page.goto(page.as_uri())
    watched.page.wait_for_selector("figure[data-drawn]")
    shot = watched.page.locator("section").first.screenshot(type="png")
    assert shot.startswith(b"\x89PNG")
    assert len(shot) > 50_000
    keep(shot, DOCS / "report.png")


def test_screenshot_of_the_scoreboard(opened: Watched) -> None:
    """What the README shows first: from the title to the end of the table."""
    opened.page.set_viewport_size({"width": 1100, "height": 1000})
    end = opened.page.locator(".board").bounding_box()
    assert end is not None
    clip = {"x": 0.0, "y": 0.0, "width": 1100.0, "height": end["y"] + end["height"] + 8}
    keep(opened.page.screenshot(type="png", clip=clip), DOCS / "scoreboard.png")  # type: ignore[arg-type]


def keep(shot: bytes, file: Path) -> None:
    if os.environ.get("DISTLAB_WRITE_GOLDEN"):
        file.write_bytes(shot)
    assert file.is_file()


def test_settings_in_sentences_are_code_and_still_escaped() -> None:
    said = glossed("run with -m seed=0,1,2, or prompt=[zero-shot,a<b>]; p = 0.003.", set())
    assert said == (
        "run with <code>-m seed=0,1,2</code>, or <code>prompt=[zero-shot,a&lt;b&gt;]</code>; "
        "p = 0.003."
    )


def test_one_small_file_that_names_no_address(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert len(html.encode()) < 5_000_000
    assert "<script>window.owned" not in html
    # Addresses in attributes would be followed; namespaces are not addresses.
    found = re.findall(r"""(?:src|href|action|srcset|xlink:href)=["']([^"']*)""", html)
    assert found
    # Pages of the view stand beside the report where it serves it, and are hidden elsewhere.
    beside = ("#", "data:", "samples?", "problems?")
    assert {link for link in found if not link.startswith(beside)} == {"./"}


@pytest.mark.parametrize("size", SIZES)
def test_the_first_screen_answers(opened: Watched, study: StudyTables, size: str) -> None:
    width, height = SIZES[size]
    opened.page.set_viewport_size({"width": width, "height": height})
    first = opened.page.locator("header")
    assert first.locator("h1").inner_text() == "tiny, qwen3-8b, huge: base and instruct"
    lead, scoreboard = first.locator(".lead"), first.locator(".board")
    said = lead.inner_text()
    assert said.startswith("18 comparisons of 3 families. In Pass@4, which arm solves more cannot")
    assert "In pass@1, the base arm solves more in 7 of 18; " in said
    assert " 0 of 18" not in said
    assert scoreboard.locator("td a").first.inner_text().count("pass@1") == 1
    for seen in (lead, scoreboard):
        box = seen.bounding_box()
        assert box is not None
        assert box["y"] < height
    assert first.locator("#warnings > .warning").count() == 3
    # All questions, before anything is opened.
    assert opened.page.evaluate("document.documentElement.scrollHeight") < 12_000
    links = scoreboard.locator("a")
    assert links.count() == len(headline_gaps(study)) == 18
    # Each leads to the answer of its own setting.
    for link in links.all():
        where, _, _ = str(link.get_attribute("aria-label")).partition(": ")
        answer = opened.page.locator(str(link.get_attribute("href")))
        assert str(answer.text_content()).strip().startswith(f"{where}: ")


def test_a_table_shows_its_keys_sorts_and_is_copied(opened: Watched) -> None:
    box = opened.page.locator(".table[data-name=gaps]")
    box.evaluate("box => { box.closest('details').open = true; }")
    titles = box.locator("th:visible").all_inner_texts()
    assert [title for title in titles if title in ("base", "instruct", "gap (95 %)", "p")] == [
        "base",
        "instruct",
        "gap (95 %)",
        "p",
    ]
    assert "detectable" not in titles
    rows = box.locator("tbody tr")
    gaps = [float(text.split()[0].replace("−", "-")) for text in column(rows, "gap (95 %)", box)]
    box.get_by_role("button", name="gap (95 %)").click()
    found = [float(text.split()[0].replace("−", "-")) for text in column(rows, "gap (95 %)", box)]
    assert found == sorted(gaps)
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box.get_by_role("button", name="Copy as LaTeX").click()
    box.get_by_text("Copied as LaTeX").wait_for()
    copied = opened.page.evaluate("navigator.clipboard.readText()")
    assert copied.count(r"\\") == rows.count() + 1
    assert r"gap (95 \%)" in copied
    box.get_by_label("more columns").check()
    assert "detectable" in box.locator("th:visible").all_inner_texts()


def column(rows: "Locator", title: str, box: "Locator") -> list[str]:
    place = box.locator("th").all_text_contents().index(title)
    return rows.locator(f"td:nth-child({place + 1})").all_text_contents()


def test_a_word_opens_what_it_means(opened: Watched) -> None:
    meaning = opened.page.locator("#word-judge")
    assert not meaning.is_visible()
    opened.page.locator("header .word", has_text="judge").click()
    assert "an extractor" in meaning.inner_text()


def test_a_cell_leads_to_its_answer_and_opens_it(opened: Watched) -> None:
    opened.page.locator(".board a").last.click()
    assert opened.page.locator("#gap-17").is_visible()
