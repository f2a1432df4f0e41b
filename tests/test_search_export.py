"""A cohort without an export: who has leukaemia is searched for, and each child is fetched; from a real server and from bad ones."""

from __future__ import annotations

import json

import pytest

import hostile_fhir
from fhir_mappings import Outcome, codelists
from fhir_mappings.code_systems import ICD_O_3
from fhir_mappings.diagnoses import is_leukaemia
from fhir_mappings.sources import SEARCHES
from hook_calls import TODAY
from hooks.demo.children import transaction
from hooks.screen.progress import Progress
from hooks.screen.search_export import NotSearchable, SearchError, children_by_search, patients_listed, patients_with_leukaemia
from hostile_fhir import HostileFhir

RESOURCES = [entry["resource"] for entry in transaction(TODAY)["entry"]]
LEUKAEMIC = tuple(sorted({r["subject"]["reference"].removeprefix("Patient/") for r in RESOURCES if r["resourceType"] == "Condition" and is_leukaemia(r)}))
CHILD = LEUKAEMIC[0]
NAMES = {search.name for search in SEARCHES}


def unheard(told):
    """Nobody listens."""


@pytest.fixture(scope="module")
def real(start_fhir_server):
    server = start_fhir_server()
    server.load(transaction(TODAY))
    return server


def test_a_real_server_is_searched_and_every_child_is_fetched(real):
    told = []
    records = list(children_by_search(real.base_url, None, told=told.append))
    assert tuple(record.patient_id for record in records) == LEUKAEMIC and len(LEUKAEMIC) > 5
    assert f"{len(LEUKAEMIC)} patients with a leukaemia diagnosis" in told
    assert [t for t in told if isinstance(t, Progress)][-1] == Progress("children", len(records), len(records))
    for record in records:
        assert record.answer("conditions").complete and any(map(is_leukaemia, record.answer("conditions").resources))
        assert set(record.answers) == NAMES


def test_no_address_is_too_long(monkeypatch):
    """Two hundred more codes, as a site may have, are searched for in parts."""
    with_more = codelists.read_codelists([("b_all", "system,code,display,relation,why\n" + "".join(
        f"{ICD_O_3},{n:04}/3,invented {n},exact,test\n" for n in range(1_000, 1_300)))])
    monkeypatch.setattr("hooks.screen.search_export.LEUKAEMIA", ("b_all",))
    with codelists.using(with_more), HostileFhir(hostile_fhir.keeping(RESOURCES)) as server:
        patients_with_leukaemia(server.url, None, told=unheard)
        asked = [path for path, _ in server.heard]
    assert len(asked) == 2 and max(map(len, asked)) < 1_800 and sum(path.count("/3") for path in asked) == 300


def test_children_listed_come_in_that_order_each_once(real):
    wanted = [*LEUKAEMIC[:4][::-1], LEUKAEMIC[3], "nobody-here", "../Patient"]
    records = list(patients_listed(real.base_url, None, wanted, told=unheard))
    assert [record.patient_id for record in records] == [*LEUKAEMIC[:4][::-1], "nobody-here", "../Patient"]
    assert records[4].answer("patient").outcome is Outcome.FAILED and records[4].answer("patient").why == "not found"
    assert set(records[4].answers) == NAMES and all(records[0].answer(name).outcome is not Outcome.FAILED for name in ("patient", "conditions", "laboratory"))


def test_the_failure_of_one_child_does_not_end_the_others():
    sound = hostile_fhir.keeping(RESOURCES)
    bad = LEUKAEMIC[1]
    behaviour = lambda talk: (hostile_fhir.status(500) if bad in talk.path else sound)(talk)  # noqa: E731
    with HostileFhir(behaviour) as server:
        records = list(patients_listed(server.url, None, LEUKAEMIC[:3], told=unheard, seconds_per_child=20))
    assert [record.answer("patient").outcome for record in records] == [Outcome.ANSWERED, Outcome.FAILED, Outcome.ANSWERED]
    assert {answer.outcome for answer in records[1].answers.values()} == {Outcome.FAILED} and set(records[1].answers) == NAMES
    assert records[1].answer("laboratory").why == "not asked for, because of the child's own data or problem list: the FHIR server answered 500"


def test_a_child_whose_server_hangs_is_left_after_its_time():
    sound = hostile_fhir.keeping(RESOURCES)
    behaviour = lambda talk: (hostile_fhir.hang if LEUKAEMIC[0] in talk.path else sound)(talk)  # noqa: E731
    with HostileFhir(behaviour) as server:
        records = list(patients_listed(server.url, None, LEUKAEMIC[:2], told=unheard, seconds_per_child=1.5))
    assert records[0].answer("patient").why == "no answer in time" and records[1].answer("patient").complete


def test_many_children_that_fail_do_not_keep_the_next_from_being_tried():
    with HostileFhir(hostile_fhir.status(500)) as server:
        records = list(patients_listed(server.url, None, [f"p{n}" for n in range(12)], told=unheard))
    assert {record.answer("patient").why for record in records} == {"the FHIR server answered 500"}


def test_a_server_that_ignores_the_code_gives_no_more_children():
    every = [r for r in RESOURCES if r["resourceType"] == "Condition"]
    page = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r, "search": {"mode": "match"}} for r in every]}
    with HostileFhir(hostile_fhir.answer(page)) as server:
        assert patients_with_leukaemia(server.url, None, told=unheard) == LEUKAEMIC


REFUSED = {
    "400": (hostile_fhir.status(400), NotSearchable, "does not search the diagnoses of all patients by code"),
    "403": (hostile_fhir.status(403), SearchError, r"failed: forbidden \(403\)"),
    "required": (hostile_fhir.answer({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "required"}]}), NotSearchable, "one id a line"),
    "404": (hostile_fhir.status(404), SearchError, "does not keep this kind of record"),
    "a web page": (hostile_fhir.web_page, SearchError, "web page"),
    "another server's next page": (hostile_fhir.with_next(RESOURCES, lambda talk, number: "https://elsewhere.example/"), None, "there may be more children"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_search_that_is_refused_names_the_remedy(name):
    behaviour, error, why = REFUSED[name]
    told = []
    with HostileFhir(behaviour) as server:
        if error is None:
            assert patients_with_leukaemia(server.url, None, told=told.append) == LEUKAEMIC
            assert why in told[0]
        else:
            with pytest.raises(error, match=why) as refused:
                patients_with_leukaemia(server.url, None, told=told.append)
            assert type(refused.value) is error


def test_nobody_found_is_told_with_the_remedy():
    told = []
    with HostileFhir(hostile_fhir.answer({"resourceType": "Bundle", "type": "searchset"})) as server:
        assert list(children_by_search(server.url, None, told=told.append)) == []
    assert told == ["no patient with a leukaemia diagnosis was found; if that cannot be, list the patients in a file, one id a line"]


def test_no_child_is_told():
    told = []
    with HostileFhir(hostile_fhir.keeping(RESOURCES)) as server:
        next(patients_listed(server.url, "secret-token", LEUKAEMIC, told=told.append)).patient_id  # and no more is asked for
    assert CHILD not in json.dumps([str(each) for each in told]) and "secret-token" not in str(told)
