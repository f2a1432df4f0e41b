"""The report of a screening: its counts, what it keeps to itself, and how it behaves in a browser, opened from disk."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from browser import asked_for
from cds.trials import NCT05827549
from hooks.screen.report import read_assessments, write_report
from hooks.screen.report.child import OF_A_PREGNANCY
from hooks.screen.report.detail import CHILDREN, WITHHELD
from hooks.words import NOT_MET_TODAY, STATUS
from report_pages import data, ids_of, opened, shown
from screened_cohorts import cohort, judged

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028<!--"
SIZE = 1000
LINK = "https://ehr.example/chart/{id}?tab=trial"
SUMMARY = {"patients_seen": 41_000, "resources_read": 9_000_000, "lines_broken": 3, "files": 12, "as_of": "2025-09-01",
           "started": "2025-09-01T06:12:00+00:00", "seconds": 412.3, "software_version": "0.1.0", "source": "FHIR bulk export"}  # fmt: skip
IDS = [c.id for c in NCT05827549.criteria]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A thousand children, read back from NDJSON as `screen` writes it; one of them with hostile words."""
    folder = tmp_path_factory.mktemp("report")
    children, sites = [], {}
    for child, site in cohort(SIZE):
        children.append(child)
        sites[child["patient"]] = site
    hostile = children[5] = copy.deepcopy(children[5])
    hostile["issues"] = [{"reference": HOSTILE, "words": HOSTILE}]
    hostile["criteria"][0]["words"] = HOSTILE
    sites[children[6]["patient"]] = HOSTILE
    lines = folder / "assessments.ndjson"
    lines.write_text("".join(json.dumps(child) + "\n" for child in children), encoding="utf-8")
    path = folder / "report.html"
    write_report(read_assessments(lines), SUMMARY | {"sites": sites}, path, link=LINK)
    return SimpleNamespace(children=children, sites=sites, path=path, text=path.read_text(encoding="utf-8"))


def blocks(child, id):
    return id in child["blocking"]


def is_open(criterion):
    return criterion["truth"] == "unknown" and criterion["reason"] != "judgement"


def near(child):
    """The definition, written again: one fact that settles what is open and what blocks today, unless the text is unclear."""
    unknown = {c["id"] for c in child["criteria"] if is_open(c)} | set(child["blocking"])
    unclear = any(gap["reason"] == "source_ambiguous" for c in child["criteria"] for gap in c["gaps"])
    if unclear or not unknown or (child["blocking"] and not child["modifiable"]):
        return None
    return next((step["fact"] for step in child["next_steps"] if unknown <= set(step["criteria"])), None)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_one_file_that_asks_nobody(written):
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:" in written.text
    assert not re.search(r"<(?:link|script|img|iframe)[^>]+(?:src|href)=(?!\"data:)", written.text)
    assert written.path.stat().st_size < 2_000_000
    assert [file.name for file in written.path.parent.iterdir() if file.name.startswith(".")] == []


def test_hostile_words_end_no_script(written):
    assert "<img src=x" not in written.text and written.text.count("</script>") == 3 + len(re.findall(r"<script>", written.text))
    assert "\u2028" not in data_region(written.text)


def data_region(text):
    return text[text.index('id="cohort"') : text.index("</script>", text.index('id="details"'))]


def test_names_are_there_only_when_given(tmp_path):
    child = next(iter(cohort(1)))[0]
    for names, there in ((None, False), ({child["patient"]: "Ada Meadowlight"}, True), ({child["patient"].split("/")[1]: "Ada Meadowlight"}, True)):
        write_report([child], {}, tmp_path / "r.html", names)
        text = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert ("Ada Meadowlight" in text, "holds patients’ names" in text) == (there, there)


def test_a_pregnancy_result_stays_with_the_treating_team(written):
    assert any(blocks(child, "EXC-09") for child in written.children)
    told = {c["words"] for child in written.children for c in child["criteria"] if c["id"] == "EXC-09" and c["truth"] != "unknown"}
    texts = data(written.text, "details")["texts"]
    assert WITHHELD in texts and not told & set(texts)
    assert "confirm_positive_hcg" not in data(written.text, "cohort")["flags"] or not any(
        data(written.text, "cohort")["alphabet"][data(written.text, "cohort")["flags"].index("confirm_positive_hcg")] in flagged
        for flagged in data(written.text, "cohort")["flagged"].split(","))


