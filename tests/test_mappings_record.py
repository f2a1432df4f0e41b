"""Whose resource is this, is it valid, did it come twice: what reaches the facts, and what becomes an issue."""

from __future__ import annotations

import itertools
from datetime import date

import pytest

from charts import CHILD, Outcome, answers, condition, dose, facts, first_line_treatment, observation, patient, record, taking_part
from cds.finding import Why
from fhir_mappings import Answer, Record, read_patient
from fhir_mappings.sources import OBSERVED, SEARCHES

CHART = (patient(), condition("b_all", "relapse", "2025-08-25"), observation("creatinine", "0.5 mg/dL", "2025-08-28"), dose("idarubicin", "2025-09-03"),
         first_line_treatment("2019-02-01", "2021-06-30"), taking_part({"display": "NCT05827549"}, "2025-09-02"), answers({"lineage": "b-all"}))  # fmt: skip


def read(*resources, full_urls=frozenset(), patient_id=CHILD):
    told = record(*resources)
    return read_patient(Record(patient_id, told.answers, full_urls), date(2025, 9, 1))


def counts(told):
    """How much of the chart was used."""
    listed = (told.diagnoses, told.doses, told.first_line_end, told.enrolment)
    return [len(facts.items) for facts in listed] + [len(told.creatinine.readings), len(told.chart_review.answers), int(told.birth_date.known)]


def test_a_whole_chart_is_used():
    told = read(*CHART)
    assert counts(told) == [1] * 7 and told.issues == () and told.not_looked_up == ()


def of_another(resource, reference):
    element = next(iter({"subject", "individual"} & resource.keys()))
    return {**resource, element: reference}


@pytest.mark.parametrize("reference", [{"reference": "Patient/other"}, {"reference": "https://ehr.example/fhir/Patient/other"}, {"reference": "Patient/child2"},
                                       {"reference": "Group/child"}, {"reference": "urn:uuid:unknown"}])  # fmt: skip
@pytest.mark.parametrize("place", range(1, 7))
def test_a_resource_of_another_patient_is_never_used(place, reference):
    foreign = of_another(CHART[place], reference)
    told = read(*CHART[:place], foreign, *CHART[place + 1 :])
    assert sum(counts(told)) == 6
    assert any(issue.reference == f"{foreign['resourceType']}/{foreign['id']}" for issue in told.issues)


@pytest.mark.parametrize("reference", [None, {}, {"display": "the child"}, {"identifier": {"value": CHILD}}, "Patient/child", {"reference": None}])
@pytest.mark.parametrize("place", range(1, 7))
def test_a_clinical_resource_that_names_no_patient_is_an_issue(place, reference):
    nameless = of_another(CHART[place], reference)
    told = read(*CHART[:place], nameless, *CHART[place + 1 :])
    assert sum(counts(told)) == 6 and told.issues


@pytest.mark.parametrize("reference", ["Patient/child", "https://ehr.example/fhir/Patient/child", "Patient/child/_history/2", "urn:uuid:entry-1"])
def test_every_way_to_name_the_child(reference):
    chart = [CHART[0], *(of_another(r, {"reference": reference}) for r in CHART[1:])]
    assert counts(read(*chart, full_urls=frozenset({"urn:uuid:entry-1"}))) == [1] * 7


def test_the_patient_of_somebody_else_is_not_read():
    told = read(patient(), patient_id="other")
    assert not told.birth_date.known and told.sex.options == {"male", "female"}


@pytest.mark.parametrize("broken", [{"birthDate": "next spring"}, {"gender": ["male"]}, {"name": "Kim"}, {"unknownElement": 1}])
def test_a_patient_that_is_not_valid_tells_nothing(broken):
    told = read({**patient(), **broken})
    assert not told.birth_date.known and len(told.sex.options) == 2 and told.issues


@pytest.mark.parametrize("place", range(1, 7))
def test_a_rejected_resource_is_an_issue_with_its_reference(place):
    rejected = {**CHART[place], "unknownElement": {"a": 1}}
    told = read(*CHART[:place], rejected, *CHART[place + 1 :])
    assert [issue.reference for issue in told.issues if "not valid FHIR R4" in issue.words] == [f"{rejected['resourceType']}/{rejected['id']}"]
    assert "unknownElement" in " ".join(issue.words for issue in told.issues)


def test_an_issue_quotes_no_patient_data():
    told = read({**CHART[2], "valueQuantity": {"value": "Kim Minji", "unit": "mg/dL"}})
    assert not any("Kim Minji" in issue.words for issue in told.issues if "not valid" in issue.words)


def test_the_same_resource_twice_counts_once_and_its_newest_version():
    old = {**CHART[2], "meta": {"lastUpdated": "2025-08-28T10:00:00Z"}}
    new = {**CHART[2], "meta": {"lastUpdated": "2025-08-29T10:00:00Z"}, "status": "entered-in-error"}
    assert len(read(CHART[2], CHART[2]).creatinine.readings) == 1
    for pair in ([old, new], [new, old]):
        assert read(*pair).creatinine.readings == ()


