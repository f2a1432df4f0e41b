"""Conditions to diagnoses: what a code settles, what it only hints at, and what verification and status add."""

from __future__ import annotations

import pytest

from charts import CLINICAL, SNOMED, VERIFICATION, Outcome, concept, condition, facts, patient
from cds import assess
from cds.trials.nct05827549 import PROTOCOL
from cds.truth import MET, NOT_MET, UNKNOWN
from fhir_mappings.code_systems import ICD_10, ICD_10_CM, ICD_O_3, KCD, NCIT


def diagnoses(*conditions):
    return facts(patient(), *conditions).diagnoses.items


def coded(*codes, **more):
    return {**condition("b_all", more.pop("status", "active"), "2019-02-01", **more), "code": concept(*codes)}


@pytest.mark.parametrize("verified, expected", [(None, MET), ("confirmed", MET), ("provisional", UNKNOWN), ("differential", UNKNOWN), ("unconfirmed", UNKNOWN),
                                                ("refuted", NOT_MET), ("banana", UNKNOWN)])  # fmt: skip
def test_verification(verified, expected):
    (found,) = diagnoses(condition("b_all", "active", "2019-02-01", verified=verified))
    assert found.confirmed is expected and found.lineages == {"b_all"}


def test_entered_in_error_does_not_exist():
    assert diagnoses(condition("b_all", "active", "2019-02-01", verified="entered-in-error")) == ()


def test_a_verification_without_a_code_confirms_nothing():
    (found,) = diagnoses({**condition("b_all"), "verificationStatus": {"text": "confirmed by phone"}})
    assert found.confirmed is UNKNOWN


@pytest.mark.parametrize(
    "code, lineages",
    [((SNOMED, "277571004"), {"b_all"}), (("http://snomed.info/sct/731000124108", "277571004"), {"b_all"}), (("urn:oid:2.16.840.1.113883.6.96", "277571004"), {"b_all"}),
     ((SNOMED, "277575008"), {"t_all"}), ((ICD_O_3, "9837/3"), {"t_all"}), ((SNOMED, "1187123005"), {"mixed_phenotype"}), ((SNOMED, "118617000"), {"burkitt_or_mature_b"}),
     ((SNOMED, "91857003"), set()), ((ICD_10_CM, "C91.00"), set()), ((ICD_10_CM, "C9100"), set()), ((ICD_10, "C91.0"), set()), ((KCD, "C91.0"), set()), ((KCD, "C910"), set())],
)  # fmt: skip
def test_a_code_that_decides(code, lineages):
    (found,) = diagnoses(coded(code))
    assert (found.family, found.lineages) == (MET, lineages)


@pytest.mark.parametrize("code", [(SNOMED, "91855006"), (SNOMED, "93143009"), (SNOMED, "188725004"), (ICD_10_CM, "C95.00"), (ICD_10_CM, "C91.90"), (SNOMED, "420890002"),
                                  (SNOMED, "721308005"), (ICD_10_CM, "C83.50")])  # fmt: skip
def test_a_broader_code_never_decides(code):
    """Not the lineage, not the family, not alone a relapse: it is seen and leaves things unknown."""
    for status in ("active", "relapse", "remission"):
        told = facts(patient(), coded(code, status=status))
        (found,) = told.diagnoses.items
        assert found.family is UNKNOWN and found.lineages == frozenset()
        assessment = assess(PROTOCOL, told)
        assert assessment.overall in ("not_applicable", "insufficient_data")
        of_the_disease = [j for j in assessment.criteria if j.criterion.id in ("INC-02", "INC-03", "EXC-01", "EXC-05")]
        assert all(judged.finding.truth is UNKNOWN for judged in of_the_disease)


@pytest.mark.parametrize("code", [(SNOMED, "91861009"), (ICD_10_CM, "C92.00"), (SNOMED, "195967001"), ("urn:hospital", "277571004"), (ICD_10_CM, "277571004"), (SNOMED, "277571005")])
def test_what_is_no_leukaemia_of_the_family_is_not_read(code):
    assert diagnoses(coded(code)) == ()


def test_text_without_a_code_is_not_read():
    assert diagnoses({**condition("b_all"), "code": {"text": "B-cell acute lymphoblastic leukaemia"}}) == ()


