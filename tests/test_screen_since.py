"""What the report tells of the changes since an earlier screening: the numbers of changes.json, who moved, and which fact is another."""

from __future__ import annotations

import copy
import json
import random
import re
import uuid
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from browser import asked_for
from cds.trials import NCT05827549
from hooks.screen.comparison import KINDS, compare, read_previous
from hooks.screen.report import read_assessments, write_report
from report_pages import data, ids_of, opened, shown
from screened_cohorts import cohort, judged

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028<!--"
LINK = "https://ehr.example/chart/{id}?tab=trial"
SIZE = 300
LETTERS = {"eligible_pending_clinician_review": "F", "insufficient_data": "C", "not_eligible": "B", "not_applicable": "O", "not_in_scope": "O"}
SHORT = {"F": "No blocking criterion found", "C": "Cannot tell yet", "T": "Not met today", "B": "A blocking criterion was found", "O": "Not in scope"}


def written(folder: Path, earlier: list[dict[str, Any]], today: list[dict[str, Any]], link: str | None = LINK) -> Any:
    """The report of today's children beside the earlier ones, as `screen --previous` writes it."""
    folder.mkdir(exist_ok=True)
    for name, children in (("earlier", earlier), ("today", today)):
        (folder / name).mkdir()
        (folder / name / "assessments.ndjson").write_text("".join(json.dumps(child) + "\n" for child in children), encoding="utf-8")
    compared = compare(read_previous(folder / "earlier"), read_assessments(folder / "today" / "assessments.ndjson"))
    path = folder / "report.html"
    write_report(read_assessments(folder / "today" / "assessments.ndjson"), {"as_of": "2025-09-01"}, path, link=link, compared=compared)
    text = path.read_text(encoding="utf-8")
    section = text[text.index('<section id="since"') : text.index('<section id="flow"')]
    return SimpleNamespace(path=path, text=text, section=section, earlier=earlier, today=today, changes=json.loads(json.dumps([c.as_json() for c in compared.changes])))


