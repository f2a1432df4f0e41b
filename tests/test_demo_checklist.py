"""The whole way in a real browser, against the demonstration as it is started: chart, card, checklist, answers, chart."""

from __future__ import annotations

import pytest

from test_cli_servers import started

WITHIN = 30  # seconds


@pytest.fixture(scope="module")
def demo():
    with started("demo", "--port", "0") as process:
        yield process.stdout.readline().strip().rstrip("/")


def wait(browser, look):
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, WITHIN, ignored_exceptions=[StaleElementReferenceException]).until(look)


def reads(selector, words):
    return lambda browser: words in "".join(part.text for part in browser.find_elements("css selector", selector))


def press(browser, selector):
    """What stands under the child's line, which stays in view, is not where Selenium scrolls to."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", browser.find_element("css selector", selector))
    browser.find_element("css selector", selector).click()


def test_an_answer_given_on_the_checklist_changes_the_card(demo, browser):
    browser.get(f"{demo}/chart/missing-echo")
    wait(browser, reads(".card-detail", "5 need your judgement"))
    chart = browser.current_window_handle
    press(browser, ".card-apps a")
    wait(browser, lambda b: len(b.window_handles) == 2)
    browser.switch_to.window(next(handle for handle in browser.window_handles if handle != chart))
    wait(browser, lambda b: "Emil Thistledown" in b.title)
    assert browser.current_url.startswith(f"{demo}/app/visits/"), "neither code nor token stands in the address"
    assert "5 need your judgement" in browser.find_element("id", "status").text

    press(browser, "#form form button[type=submit]")
    wait(browser, lambda b: "Not recorded" in b.title)
    press(browser, "input[name=life-expectancy-at-least-1-year][value=yes] + *, label:has(input[name=life-expectancy-at-least-1-year][value=yes])")
    press(browser, "#form form button[type=submit]")
    wait(browser, reads("main", "the chart was read again"))
    assert "4 need your judgement" in browser.find_element("id", "status").text
    assert [entry for entry in browser.get_log("browser") if "422" not in entry["message"]] == []

    press(browser, ".closing button")
    wait(browser, lambda b: "closed" in b.title)
    browser.back()
    browser.refresh()
    wait(browser, lambda b: "cannot be shown" in b.title)

    browser.switch_to.window(chart)
    wait(browser, reads(".card-detail", "4 need your judgement"))
    wait(browser, reads("#main", "life expectancy"))
