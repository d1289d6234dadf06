"""The pages in a real headless Chromium."""

import json
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

HOSTILE = urlencode({"dataset": "d", "id": "tricky/1&<b>"})
HOSTILE_TAIL = "Q: What is 2 + 2?\nA: The answer is 4."
BASE = "fam/base/cot/d/zero-shot"


class Watched(Protocol):
    """What the fixture ``watched`` gives."""

    page: Page
    errors: list[str]
    requests: list[str]


def sample(rank: int, problem: str = "tricky/1&<b>", cell: str = BASE) -> str:
    return "/sample?" + urlencode({"cell": cell, "problem": problem, "rank": rank})


PAGES = (
    "/",
    "/samples",
    "/samples?disagree=extractors",
    "/problems",
    f"/problem?{HOSTILE}",
    *(sample(rank) for rank in range(8)),
)


@pytest.fixture
def page(watched: Watched, address: str) -> Iterator[Page]:
    """A page that may go nowhere but to the server, and must not complain."""
    yield watched.page
    assert watched.errors == []
    strangers = [url for url in watched.requests if not url.startswith(address)]
    assert strangers == []


@pytest.mark.parametrize("path", PAGES)
def test_pages_load_without_a_complaint_and_run_no_script_of_the_samples(
    page: Page, address: str, path: str
) -> None:
    answer = page.goto(address + path)
    assert answer is not None
    assert answer.status == 200
    assert page.title().endswith("· run")
    assert page.locator("script").count() == 1
    assert page.locator("main img, main iframe, main h1").count() == 1


def test_a_planted_script_is_text(page: Page, address: str) -> None:
    page.goto(address + sample(0))
    assert page.locator(".whole").inner_text().startswith("<script>document.title = 'owned'")
    assert "<img src=x onerror=alert(1)>" in page.locator(".whole").inner_text()
    assert "<script>" in page.locator(".question").inner_text()


def test_controls_and_overrides_are_shown_and_not_obeyed(page: Page, address: str) -> None:
    page.goto(address + sample(1))
    assert page.locator(".whole").inner_text().startswith(r"\x1b[31mred\x1b]8;;http://evil")
    page.goto(address + sample(2))
    assert page.locator(".whole").inner_text() == (
        r"\u202egnp.exe\u2066 \u200bzero \x00nul \x85next \u2028line"
    )
    titles = [each.get_attribute("title") for each in page.locator(".unseen").all()]
    assert titles[0] == "RIGHT-TO-LEFT OVERRIDE"


def test_templates_in_a_sample_are_text(page: Page, address: str) -> None:
    page.goto(address + sample(3))
    assert page.locator(".whole").inner_text().startswith("{{ 7 * 7 }} {% raw %}")


def test_a_filter_filters(page: Page, address: str) -> None:
    page.goto(f"{address}/samples")
    assert page.locator("#total").inner_text() == "24"
    page.select_option("[name=arm]", "instruct/t0.6")
    page.select_option("[name=verdict]", "correct")
    page.fill("[name=text]", "times")
    page.get_by_role("button", name="Filter").click()
    assert page.locator("#total").inner_text() == "3"
    arms = [row.inner_text() for row in page.locator("tbody tr td:nth-child(2)").all()]
    assert len(arms) == 3
    assert all(arm.startswith("instruct/t0.6") for arm in arms)


def test_both_arms_stand_side_by_side_with_gold_answers_and_verdicts(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/problem?dataset=d&id=plain")
    sides = page.locator(".sides section")
    assert sides.count() == 2
    boxes = [sides.nth(place).bounding_box() for place in (0, 1)]
    assert boxes[0] and boxes[1] and boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] < boxes[1]["x"]
    assert page.locator(".gold").inner_text() == "12"
    assert [sides.nth(place).locator("article").count() for place in (0, 1)] == [4, 4]
    first = sides.nth(1).locator("article").first
    assert first.locator(".verdict.correct").count() == 4
    assert first.locator(".facts-line code").first.inner_text() == "12"
    assert first.locator("mark").inner_text() == "12"
    assert "Δ rules 0.250, uncut 0.250" in sides.nth(0).locator("article").nth(1).inner_text()
    assert "truncated" in sides.nth(0).locator("article").nth(1).inner_text()