def two_days() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Most children stay as they were; some are judged otherwise, some come, some go, two of them under hostile words."""
    chance = random.Random(11)
    models = judged()
    today = [child for child, _ in cohort(SIZE)]
    earlier = [{**child, **{"patient": child["patient"]}} for child in today]
    for i in chance.sample(range(SIZE), 90):
        earlier[i] = {**chance.choice(models), "patient": today[i]["patient"]}
    gone = [{**chance.choice(models), "patient": f"Patient/gone-{i}"} for i in range(12)]
    gone[0] = {**next(m for m in models if m["overall"] == "insufficient_data"), "patient": f"Patient/{HOSTILE}"}
    changed = next(i for i in range(20, SIZE) if (today[i]["overall"], earlier[i]["overall"]) == ("eligible_pending_clinician_review", "insufficient_data"))
    today[changed] = copy.deepcopy(today[changed])
    for criterion in today[changed]["criteria"]:
        criterion["words"] = HOSTILE
    return [a | {"as_of": "2025-08-31"} for a in [*earlier[20:], *gone]], today


@pytest.fixture(scope="module")
def since(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return written(tmp_path_factory.mktemp("since"), *two_days())


def status(assessment: dict[str, Any] | None) -> str:
    if assessment is None:
        return "O"
    return "T" if assessment["modifiable"] else LETTERS[assessment["overall"]]


def test_the_counts_are_those_of_changes_json(since):
    counted = Counter(change["kind"] for change in since.changes)
    kinds = since.section[: since.section.index("<table")]
    assert [int(n) for n in re.findall(r"<b>(?:<a[^>]*>)?(\d+)", kinds)] == [counted[kind] for kind in KINDS]
    assert all(counted.values()) and len(counted) == len(KINDS)
    assert "Since the screening of 31 Aug 2025" in since.section and f"<small>{len(since.changes)} children changed" in since.section


def test_then_and_now_and_every_way_between(since):
    """Counted from the two days themselves, not from what was compared."""
    then, now = ({a["patient"]: status(a) for a in children} for children in (since.earlier, since.today))
    moved = Counter((then.get(p, "O"), now.get(p, "O")) for p in {*then, *now} if then.get(p, "O") != now.get(p, "O"))
    picture = since.section[since.section.index('<table class="moves"') : since.section.index('<table class="folds changed"')]
    rows = {letter: row for letter, row in re.findall(r'class="mark s-(\w)"(.*?)</tr>', picture, re.S)}
    assert list(rows) == list("FCTBO")
    for letter in "FCTB":
        assert int(re.search(r'class="then">(\d+)', rows[letter])[1]) == Counter(then.values())[letter], letter
        assert int(re.search(r'class="now"><b>(\d+)', rows[letter])[1]) == Counter(now.values())[letter], letter
    told = Counter()
    for letter, row in rows.items():
        for n, words in re.findall(r'>(\d+)<span class="off"> to ([^<]+)<', row):
            told[letter, next(k for k, short in SHORT.items() if short == words)] += int(n)
    assert told == moved and len(moved) > 8
    lines = Counter({(was, now): int(n) for n, was, now in re.findall(r"<title>(\d+): (.*?) → (.*?)</title>", picture)})
    assert lines == Counter({(SHORT[was], SHORT[now]): n for (was, now), n in moved.items()})


def test_only_who_came_into_scope_is_new(tmp_path):
    """A child long known with leukaemia comes into scope on the day of its relapse; one without is no change at all."""
    models = judged()
    outside, cannot_tell = (next(m for m in models if m["overall"] == o) for o in ("not_applicable", "insufficient_data"))
    as_of = {"as_of": "2025-08-31"}
    relapsed, known = {**cannot_tell, "patient": "Patient/relapsed"}, {**outside, "patient": "Patient/known"}
    page = written(tmp_path, [{**outside, "patient": "Patient/relapsed"} | as_of], [relapsed, known])
    assert [(c["patient"], c["kind"], c["before"], c["facts"]) for c in page.changes] == [("Patient/relapsed", "newly_in_scope", "not_applicable", [])]
    assert "Was on record without a relapse" in page.section


def test_hostile_words_stay_words(since):
    assert "<img" not in since.section and "&lt;img src=x onerror" in since.section
    assert since.text.count("</script>") == 3 + len(re.findall(r"<script>", since.text))
    assert "\u2028" not in since.section and f"chart/{HOSTILE}" not in since.section
    outside = re.sub(r"<q>.*?</q>|<style>.*?</style>|<script.*?</script>|It neither establishes eligibility", "", since.text, flags=re.S)
    assert not re.search(r"eligib|qualif|should enrol|recommended", outside, re.I)


def test_a_pregnancy_result_stays_with_the_treating_team(tmp_path):
    then = next(a for a in judged() if a["overall"] == "insufficient_data")
    now = copy.deepcopy(then)
    criterion = next(c for c in now["criteria"] if c["id"] == "EXC-09")
    criterion |= {"truth": "not_met" if criterion["truth"] == "met" else "met", "reason": None, "words": "the test itself"}
    page = written(tmp_path, [then], [now])
    assert "the test itself" in json.dumps(page.changes) and "EXC-09 " in page.section
    assert "the test itself" not in page.section and re.search("→ </span><span[^>]*>is now </span>exclusion (applies|does not apply)</p>", page.section)


def test_so_many_changes_are_cut_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("hooks.screen.report.since.DRAWN", 5)
    page = written(tmp_path, *two_days())
    counted = Counter(change["kind"] for change in page.changes)
    for kind in KINDS:
        part = page.section[page.section.index(f'<tbody id="{kind}"') :].split('<tr class="kind">')[1]
        assert len(re.findall(r'<th scope="row">', part)) == min(counted[kind], 5)
        more = re.search(r"And (\d+) more in changes.json", part)
        assert (int(more[1]) if more else 0) == max(counted[kind] - 5, 0), kind
    assert sum(n > 5 for n in counted.values()) > 2
    assert Counter(data(page.text, "cohort")["changed"])["-"] == SIZE - sum(c["patient"] in {a["patient"] for a in page.today} for c in page.changes)


def test_nothing_changed_is_one_sentence(tmp_path, browser):
    today = [child for child, _ in cohort(40)]
    page = written(tmp_path, today, today[::-1])
    assert page.changes == []
    assert "Nothing changed: the same 40 children are in scope, each with the same answers." in page.section
    assert "<table" not in page.section and 'name="changed"' not in page.text
    opened(browser, page)
    assert "Last time" not in browser.execute_script("return document.querySelector('#children thead').textContent")
    assert browser.get_log("browser") == []


def test_nothing_to_compare_with_is_no_section(tmp_path):
    write_report((child for child, _ in cohort(40)), {}, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'id="since"' not in text and "Since last time" not in text and 'name="changed"' not in text and "changed" not in data(text, "cohort")


def test_an_earlier_screening_of_nobody(tmp_path):
    page = written(tmp_path, [], [child for child, _ in cohort(7)])
    assert "Since the earlier screening" in page.section and len(page.changes) == 7


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 400, 900, 1100, 1200, 1400])
def test_it_opens_quietly_at_any_width(browser, since, width, scheme):
    opened(browser, since, width, scheme)
    assert browser.execute_script("const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth <= clientWidth")
    rows = browser.execute_script("""
        return [...document.querySelectorAll(".moves tbody tr")].map((row) => row.getBoundingClientRect().height - parseInt(row.style.height));""")
    assert max(map(abs, rows)) < 0.5, "the lines meet the numbers only while no row is higher than it was drawn"
    assert browser.execute_script("return document.images.length") == 0 and browser.get_log("browser") == []
    assert {url for url in asked_for(browser) if not url.startswith(("chrome:", "data:"))} == {since.path.as_uri()}


@pytest.mark.parametrize("width", [320, 400, 480, 1280])
def test_every_number_of_the_picture_is_seen(browser, since, width):
    """On both sides, and however large: what does not fit is scrolled inside the picture, the page is never wider than the screen."""
    opened(browser, since, width)
    for numbers in (None, "12,345"):
        seen, all_, width_of_page, room = browser.execute_script("""
            const ports = [...document.querySelectorAll(".moves :is(.from, .to) .port")];
            if (arguments[0]) ports.forEach((p) => (p.textContent = arguments[0]));
            const { scrollWidth, clientWidth } = document.documentElement;
            return [ports.filter((p) => p.getClientRects().length && p.offsetWidth >= p.scrollWidth).length, ports.length, scrollWidth, clientWidth];""", numbers)
        assert seen == all_ > 10 and width_of_page <= room


@pytest.fixture(scope="module")
def unlinked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Without `--record-link`, of children whose ids are UUIDs, as most servers give them."""
    earlier, today = two_days()
    ids = {a["patient"]: f"Patient/{uuid.uuid5(uuid.NAMESPACE_URL, a['patient'])}" for a in [*earlier, *today]}
    return written(tmp_path_factory.mktemp("unlinked"), *([{**a, "patient": ids[a["patient"]]} for a in day] for day in (earlier, today)), link=None)


