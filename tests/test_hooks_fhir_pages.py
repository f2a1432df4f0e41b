"""Pages of search results: which entries count, what the server says of them, and where they end.

Rule numbers: "So the client must" in the notes on what public sandboxes do to a client.
"""

from __future__ import annotations

import pytest
import responses

from fhir_mappings.record import Outcome
from hooks.deadline import Deadline
from hooks.fhir_server import FhirServer
from hooks.paging import read_bundle

BASE = "https://ehr.example/fhir"
FIRST = f"{BASE}/Observation?patient=1"
ANSWERED, PARTIAL, FAILED = Outcome.ANSWERED, Outcome.PARTIAL, Outcome.FAILED


def observation(number: str, mode: str | None = "match") -> dict:
    entry = {"resource": {"resourceType": "Observation", "id": number}}
    return entry if mode is None else entry | {"search": {"mode": mode}}


def message(severity: str, code: str, detail: str | None = None) -> dict:
    issue = {"severity": severity, "code": code}
    if detail:
        issue["details"] = {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": detail}]}
    return {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}


def bundle(*entries: object, following: object = None, **members: object) -> dict:
    links = [{"relation": "self", "url": FIRST}]
    if following is not None:
        links.append({"relation": "next", "url": following})
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": list(entries)} | members


def search(**limits):
    with FhirServer(BASE, "token", deadline=Deadline.after(20), **limits) as server:
        return server.search("Observation", [("patient", "1")])


def ids(answer) -> list[str]:
    return [resource["id"] for resource in answer.resources]


@pytest.fixture
def ehr():
    with responses.RequestsMock() as mock:
        yield mock


MALFORMED = [
    (None, "is null"), ("text", "is a string"), ([], "is a list"), (7, "is a number"), (True, "is a boolean"),
    ({}, "holds no resource"), ({"resource": None}, "holds null instead of a resource"),
    ({"resource": "Observation/1"}, "holds a string instead of a resource"),
    ({"resource": {"id": "1"}}, "does not say what type of resource it is"),
    ({"resource": {"resourceType": ["Observation"]}}, "does not say what type of resource it is"),
    (observation("1", mode="banana"), "has an unknown search mode"),
]


@pytest.mark.parametrize(("entry", "words"), MALFORMED)
def test_rule_3_a_bad_entry_is_told_and_costs_only_itself(entry, words):
    entries, rejected, verdict = read_bundle(bundle(observation("1"), entry, observation("2")), "Observation")
    assert [found["id"] for found in entries] == ["1", "2"]
    assert rejected == (f"one entry of the Observation search {words}",)
    assert verdict.outcome is PARTIAL


def test_rule_4_only_matches_of_the_type_count():
    page = read_bundle(bundle(
        observation("1"), observation("2", mode=None), observation("3", mode="include"),
        {"resource": {"resourceType": "Patient", "id": "4"}, "search": {"mode": "include"}},
        {"resource": {"resourceType": "Patient", "id": "5"}},
        message("information", "informational")), "Observation")
    assert [found["id"] for found in page.entries] == ["1", "2"]
    assert page.rejected == () and page.verdict.outcome is ANSWERED


@pytest.mark.parametrize("body", [bundle(), {"resourceType": "Bundle", "type": "searchset", "total": 0},
                                  bundle(message("warning", "processing", "4101"), total=0)])
def test_rule_4_nothing_found(body):
    assert read_bundle(body, "Observation") == ((), (), read_bundle(bundle(), "Observation").verdict)


MESSAGES = [
    (("information", "invalid", "59100"), ANSWERED),  # unknown parameter ignored
    (("warning", "processing"), ANSWERED),
    (("warning", "not-supported"), ANSWERED),  # a filter ignored: more results, not fewer
    (("warning", "suppressed"), PARTIAL),
    (("information", "suppressed"), PARTIAL),
    (("error", "suppressed"), PARTIAL),
    (("warning", "processing", "4119"), PARTIAL),
    (("warning", "processing", "4130"), PARTIAL),
    (("fatal", "processing", "4131"), PARTIAL),
    (("warning", "processing", "4134"), PARTIAL),
    (("warning", "processing", "59204"), PARTIAL),
    (("information", "processing", "59205"), PARTIAL),
    (("warning", "throttled"), PARTIAL),
    (("error", "incomplete"), PARTIAL),
    (("warning", "timeout"), PARTIAL),
    (("warning", "required"), PARTIAL),  # Intelichart: results without the required coding left out
    (("grave", "processing"), PARTIAL),  # no severity of FHIR
    (("error", "processing"), FAILED),
    (("fatal", "exception"), FAILED),
]


@pytest.mark.parametrize(("said", "outcome"), MESSAGES)
@pytest.mark.parametrize("mode", ["outcome", "match", None])
def test_rule_4_every_outcome_is_read(said, outcome, mode):
    entry = message(*said)
    entry["search"] = {"mode": mode} if mode else {}
    assert read_bundle(bundle(observation("1"), entry), "Observation").verdict.outcome is outcome


@pytest.mark.parametrize("issue", [None, [], {}, "text", [None], [{}],
                                   [{"severity": "warning", "code": "suppressed"}, 7],
                                   [{"severity": "warning", "details": {"coding": [None, {"code": 59204}]}}, []]])
def test_rule_4_an_unreadable_message_is_not_good_news(issue):
    entry = {"resource": {"resourceType": "OperationOutcome", "issue": issue}}
    assert read_bundle(bundle(entry), "Observation").verdict.outcome is PARTIAL


@pytest.mark.parametrize("body", [None, [], "text", 7, {}, {"resourceType": "Patient"}, bundle(entry=None),
                                  bundle(entry={}), {"resourceType": "OperationOutcome"},
                                  message("information", "informational")["resource"]])
def test_rule_4_what_is_no_search_result_is_not_nothing_found(body):
    assert read_bundle(body, "Observation").verdict.outcome is FAILED


@pytest.mark.parametrize(("link", "target"), [
    (f"{BASE}/Observation?page=2", f"{BASE}/Observation?page=2"),
    ("https://EHR.example:443/fhir/Observation?page=2", "https://ehr.example:443/fhir/Observation?page=2"),  # MEDITECH
    ("/fhir/Observation?page=2", f"{BASE}/Observation?page=2"),
    ("Observation?sessionID=2", f"{BASE}/Observation?sessionID=2"),  # Epic
    ("?page=2", f"{BASE}/Observation?page=2"),
    (f"{BASE}?_getpages=2", f"{BASE}?_getpages=2"),  # HAPI
])
def test_rule_5_next_is_resolved_against_the_request_and_signed(ehr, link, target):
    ehr.get(FIRST, json=bundle(observation("1"), following=link))
    second = ehr.get(target, json=bundle(observation("2")))
    answer = search()
    assert (answer.outcome, ids(answer)) == (ANSWERED, ["1", "2"])
    assert second.calls[0].request.headers["Authorization"] == "Bearer token"


def test_rule_5_a_base_without_a_path_has_its_pages_at_the_root(ehr):
    """Canvas: its FHIR base is a host alone, and `next` is relative to that."""
    root = "https://fumage.example"
    ehr.get(f"{root}/Observation?patient=1", json=bundle(observation("1"), following="/Observation?page=2"))
    second = ehr.get(f"{root}/Observation?page=2", json=bundle(observation("2")))
    with FhirServer(root, "token", deadline=Deadline.after(20)) as server:
        answer = server.search("Observation", [("patient", "1")])
    assert (answer.outcome, ids(answer)) == (ANSWERED, ["1", "2"])
    assert second.calls[0].request.headers["Authorization"] == "Bearer token"


@pytest.mark.parametrize("link", [
    "https://ehr.example/leak/Observation?page=2", "/leak", "/Observation?page=2", "../leak", "https://ehr.example/", "https://ehr.example",
    f"{BASE}/../leak", f"{BASE}/%2e%2e/leak", f"{BASE}/%2E%2E%2Fleak", f"{BASE}/Observation/..%2f..%2fleak", f"{BASE}/..;a=b/leak", f"{BASE}/..%5Cleak",
    "https://ehr.example/fhir2/Observation", "https://ehr.example/FHIR/Observation", "https://ehr.example/fhir%2fObservation",
])  # fmt: skip
def test_rule_5_nor_one_beside_the_base(ehr, link):
    """Another application may live on the same host, and the token is for this one."""
    ehr.get(FIRST, json=bundle(observation("1"), following=link))
    answer = search()
    assert (answer.outcome, answer.why, ids(answer)) == (PARTIAL, "the next page is outside of the FHIR server's own address", ["1"])
    assert len(ehr.calls) == 1 and answer.cut_short


@pytest.mark.parametrize("link", ["https://evil.example/Observation", "http://ehr.example/fhir/Observation?page=2",
                                  "https://ehr.example:8443/fhir", "//evil.example", "https://token@ehr.example/fhir",
                                  "https://evil.example\\@ehr.example/", "file:///etc/passwd", "http://[", 7, {}, ""])
def test_rule_5_no_other_next_is_followed(ehr, link):
    ehr.get(FIRST, json=bundle(observation("1"), following=link))
    answer = search()
    assert (answer.outcome, ids(answer)) == (PARTIAL, ["1"])
    assert "example" not in answer.why


@pytest.mark.parametrize("links", [None, "text", 7, [None], [{"url": FIRST}], [{"relation": "next"}]])
def test_rule_5_malformed_links_leave_the_end_open(ehr, links):
    ehr.get(FIRST, json=bundle(observation("1"), link=links))
    assert (search().outcome, search().why) == (PARTIAL, "the links between the pages are malformed")


def test_rule_5_repeated_pages_stop(ehr):
    ehr.get(FIRST, json=bundle(observation("1"), following="?page=2"))
    ehr.get(f"{BASE}/Observation?page=2", json=bundle(observation("2"), following=FIRST))
    answer = search()
    assert (answer.outcome, answer.why, ids(answer)) == (PARTIAL, "the pages repeat", ["1", "2"])


def test_rule_5_pages_are_capped(ehr):
    for page in range(1, 4):
        url = FIRST if page == 1 else f"{BASE}/Observation?page={page}"
        ehr.get(url, json=bundle(observation(str(page)), following=f"?page={page + 1}"))
    answer = search(max_pages=3)
    assert (answer.outcome, answer.why) == (PARTIAL, "there are more pages than we read")
    assert ids(answer) == ["1", "2", "3"]


@pytest.mark.parametrize("fault", [{"status": 500},
                                   {"status": 400, "json": message("fatal", "processing", "4113")["resource"]},
                                   {"status": 302}, {"body": "<html>", "content_type": "text/html"},
                                   {"json": bundle(observation("2"), message("fatal", "exception"))}])
def test_rule_4_a_page_that_fails_after_good_ones_is_partial(ehr, fault):
    ehr.get(FIRST, json=bundle(observation("1"), following="?page=2"))
    ehr.get(f"{BASE}/Observation?page=2", **fault)
    answer = search()
    assert (answer.outcome, ids(answer)) == (PARTIAL, ["1"])
    assert answer.why.startswith("a later page failed: ")


def test_rule_4_results_withheld_on_any_page_make_the_whole_partial(ehr):
    ehr.get(FIRST, json=bundle(message("warning", "suppressed", "59204"), following="?page=2"))
    ehr.get(f"{BASE}/Observation?page=2", json=bundle(observation("1")))
    answer = search()
    assert (answer.outcome, answer.why, ids(answer)) == (PARTIAL, "the FHIR server withheld some results", ["1"])


@pytest.mark.parametrize("total", [0, 1, 5_000, -1, "many", None])
def test_rule_6_total_is_never_used(ehr, total):
    ehr.get(FIRST, json=bundle(observation("1"), observation("2"), total=total))
    assert (search().outcome, ids(search())) == (ANSWERED, ["1", "2"])


def test_a_result_on_two_pages_counts_once(ehr):
    """Pages shift when a result is filed while we read."""
    ehr.get(FIRST, json=bundle(observation("1"), observation("2"), following="?page=2"))
    ehr.get(f"{BASE}/Observation?page=2", json=bundle(observation("2"), observation("3")))
    assert ids(search()) == ["1", "2", "3"]
