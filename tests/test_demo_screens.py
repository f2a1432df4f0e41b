"""The demonstration's page on screens of several sizes, in a real browser: every part of a card can be brought into view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from browser import running
from hooks.demo import create_demo

SCREENS = ((1280, 720), (1280, 900), (1920, 1080), (400, 800))
MOMENTS = ("open", "blinatumomab")
PARTS = ".card-summary, .card-detail p, .card-detail h3, .card-detail li, .card-apps a, .card-links a, .card-override summary, #timing, .wire-buttons button"

# A script can scroll what a clinician cannot: a card that shows less than it holds, and has no scroll bar.
CUT = "return [...document.querySelectorAll('.card')].filter((c) => c.scrollHeight > c.clientHeight + 1).map((c) => c.className)"

# A part that is scrolled to must then be what is found at its own place, not something that covers or cuts it.
HIDDEN = """
    return [...document.querySelectorAll(arguments[0])].filter((part) => {
        part.scrollIntoView({block: "start"});
        const box = part.getClientRects()[0];
        const seen = document.elementFromPoint(box.left + 2, box.top + Math.min(box.height / 2, 8));
        return !(seen && (part.contains(seen) || seen.contains(part) && seen.closest(".card, .panel-foot")));
    }).map((part) => part.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with running(create_demo()) as host:
        yield host


def opened(browser: Any, page: str, moment: str, width: int, height: int) -> None:
    from selenium.webdriver.support.ui import Select, WebDriverWait

    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    browser.get(page)
    if moment != "open":
        Select(browser.find_element("id", "moment")).select_by_value(moment)
    kind = ".card.info" if moment == "open" else ".card.warning"
    WebDriverWait(browser, 30).until(lambda b: b.find_elements("css selector", kind))


def test_every_part_of_a_card_can_be_scrolled_into_view(demo: str, browser: Any) -> None:
    for moment in MOMENTS:
        for width, height in SCREENS:
            opened(browser, f"{demo}/chart/screening-complete", moment, width, height)
            assert browser.execute_script(CUT) == [], (moment, width, height)
            assert browser.execute_script(HIDDEN, PARTS) == [], (moment, width, height)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width, (moment, width, height)