@pytest.mark.parametrize("width", [400, 1100, 1201, 1280, 1400])
def test_without_a_link_there_is_no_column_for_it(browser, unlinked, width):
    """The id of the record stands at the beginning of the row; told once more it broke in the middle, or made the page too wide."""
    opened(browser, unlinked, width)
    told = browser.execute_script("return [...document.querySelectorAll('#since .changed thead th, .children thead th')].map((th) => th.textContent.trim())")
    assert "Child" in told and "Record" not in told
    assert browser.execute_script("const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth <= clientWidth")
    spans = browser.execute_script("return [...document.querySelectorAll('#since .changed tbody [colspan]')].map((cell) => cell.colSpan)")
    assert spans and set(spans) == {3}


def test_the_work_list_shows_exactly_who_changed(browser, since):
    opened(browser, since)
    today = {a["patient"]: a for a in since.today}
    here = [c for c in since.changes if today.get(c["patient"], {"overall": "not_applicable"})["overall"] != "not_applicable"]
    options = browser.execute_script("return [...filters.elements.changed.options].map((o) => [o.value, o.textContent])")
    assert options[0] == ["", "all"] and options[1] == ["any", f"any change ({len(here)})"] and len(options) > 10
    earlier = {a["patient"]: a for a in since.earlier}
    for value, words in options[1:]:
        browser.execute_script("show({ changed: arguments[0] })", value)
        if value == "any":
            expected = here
        elif len(value) == 1:
            expected = [c for c in here if c["kind"] == dict(zip("nlsgc", KINDS))[value]]
        else:
            expected = [c for c in here if (status(earlier.get(c["patient"])), status(today[c["patient"]])) == tuple(value)]
        found = shown(browser)
        assert set(found) == ids_of(expected) and len(found) == len(expected), words
        assert words.endswith(f"({len(expected)})") and expected
    browser.execute_script("show({ changed: 'any', status: 'F' })")
    assert set(shown(browser)) == ids_of(c for c in here if c["now"] == "eligible_pending_clinician_review")