def test_every_coding_counts_and_one_code_may_state_several_facts():
    (found,) = diagnoses(coded(("urn:hospital", "ALL-7"), (ICD_10_CM, "C91.02"), (SNOMED, "723889003")))
    assert (found.lineages, found.relapse, found.ph_positive) == ({"b_all"}, True, True)
    assert facts(coded((SNOMED, "723889003"))).bcr_abl1.readings[0].value.options == {"positive"}


@pytest.mark.parametrize("code", [(SNOMED, "714251006"), (ICD_O_3, "9819/3")])
def test_ph_like_and_ph_negative_are_not_ph_positive(code):
    told = facts(coded(code))
    assert told.bcr_abl1.readings == () and told.diagnoses.items[0].lineages == {"b_all"}


@pytest.mark.parametrize("status, relapse, remission", [("active", False, False), ("relapse", True, False), ("recurrence", True, False), ("remission", False, True),
                                                        ("inactive", False, False), ("resolved", False, False), (None, False, False)])  # fmt: skip
def test_clinical_status(status, relapse, remission):
    (found,) = diagnoses(condition("b_all", status, "2019-02-01"))
    assert (found.relapse, found.remission, found.refractory) == (relapse, remission, False)


@pytest.mark.parametrize("code, attribute", [((SNOMED, "12301000132103"), "relapse"), ((ICD_10_CM, "C91.02"), "relapse"), ((SNOMED, "12311000132101"), "refractory"),
                                             ((SNOMED, "91856007"), "remission"), ((ICD_10_CM, "C91.01"), "remission"), ((SNOMED, "425941003"), "remission")])  # fmt: skip
def test_the_course_by_code(code, attribute):
    (found,) = diagnoses(coded(code))
    assert [name for name in ("relapse", "refractory", "remission") if getattr(found, name)] == [attribute]


def test_active_in_icd_says_nothing_of_a_relapse():
    """C91.00, "not having achieved remission", is in use for any active ALL."""
    (found,) = diagnoses(coded((ICD_10_CM, "C91.00")))
    assert not (found.relapse or found.refractory)


@pytest.mark.parametrize(
    "changes, sites",
    [({"bodySite": [concept((SNOMED, "14016003"))]}, {"marrow"}), ({"bodySite": [concept((SNOMED, "14016003")), concept((SNOMED, "40689003"))]}, {"marrow", "testis"}),
     ({"code": concept((SNOMED, "61301000119102"))}, {"cns"}), ({"code": concept((NCIT, "C9277"))}, {"testis"}), ({"bodySite": [{"text": "marrow"}]}, set()), ({}, set())],
)  # fmt: skip
def test_sites(changes, sites):
    (found,) = diagnoses({**condition("b_all", "relapse", "2025-08-25"), **changes})
    assert found.sites == sites


def test_lymphoma_of_the_testis_is_not_leukaemia_of_it():
    assert diagnoses(coded((SNOMED, "277664004"))) == ()


@pytest.mark.parametrize("where", ["category", "stage"])
@pytest.mark.parametrize("ordinal", ["first", "later"])
def test_the_ordinal_by_our_own_code(where, ordinal):
    told = concept(("urn:relapse-cds:codes", f"relapse-ordinal-{ordinal}"))
    more = {"category": [told]} if where == "category" else {"stage": [{"type": told, "summary": {"text": "relapse"}}]}
    (found,) = diagnoses(condition("b_all", "relapse", "2025-08-25", **more))
    assert found.ordinal == ordinal


@pytest.mark.parametrize(
    "onset, first, last",
    [({"onsetDateTime": "2019-02-01"}, "2019-02-01", "2019-02-01"), ({"onsetDateTime": "2019"}, "2019-01-01", "2019-12-31"),
     ({"onsetPeriod": {"start": "2019-02-01", "end": "2019-02-03"}}, "2019-02-01", "2019-02-03"), ({"onsetAge": {"value": 4, "unit": "a"}}, None, None),
     ({"onsetString": "at four years"}, None, None), ({"onsetDateTime": "0001-01-01"}, None, None), ({}, None, None)],
)  # fmt: skip
def test_onset(onset, first, last):
    (found,) = diagnoses({**condition("b_all"), **onset})
    day = found.onset
    assert (day and day.first and day.first.isoformat(), day and day.last and day.last.isoformat()) == (first, last)


def test_a_recording_date_is_only_the_latest_day_it_can_have_begun():
    (found,) = diagnoses(condition("b_all", recordedDate="2019-02-03"))
    assert found.onset is None and (found.starts.first, found.starts.last.isoformat()) == (None, "2019-02-03")