@pytest.mark.parametrize("words", ["pregnancy test Negative on 2025-08-30: status is preliminary; it was not used", "“β-hCG urine” carries no code that is mapped here; it was not used"])
def test_nor_is_it_told_among_the_issues(words, tmp_path):
    child = copy.deepcopy(next(child for child, _ in cohort(1)))
    child["issues"] = [{"reference": "Observation/of-her", "words": words}, {"reference": "Observation/of-another-kind", "words": "no unit; it was not used"}]
    write_report([child], {}, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert OF_A_PREGNANCY in text and words not in text and "of-her" not in text and "of-another-kind" in text


def test_the_wording_law(written):
    """Nobody is called eligible: the word stands only where the document is quoted, and in the sentence that denies it."""
    outside = re.sub(r"<q>.*?</q>|<style>.*?</style>|<script.*?</script>|It neither establishes eligibility", "", written.text, flags=re.S)
    assert not re.search(r"eligib|qualif|should enrol|recommended", outside, re.I)
    assert all(words in written.text for words in (*STATUS.values(), NOT_MET_TODAY))


@pytest.mark.parametrize("link", ["http://ehr.example/{id}", "javascript:alert({id})", "https://ehr.example/", "https:///{id}", "https://{id}.example/", "https://a.example/ {id}"])
def test_a_link_that_is_no_link_is_refused(tmp_path, link):
    with pytest.raises(ValueError, match="https"):
        write_report([], {}, tmp_path / "r.html", link=link)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_no_half_report(tmp_path):
    (tmp_path / "r.html").write_text("the last one")

    def broken():
        yield next(iter(cohort(1)))[0]
        raise OSError("the disk")

    with pytest.raises(OSError):
        write_report(broken(), {}, tmp_path / "r.html")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["the last one"]


def test_nobody_in_scope_is_a_report_too(tmp_path):
    outside = [a for a in judged() if a["overall"] == "not_applicable"]
    write_report(outside, {}, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert data(text, "cohort")["n"] == 0 and f"<b>{len(outside)}</b> patients were read" in text


def test_many_children_carry_letters_only(tmp_path, monkeypatch):
    monkeypatch.setattr("hooks.screen.report.detail.CHILDREN", 10)
    write_report((child for child, _ in cohort(11)), {}, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert CHILDREN == 5_000 and data(text, "details") is None and len(data(text, "cohort")["letters"]) == 11 * 25
    assert len(data_region(text)) < 11 * 150 + 4_000


# --- the counts -------------------------------------------------------------------------------------------------------


def test_each_criterion_is_counted_as_it_was_judged(written):
    letters = data(written.text, "cohort")["letters"]
    for i, id in enumerate(IDS):
        column = Counter(letters[i::25])
        judgements = [next(c for c in child["criteria"] if c["id"] == id) for child in written.children]
        assert column["X"] == sum(blocks(child, id) for child in written.children)
        assert column["J"] == sum(c["reason"] == "judgement" for c in judgements)
        assert column["."] == sum(c["truth"] != "unknown" and id not in child["blocking"] for c, child in zip(judgements, written.children))
        row = written.text[written.text.index(f'<tr id="{id}"') :].split("</tr>")[0]
        counted = [int(n.replace(",", "")) for n in re.findall(r"<td class=\"num[^>]*>(?:<button[^>]*>)?([\d,]+)", row)]
        first = sum(blocks(child, id) and not any(blocks(child, before) for before in IDS[:i]) for child in written.children)
        left = sum(not any(blocks(child, upto) for upto in IDS[: i + 1]) for child in written.children)
        alone = sum(set(child["blocking"]) - {"EXC-06"} == {id} for child in written.children)
        expected = [column["."], column["X"], sum(map(is_open, judgements)), column["J"], first, left]
        assert counted[:6] == expected and sum(counted[:4]) == SIZE, id
        assert id == "EXC-06" or counted[6] == alone, id


def test_near_misses_are_those_of_the_definition_the_cheapest_first(written):
    expected = Counter(filter(None, map(near, written.children)))
    order = [fact.fact for fact in NCT05827549.open_facts if expected[fact.fact]]
    section = written.text[written.text.index('id="near"') : written.text.index('id="criteria"')]
    found = re.findall(r'aria-hidden="true">\d+</span>([^<]+)</th>\s*<td class="num"[^>]*><button[^>]*>([\d,]+)', section)
    assert [(fact, int(n)) for fact, n in found] == [(fact, expected[fact]) for fact in order] and len(order) > 5
    ages = [child for child in written.children if any(c["id"] == "INC-01" and c["reason"] == "source_ambiguous" for c in child["criteria"])]
    assert ages and not any(map(near, ages)), "no birth date settles what the text leaves open"


def test_the_flow_adds_up(written):
    section = written.text[written.text.index('id="flow"') : written.text.index('id="near"')]
    number = lambda found: int(found.replace(",", ""))  # noqa: E731
    boxes = [number(n) for n in re.findall(r'<div class="box[^"]*"><b>(?:<button[^>]*>)?([\d,]+)', section)]
    leaving = [number(n) for n in re.findall(r'<div class="leaving">\s*<p><b>(?:<button[^>]*>)?([\d,]+)', section)]
    assert boxes[0] == 41_000 and boxes[1] == SIZE
    assert boxes[1:] == [boxes[i] - leaving[i] for i in range(4)]
    statuses = Counter((child["overall"], child["modifiable"]) for child in written.children)
    assert leaving[1:] == [statuses["not_eligible", False], statuses["not_eligible", True], statuses["insufficient_data", False]]
    assert boxes[4] == statuses["eligible_pending_clinician_review", False]
    for box, total in zip(section.split('<div class="leaving">')[2:], leaving[1:]):
        assert sum(number(n) for n in re.findall(r"<li><button[^>]*>([\d,]+)", box.split("</div>")[0])) == total


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_opens_quietly_at_any_width(browser, written, width, scheme):
    opened(browser, written, width, scheme)
    assert browser.execute_script("const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth <= clientWidth")
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 200) == (scheme == "dark")
    assert browser.execute_script("return document.querySelectorAll('#children tbody tr').length") == 50
    assert browser.execute_script("return document.querySelector('.tiles').getBoundingClientRect().bottom") < 900, "the answer is on the first screen"
    assert browser.get_log("browser") == []
    assert {url for url in asked_for(browser) if not url.startswith(("chrome:", "data:"))} == {written.path.as_uri()}


def test_filters_show_exactly_those_children(browser, written):
    opened(browser, written)
    children = written.children
    wishes = (
        ({"status": "C"}, [c for c in children if c["overall"] == "insufficient_data"]),
        ({"status": "open"}, [c for c in children if not c["blocking"] or c["modifiable"]]),
        ({"near": "any"}, [c for c in children if near(c)]),
        ({"criterion": IDS.index("INC-06"), "answer": "blocks"}, [c for c in children if blocks(c, "INC-06")]),
        ({"criterion": IDS.index("INC-08"), "answer": "unknown"}, [c for c in children if is_open(next(k for k in c["criteria"] if k["id"] == "INC-08"))]),
        ({"criterion": IDS.index("EXC-03"), "answer": "stops"}, [c for c in children if c["blocking"][:1] == ["EXC-03"]]),
        ({"answer": "judgement"}, [c for c in children if any(k["reason"] == "judgement" for k in c["criteria"])]),
        ({"flag": "issues"}, [c for c in children if c["issues"]]),
        ({"text": "northfield"}, [c for c in children if written.sites[c["patient"]] == "Northfield"]),
        ({"text": children[7]["patient"].split("/")[1].upper()}, [children[7]]),
        ({"text": "nothing of the kind"}, []),
    )  # fmt: skip
    for wish, expected in wishes:
        browser.execute_script("show(arguments[0])", wish)
        found = shown(browser)
        assert set(found) == ids_of(expected) and len(found) == len(expected), wish
    assert browser.execute_script("return [document.querySelector('#nobody').hidden, matrix.columns]") == [False, 0]


def test_every_number_leads_to_so_many_children(browser, written):
    opened(browser, written)
    wrong = browser.execute_script("""
        return [...document.querySelectorAll(".press[data-show]")].filter((b) => /^[\\d,]+$/.test(b.textContent)).flatMap((button) => {
          button.click();
          return list.shown.length === Number(button.textContent.replaceAll(",", "")) ? [] : [button.outerHTML, list.shown.length];
        });""")
    assert wrong == []


def test_sorting_by_heading_and_by_keyboard(browser, written):
    from selenium.webdriver.common.keys import Keys

    opened(browser, written)
    heading = "return document.querySelector('[data-sort=\"%s\"]')"
    browser.execute_script(heading % "id").send_keys(Keys.ENTER)
    up = shown(browser)
    assert browser.execute_script("return document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "ascending"
    assert browser.execute_script("return document.activeElement.dataset.sort") == "id"
    browser.execute_script(heading % "id").send_keys(Keys.SPACE)
    assert shown(browser) == up[::-1] and set(up) == ids_of(written.children)
    browser.execute_script(heading % "near").click()
    facts = browser.execute_script("return list.shown.map(nearOf)")
    order = {fact.fact: i for i, fact in enumerate(NCT05827549.open_facts)} | {"": 99}
    assert facts == sorted(facts, key=order.__getitem__) and facts[0]
    browser.execute_script("document.getElementById('after').click()")
    assert browser.execute_script("return document.getElementById('page').textContent") == "51 to 100 of 1,000"


def test_the_panel_of_a_child(browser, written):
    from selenium.webdriver.common.keys import Keys

    opened(browser, written)
    hostile = written.children[5]["patient"].split("/")[1]
    browser.execute_script("show({ text: arguments[0] })", hostile)
    browser.execute_script("document.querySelector('#children [data-open]').focus()")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.execute_script("return panel.open && document.getElementById('panel-title').textContent") == hostile
    text = browser.execute_script("return panel.textContent")
    assert all(f"{c.id} {c.name}" in text for c in NCT05827549.criteria)
    assert "</script><img src=x onerror=alert(1)>" in text and browser.execute_script("return document.images.length") == 0
    record = browser.execute_script("const a = panel.querySelector('a'); return [a.href, a.rel]")
    assert record == [f"https://ehr.example/chart/{hostile}?tab=trial", "noreferrer noopener"]
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert browser.execute_script("return [panel.open, document.activeElement.textContent]") == [False, hostile]
    assert browser.get_log("browser") == []


def test_the_matrix_is_read_with_the_keyboard(browser, written):
    from selenium.webdriver.common.keys import Keys

    opened(browser, written)
    child = next(c for c in written.children if blocks(c, "INC-06"))
    browser.execute_script("show({ text: arguments[0] }); cells.focus()", child["patient"].split("/")[1])
    for _ in range(5):
        browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert browser.execute_script("return told.textContent") == f"{child['patient'].split('/')[1]} · INC-06 renal function: not met"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.execute_script("return panel.open")


def test_issues_of_one_kind_are_one_line(tmp_path):
    child = next(iter(cohort(1)))[0]
    words = ("unit 'mg' is not a creatinine unit: 2025-10-02: not used", "unit 'g/l' is not a creatinine unit: 2025-08-30: not used", "no code")
    child = {**child, "issues": [{"reference": f"Observation/{i}", "words": w} for i, w in enumerate(words)]}
    write_report([child], {}, tmp_path / "r.html")
    section = (tmp_path / "r.html").read_text(encoding="utf-8").split('id="issues"')[1]
    assert re.findall(r'<th scope="row">([^<]+)</th>', section.split("</table>")[0]) == ["unit … is not a creatinine unit: …: not used", "no code"]
    assert "<code>Observation/0</code>" in section


# --- what could not be read -------------------------------------------------------------------------------------------


LOST = {
    "lines_broken": 1_203,
    "broken_lines": [{"file": "wards/Procedure.ndjson", "line": n, "why": "is not JSON"} for n in range(1, 8)] + [{"file": HOSTILE, "line": 3, "why": HOSTILE}],
    "files_not_read": 3,
    "not_read": [{"name": "wards/export@north\u202e.zip", "why": "unpack it first"}, {"name": HOSTILE, "why": "unpack it first"}, {"name": "notes", "why": HOSTILE}],
    "missing_kinds": ["Consent", HOSTILE],
    "cut_off": 1,
    "lacking": f"a file of FHIR {HOSTILE} was not read",
}  # fmt: skip


def lost(folder, children, **told):
    write_report(children, told, folder / "lost.html")
    return SimpleNamespace(path=folder / "lost.html", text=(folder / "lost.html").read_text(encoding="utf-8"))


def texts(browser, selector):
    return browser.execute_script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText.replace(/\\s+/g, ' ').trim())", selector)


def test_what_could_not_be_read_is_told(browser, tmp_path):
    children = [child for child, _ in cohort(3)]
    id = children[1]["patient"].split("/")[1]
    places = [{"file": file, "line": line} for file, line in (("north.json", 1), (HOSTILE, 1), ("north.json", 2))]
    page = lost(tmp_path, children, **LOST, mixed={children[1]["patient"]: places, HOSTILE: places[:1]})
    opened(browser, page)
    hostile = HOSTILE.replace("\u2028", " ")
    assert texts(browser, ".unread tr:not(.kind, thead tr)") == [
        "is not JSON 7 " + "; ".join(f"wards/Procedure.ndjson, line {n}" for n in range(1, 6)) + " and 2 more",
        f"{hostile} 1 {hostile}, line 3", "And 1,195 more.",
        f"unpack it first 2 wards/export@north.zip; {hostile}", f"{hostile} 1 notes",
        f"{id} 3 north.json; {hostile}", f"{hostile} 1 north.json",
    ]  # fmt: skip
    assert texts(browser, ".unread .kind") == ["1,203 lines that could not be read", "3 files that were not read",
                                               "2 ids that are not one person’s: nobody of these ids was judged"]  # fmt: skip
    assert texts(browser, ".head .facts-line div")[-3:] == ["Unreadable lines 1,203", "Files not read 3", "Ids of several people 2"]
    assert texts(browser, "#issues .note") == [
        "1 file ends before its time, so nothing counts as absent for any child: what is lost may be about it.",
        f"A file of FHIR {hostile} was not read, so nothing counts as absent for any child: what is lost may be about it.",
        f"The source holds no Consent, {hostile}. Were they exported?"]
    browser.execute_script("document.querySelector('.unread [data-open]').click()")
    assert browser.execute_script("return panel.open && document.getElementById('panel-title').textContent") == id
    assert "<img src=x" not in page.text and browser.execute_script("return document.images.length") == 0 and browser.get_log("browser") == []


@pytest.mark.parametrize("width", [400, 1400])
def test_long_names_of_what_could_not_be_read_fit(browser, tmp_path, width):
    name = "x" * 250 + "/" + "y" * 250
    page = lost(tmp_path, [], missing_kinds=["Consent"], files_not_read=1, not_read=[{"name": name, "why": "unpack it first"}], mixed={"Patient/" + "z" * 64: [{"file": name, "line": 1}]})
    opened(browser, page, width)
    assert browser.execute_script("const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth <= clientWidth")
    assert texts(browser, "#issues .note") == ["The source holds no Consent: taken as none recorded. Were they exported?"]
    assert texts(browser, ".unread .kind") == ["1 file that was not read", "1 id that is not one person’s: nobody of this id was judged"]


def test_more_ids_of_several_people_than_are_shown_are_counted(tmp_path):
    text = lost(tmp_path, [], mixed={f"Patient/{n}": [{"file": "a.json", "line": n}] for n in range(1_050)}).text
    assert "<b>1,050</b> ids that are" in text and "And 1,010 more." in text


@pytest.mark.parametrize("summary", [{}, {"lines_broken": 0, "broken_lines": [], "files_not_read": 0, "not_read": [], "mixed": {}, "missing_kinds": [], "cut_off": 0, "lacking": ""}])
def test_nothing_is_said_where_everything_was_read(tmp_path, summary):
    page = re.sub(r"<style>.*?</style>", "", lost(tmp_path, [], **summary).text, flags=re.S)
    assert not re.search("could not be read|not read|counts as absent|before its|before their|several people|unread|holds no|Unreadable", page.split('id="issues"')[1].split("<footer>")[0] + page.split("</header>")[0])