def test_every_number_leads_to_so_many_children(browser, since):
    opened(browser, since)
    pressed, wrong = browser.execute_script("""
        const numbers = [...document.querySelectorAll("#since .press[data-show]")].filter((b) => /^\\d/.test(b.textContent));
        return [numbers.length, numbers.flatMap((button) => {
          button.click();
          return list.shown.length === parseInt(button.textContent) ? [] : [button.outerHTML, list.shown.length];
        })];""")
    assert pressed > 5 and wrong == []


def test_sorting_by_last_time(browser, since):
    opened(browser, since)
    browser.execute_script("document.querySelector('[data-sort=\"changed\"]').click()")
    kinds = browser.execute_script("return list.shown.map(changeOf)")
    assert kinds == sorted(kinds, key="nlsgc-".index) and len(set(kinds)) > 3
    first = browser.execute_script("return document.querySelector('#children tbody [data-label=\"Last time\"]').textContent")
    assert any(short in first for short in SHORT.values())


def test_a_child_with_the_facts_that_changed(browser, since):
    opened(browser, since)
    names = {c.id: f"{c.id} {c.name}" for c in NCT05827549.criteria} | {"risk group": "risk group"}
    changes = {c["patient"]: c for c in since.changes}
    rows = browser.execute_script("""
        return [...document.querySelectorAll(".changed tr:has(th[scope=row])")].map((row) => ({
          id: row.querySelector("th").textContent, opens: row.querySelector("[data-open]")?.dataset.open, link: row.querySelector("a")?.href,
          rel: row.querySelector("a")?.rel, facts: [...row.querySelectorAll(".turned b")].map((b) => b.textContent) }));""")
    assert len(rows) == len(changes)
    ids = data(since.text, "cohort")["ids"]
    for row in rows:
        if HOSTILE[:9] in row["id"]:  # no FHIR id: no link is made of it
            assert row["link"] is None and row["opens"] is None
            continue
        change = changes[f"Patient/{row['id']}"]
        assert row["facts"] == [names[fact["criterion"]] for fact in change["facts"]]
        assert (row["link"], row["rel"]) == (f"https://ehr.example/chart/{row['id']}?tab=trial", "noreferrer noopener")
        assert (row["opens"] is None) == (change["now"] in ("not_in_scope", "not_applicable"))
        assert row["opens"] is None or ids[int(row["opens"])] == row["id"]
    told = next(row for row in rows if len(row["facts"]) > 3)
    browser.execute_script("document.querySelector(`.changed [data-open='${arguments[0]}']`).click()", told["opens"])
    panel = browser.execute_script("return [panel.querySelector('h2').textContent, [...panel.querySelectorAll('.panel-turns b')].map((b) => b.textContent)]")
    assert panel == [told["id"], told["facts"]]


def test_the_rest_unfolds(browser, since):
    opened(browser, since)
    count = "return [...document.querySelectorAll('.changed th[scope=row]')].filter((th) => th.checkVisibility()).length"
    before = browser.execute_script(count)
    browser.execute_script("for (const b of document.querySelectorAll('.changed [data-unfold]')) b.click()")
    assert before < browser.execute_script(count) == len(since.changes)
    assert browser.get_log("browser") == []