def test_of_two_versions_of_the_patient_neither_decides_by_its_place():
    boy = {"resourceType": "Patient", "id": CHILD, "birthDate": "2015-03-15", "gender": "male"}
    for pair in itertools.permutations([boy, {**boy, "birthDate": "2015"}]):
        assert read(*pair).birth_date.exact
    for pair in itertools.permutations([boy, {**boy, "birthDate": "2009-01-01", "gender": "female", "deceasedBoolean": True}]):
        told = read(*pair)
        assert (str(told.birth_date), [gap.reason for gap in told.birth_date.gaps]) == ("2009-01-01 to 2015-03-15", [Why.CONFLICT])
        assert told.sex.options == {"male", "female"} and told.sex.gaps[0].reason is Why.CONFLICT and told.deceased.options == {"yes"}
    for pair in itertools.permutations([boy, {**boy, "birthDate": 5}]):
        assert not read(*pair).birth_date.known, "what the broken version said, nobody knows"


def test_an_instant_orders_versions_not_its_spelling():
    old = {**CHART[2], "meta": {"lastUpdated": "2025-08-29T01:00:00+09:00"}}
    new = {**CHART[2], "meta": {"lastUpdated": "2025-08-28T20:00:00Z"}, "status": "cancelled"}
    for pair in ([old, new], [new, old]):
        assert read(*pair).creatinine.readings == ()


def test_a_resource_under_two_searches_counts_once():
    told = record(*CHART)
    assert len(read_patient(told, date(2025, 9, 1)).creatinine.readings) == 1
    assert sum(CHART[2] in told.answer(search.name).resources for search in SEARCHES) > 1


def test_resources_without_an_id_are_each_one():
    nameless = [{key: value for key, value in observation("creatinine", told, "2025-08-28").items() if key != "id"} for told in ("0.5 mg/dL", "0.6 mg/dL")]
    assert len(read(*nameless).creatinine.readings) == 2


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.NOT_ASKED, Outcome.PARTIAL])
@pytest.mark.parametrize("search", [search.name for search in SEARCHES])
def test_a_search_that_was_not_answered_in_full_is_told(search, outcome):
    told = facts(*CHART, **{search: outcome})
    words = next(s.words for s in SEARCHES if s.name == search)
    assert [where for where, _ in told.not_looked_up] == [words]
    for observed in OBSERVED:
        gap = getattr(told, observed.fact).gap
        assert bool(gap) == (observed.search == search)


def test_entries_that_were_no_resource_become_issues():
    told = record(*CHART)
    broken = {**told.answers, "laboratory": Answer(Outcome.ANSWERED, (), rejected=("an entry without a resource",))}
    issues = read_patient(Record(CHILD, broken), date(2025, 9, 1)).issues
    assert [issue.words for issue in issues] == ["an entry without a resource; it was not used"]


def test_an_empty_record_is_read():
    told = read_patient(Record(CHILD), date(2025, 9, 1))
    assert len(told.not_looked_up) == len(SEARCHES) and not told.birth_date.known


def test_what_other_people_write_is_left_alone():
    """Reading changes nothing in the record."""
    before = repr(CHART)
    read(*CHART)
    assert repr(CHART) == before


SEX = [({"gender": "male"}, "male"), ({"gender": "female"}, "female"), ({"gender": "other"}, "female/male"), ({"gender": "unknown"}, "female/male"), ({"gender": "banana"}, "female/male"), ({}, "female/male"),
       ({"gender": "male", "extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": "F"}]}, "female/male"),
       ({"gender": "unknown", "extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": "F"}]}, "female/male"),
       ({"gender": "other", "extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": "M"}]}, "female/male"),
       ({"extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": "F"}]}, "female"),
       ({"gender": "other", "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse", "valueCode": "female"}]}, "female")]  # fmt: skip


@pytest.mark.parametrize("told, expected", SEX)
def test_sex(told, expected):
    child = {key: value for key, value in patient().items() if key != "gender"} | told
    assert "/".join(sorted(read(child).sex.options)) == expected


@pytest.mark.parametrize("reference", ["urn:uuid:unknown", "Group/1", "#p", "patient/other", "Patient?identifier=7", "Device/1"])
def test_a_subject_that_leads_to_nobody_may_be_this_child(reference):
    """Like a record that does not say whose it is; a true reference to another Patient stays another patient's."""
    lost, others = (of_another(observation("HIV test", "negative", "2025-08-28"), {"reference": r}) for r in (reference, "Patient/other"))
    assert read(patient(), lost).hiv.gap.reason is Why.NOT_LOOKED_UP and read(patient(), others).hiv.gap is None
    assert [issue.words.split(";")[0] for issue in read(patient(), lost, others).issues] == ["names nobody who is known", "is about another patient"]