def test_a_line_of_megabytes_is_short_in_lists_and_whole_on_its_page(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/problem?{HOSTILE}")
    assert len(page.content()) < 100_000
    page.locator("article", has_text="characters between").first.get_by_text("show all").click()
    assert "5,000,017 characters" in page.locator("#text").inner_text()
    assert len(page.locator(".whole").inner_text()) == 20_000
    page.goto(f"{address}{sample(6)}&part=251")
    assert page.locator(".whole").inner_text() == " The answer is 7."
    with page.expect_download() as download:
        page.get_by_text("download").click()
    assert download.value.path().stat().st_size == 5_000_017


def test_a_link_to_a_sample_leads_to_it_and_on(page: Page, address: str) -> None:
    page.goto(address + sample(1, "plain"))
    assert page.locator(".whole").inner_text() == "The answer is 13."
    page.keyboard.press("n")
    page.wait_for_url("**rank=2**")
    assert page.locator(".whole").inner_text() == "I do not know."
    page.keyboard.press("u")
    page.wait_for_url("**/problem?**")
    assert page.locator("h1").inner_text() == "plain"


def test_formulas_are_drawn_and_at_a_key_as_they_were_typed(page: Page, address: str) -> None:
    page.goto(f"{address}/problem?dataset=d&id=plain")
    assert page.locator(".question math").is_visible()
    assert "times" not in page.locator(".question").inner_text()
    page.keyboard.press("m")
    assert not page.locator(".question math").is_visible()
    page.goto(address + sample(1, "plain"))
    assert page.locator(".question").inner_text() == r"What is $3 \times 4$?"


def test_what_a_filter_found_is_copied(page: Page, address: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/samples?verdict=no_answer&text=plain")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert [json.loads(line)["text"] for line in copied.splitlines()] == ["I do not know."]


def test_a_report_leads_to_its_samples_and_can_read_none(watched: Watched, address: str) -> None:
    watched.page.goto(f"{address}/report")
    watched.page.wait_for_function("document.title === 'null alone'")
    watched.page.get_by_text("its samples").click()
    assert watched.page.locator("#total").inner_text() == "4"
    watched.page.get_by_text("Report", exact=True).click()
    assert watched.page.url == f"{address}/report"


BROKEN = """() => [...document.querySelectorAll("th")].flatMap((th) => {
  const texts = document.createTreeWalker(th, NodeFilter.SHOW_TEXT), broken = [];
  while (texts.nextNode()) {
    for (const word of texts.currentNode.data.matchAll(/[\\w.]+/g)) {
      const range = new Range();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  }
  return broken;
})"""


@pytest.mark.parametrize("width", [360, 1440])
def test_no_header_is_broken_inside_a_word(chromium: Browser, address: str, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 740})
    sized = context.new_page()
    for path in ("/", "/samples", "/problems", sample(0)):
        sized.goto(address + path)
        assert sized.evaluate(BROKEN) == []
    context.close()


def test_text_behind_the_cut_is_set_apart(page: Page, address: str) -> None:
    page.goto(address + sample(4))
    assert page.locator(".whole mark").inner_text() == "7"
    assert page.locator(".whole .beyond").inner_text() == "\n\n" + HOSTILE_TAIL


def test_the_keyboard_reaches_everything(page: Page, address: str) -> None:
    page.goto(f"{address}/samples")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "#1"
    page.keyboard.press("/")
    page.keyboard.type("j?")
    assert page.locator("[name=text]").input_value() == "j?"
    page.keyboard.press("Enter")
    page.wait_for_url("**text=j**")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()


@pytest.mark.parametrize("path", ["/", "/samples", "/problems", f"/problem?{HOSTILE}", sample(6)])
def test_a_phone_needs_no_sideways_scrolling(chromium: Browser, address: str, path: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    narrow = context.new_page()
    narrow.goto(address + path)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_dark_mode_is_dark(chromium: Browser, address: str) -> None:
    shades = []
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme)
        shaded = context.new_page()
        shaded.goto(address)
        shades.append(shaded.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert shades == ["rgb(255, 255, 255)", "rgb(20, 23, 27)"]


def test_it_works_without_scripts(chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    quiet = context.new_page()
    quiet.goto(f"{address}/samples?verdict=no_answer")
    quiet.locator("tbody a[data-item]").first.click()
    assert quiet.locator("#text").count() == 1
    context.close()