def test_a_rejected_resource_confirms_nothing_and_is_an_issue():
    told = facts(patient(), {**condition("b_all", "relapse", "2025-08-25"), "stage": "this is no list"})
    assert told.diagnoses.items[0].confirmed is UNKNOWN
    assert "not valid FHIR R4" in told.issues[0].words and told.issues[0].reference.startswith("Condition/")


def test_no_diagnosis_is_not_the_same_as_no_answer():
    assert assess(PROTOCOL, facts(patient())).overall == "not_applicable"
    assert assess(PROTOCOL, facts(patient(), conditions=Outcome.FAILED)).overall == "insufficient_data"
    assert assess(PROTOCOL, facts(patient(), conditions=Outcome.PARTIAL)).overall == "insufficient_data"
    assert facts(patient()).diagnoses.gap is None and "did not answer" in facts(patient(), conditions=Outcome.FAILED).diagnoses.gap.words


def test_a_deceased_child_is_not_judged():
    chart = [condition("b_all", "remission", "2019-02-01"), condition("b_all", "relapse", "2025-08-25")]
    assert assess(PROTOCOL, facts(patient(), *chart)).overall == "insufficient_data"
    for died in ({"deceasedBoolean": True}, {"deceasedDateTime": "2025-08-30"}):
        assert assess(PROTOCOL, facts(patient(**died), *chart)).overall == "not_applicable"
    assert assess(PROTOCOL, facts(patient(deceasedBoolean=False), *chart)).overall == "insufficient_data"


DEAD = [{"deceasedBoolean": True, "deceasedDateTime": "2025-08-30"}, {"deceasedBoolean": "true"}, {"deceasedBoolean": "True"}, {"deceasedDateTime": "last week"}, {"deceased": True},
        {"_deceasedDateTime": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}},
        {"deceasedBoolean": True, "name": "Kim"}, {"deceasedDateTime": "2025-08-30", "birthDate": "next spring"}]  # fmt: skip
UNCLEAR = [{"deceasedBoolean": False, "deceasedDateTime": "2025-08-30"}, {"deceasedBoolean": "perhaps"}, {"deceasedBoolean": 1}, {"deceasedDateTime": {}}]
ALIVE = [{}, {"deceasedBoolean": False}, {"deceasedBoolean": "false"}, {"deceasedBoolean": None}]


def test_a_patient_that_says_the_child_is_dead_never_reads_as_alive():
    """However broken: dead where all that is said says so, else at least open."""
    chart = [condition("b_all", "remission", "2019-02-01"), condition("b_all", "relapse", "2025-08-25")]
    assert {assess(PROTOCOL, facts(patient(**told), *chart)).overall for told in DEAD} == {"not_applicable"}
    assert {frozenset(facts(patient() | told, *chart).deceased.options) for told in UNCLEAR} == {frozenset({"yes", "no"})}
    assert {frozenset(facts(patient() | told, *chart).deceased.options) for told in ALIVE} <= {frozenset({"no"}), frozenset({"yes", "no"})}


def test_statuses_are_read_by_their_code_whatever_stands_beside_it():
    told = {**condition("b_all", None, "2025-08-25"), "clinicalStatus": {"coding": [{"system": "urn:hospital", "code": "RZ"}, {"system": CLINICAL, "code": "relapse"}]},
            "verificationStatus": {"coding": [{"system": VERIFICATION, "code": "confirmed"}]}}  # fmt: skip
    (found,) = diagnoses(told)
    assert found.relapse and found.confirmed is MET


@pytest.mark.parametrize("telling", ["relapse", "recurrence", "remission"])
def test_beside_a_broader_status_the_one_that_changes_the_answer_is_meant(telling):
    for codes in (("active", telling), (telling, "active")):
        (found,) = diagnoses({**condition("b_all", None, "2025-08-25"), "clinicalStatus": concept(*((CLINICAL, code) for code in codes))})
        assert (found.relapse, found.remission) == (telling != "remission", telling == "remission")


@pytest.mark.parametrize("telling, expected", [("refuted", NOT_MET), ("entered-in-error", None)])
def test_beside_confirmed_a_refutation_is_meant(telling, expected):
    for codes in (("confirmed", telling), (telling, "confirmed")):
        found = diagnoses({**condition("b_all"), "verificationStatus": concept(*((VERIFICATION, code) for code in codes))})
        assert [d.confirmed for d in found] == ([] if expected is None else [expected])
