"""What the vendors' sandboxes really answered, read from the wire to the facts and on to a judgement.

Each recorded answer is replayed, asked for by our client, and given to the mapping as the record of its patient. Their
surprises must come out right: a unit that is displayed in another spelling than coded, results withheld without a word,
outcome entries among results, refusals of every shape.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from cds import assess
from cds.trials import NCT05827549
from cds_hooks_schema import check_assessment
from charts import CLINICAL, SNOMED, VERIFICATION, concept
from fhir_mappings import Answer, Outcome, Record, read_patient
from fhir_mappings.sources import SEARCHES
from hooks.deadline import Deadline
from hooks.fhir_server import FhirServer
from recorded_sandboxes import replaying

KINDS = ("Patient", "Condition", "Observation", "Procedure", "MedicationRequest", "AllergyIntolerance")
AS_OF = date(2026, 5, 11)
B_ALL = "277571004"


def kind_of(recording):
    return next((part for part in reversed(urlsplit(recording.request).path.split("/")) if part in KINDS), None)


def patient_of(recording):
    """Whose answer it is: the id that was read, or the `patient` that was searched for."""
    parts = urlsplit(recording.request)
    asked = parse_qs(parts.query)
    return asked.get("patient", [parts.path.rsplit("/", 1)[-1]])[0].removeprefix("Patient/")


def asked_again(base_url, recording):
    """The answer that our client makes of the replayed recording."""
    parts = urlsplit(recording.request)
    with FhirServer(base_url, deadline=Deadline.after(20)) as server:
        if kind_of(recording) == "Patient" and not parts.query:
            return server.read("Patient", patient_of(recording))
        return server.search(kind_of(recording), parse_qsl(parts.query))


@pytest.fixture(scope="module")
def charts(recordings, recordings_folder):
    """(vendor, patient): the answers to each kind of question about this patient, as our client reads them."""
    found = {}
    for vendor in sorted({each.vendor for each in recordings}):
        with replaying(recordings_folder, vendor) as base_url:
            for each in recordings:
                if each.vendor == vendor and kind_of(each) and each.status == 200:
                    found.setdefault((vendor, patient_of(each)), {}).setdefault(kind_of(each), []).append(asked_again(base_url, each))
    return found


def record_of(patient_id, answers):
    """The vendor's answers under the names of our searches: all its Observations stand for each search of ours."""
    told = {}
    for search in SEARCHES:
        of_kind = answers.get(search.resource_type, [])
        if of_kind:
            worst = max(of_kind, key=lambda a: list(Outcome).index(a.outcome))
            told[search.name] = replace(worst, resources=tuple(r for answer in of_kind for r in answer.resources))
    told.setdefault("patient", Answer(Outcome.ANSWERED, ({"resourceType": "Patient", "id": patient_id, "gender": "male", "birthDate": "2014-01-01"},)))
    return Record(patient_id, told)


def test_every_kind_of_answer_was_recorded(recordings):
    assert {kind_of(each) for each in recordings} >= set(KINDS)


def test_every_recorded_answer_is_read_and_judged_without_a_crash(charts):
    assert len(charts) > 8
    read = 0
    for (_, patient_id), answers in charts.items():
        facts = read_patient(record_of(patient_id, answers), AS_OF)
        check_assessment(assess(NCT05827549, facts).as_json("0.1.0"))
        read += sum(len(answer.resources) for of_kind in answers.values() for answer in of_kind)
    assert read > 200


def test_every_recorded_answer_can_stand_under_every_search(recordings, charts):
    """An EHR that answers with something else than was asked for: the mapping must survive it."""
    everything = [answer for answers in charts.values() for of_kind in answers.values() for answer in of_kind]
    for search in SEARCHES:
        for answer in everything:
            patient_id = next((r["id"] for r in answer.resources if r["resourceType"] == "Patient"), "nobody")
            read_patient(Record(patient_id, {search.name: answer}), AS_OF)


def test_what_is_no_result_is_never_counted(charts):
    for answers in charts.values():
        for kind, of_kind in answers.items():
            assert {r["resourceType"] for answer in of_kind for r in answer.resources} <= {kind}


def test_epic_withholds_results_so_nothing_is_ever_none(charts):
    """Every Epic search was answered with "suppressed": what is not there is not looked up, and never missing."""
    epic = {patient: answers for (vendor, patient), answers in charts.items() if vendor == "epic"}
    assert epic
    for patient_id, answers in epic.items():
        searched = {kind: of_kind for kind, of_kind in answers.items() if kind != "Patient"}
        assert all(answer.outcome is Outcome.PARTIAL for of_kind in searched.values() for answer in of_kind)
        facts = read_patient(record_of(patient_id, answers), AS_OF)
        if "Observation" in searched:
            assert facts.creatinine.gap and facts.creatinine.gap.reason.value == "not_looked_up"
        if "Condition" in searched:
            assert facts.diagnoses.gap and facts.diagnoses.gap.reason.value == "not_looked_up"


@pytest.mark.parametrize("vendor", ["epic", "cerner"])
def test_a_refusal_is_a_failure_with_a_reason(recordings, replay, vendor):
    base_url = replay(vendor)
    refused = [each for each in recordings if each.vendor == vendor and each.status >= 400]
    assert {each.status for each in refused} == {400, 404}
    for each in refused:
        parts = urlsplit(each.request)
        with FhirServer(base_url, deadline=Deadline.after(20)) as server:
            kind, _, id = parts.path.removeprefix(urlsplit(base_url).path).strip("/").partition("/")
            answer = server.read(kind, id) if id else server.search(kind, parse_qsl(parts.query))
        unknown_type = each.status == 404 and not id  # a kind of record that is not kept; anything else is a failure
        expected = Outcome.NOT_KEPT if unknown_type else Outcome.FAILED
        assert (answer.outcome, answer.resources) == (expected, ()) and answer.why, each.name
        facts = read_patient(Record("p", {"laboratory": answer}), AS_OF)
        assert facts.creatinine.gap.reason.value == "not_looked_up"


# --- creatinine of a real laboratory --------------------------------------------------------------------------------------


def in_umol(charts):
    """The patients of Oracle with creatinine in µmol/L, and these results."""
    for (_, patient_id), answers in charts.items():
        results = [r for answer in answers.get("Observation", ()) for r in answer.resources
                   if any(c.get("code") in ("2160-0", "14682-9") for c in r["code"]["coding"])
                   and r.get("valueQuantity", {}).get("code") == "umol/L"]  # fmt: skip
        if results:
            yield patient_id, answers, results


def test_creatinine_shown_as_mcmol_is_read_by_its_code(charts):
    """1 mg/dL is 88.42 µmol/L; the display "mcmol/L" is no unit and decides nothing."""
    seen = list(in_umol(charts))
    assert seen
    for patient_id, answers, results in seen:
        assert {r["valueQuantity"]["unit"] for r in results} == {"mcmol/L"}
        facts = read_patient(record_of(patient_id, answers), AS_OF)
        readings = {reading.source.reference: reading for reading in facts.creatinine.readings}
        for result in results:
            reading = readings[f"Observation/{result['id']}"]
            if result["status"] in ("final", "amended", "corrected"):
                assert reading.value.unit == "mg/dL" and reading.problem is None
                assert abs(reading.value.low - Decimal(result["valueQuantity"]["value"]) / Decimal("88.42")) < Decimal("0.005")


def test_a_leukaemia_beside_it_is_judged_by_the_vendors_own_result(charts):
    """The chart of a sandbox patient with a relapse of today put into it: INC-06 rests on the recorded Observation, as far as
    the recording goes; a first page whose next was not recorded decides nothing. No dose was given: else the day may be frozen."""
    for patient_id, recorded, results in in_umol(charts):
        answers = {kind: [replace(answer, cut_short=False) for answer in of_kind] for kind, of_kind in recorded.items()}
        newest = max((r for r in results if r["status"] == "final"), key=lambda r: r["effectiveDateTime"])
        day = newest["effectiveDateTime"][:10]
        child = {"resourceType": "Patient", "id": patient_id, "gender": "male", "birthDate": f"{int(day[:4]) - 10}-01-01"}
        chart = {**answers, "MedicationAdministration": [Answer(Outcome.ANSWERED)], "Patient": [Answer(Outcome.ANSWERED, (child,))], "Condition": [Answer(Outcome.ANSWERED, tuple(relapse(patient_id, day)))]}
        found = assess(NCT05827549, read_patient(record_of(patient_id, chart), date.fromisoformat(day))).as_json("0.1.0")
        check_assessment(found)
        renal = next(c for c in found["criteria"] if c["id"] == "INC-06")
        mg = Decimal(newest["valueQuantity"]["value"]) / Decimal("88.42")
        assert renal["truth"] == ("met" if mg <= 1 else "not_met"), renal
        assert f"Observation/{newest['id']}" in {evidence["reference"] for evidence in renal["evidence"]}
        assert renal["basis"] == "recorded" and day in renal["words"]
        if any(answer.cut_short for answer in recorded["Observation"]):
            chart |= {"Observation": recorded["Observation"]}
            found = assess(NCT05827549, read_patient(record_of(patient_id, chart), date.fromisoformat(day))).as_json("0.1.0")
            renal = next(c for c in found["criteria"] if c["id"] == "INC-06")
            assert (renal["truth"], renal["reason"]) == ("unknown", "not_looked_up") and day in renal["words"]


def relapse(patient_id, day):
    """First diagnosis three years before, relapse on the day."""
    for id, status, onset in (("first", "remission", f"{int(day[:4]) - 3}{day[4:]}"), ("again", "relapse", day)):
        yield {
            "resourceType": "Condition", "id": id, "subject": {"reference": f"Patient/{patient_id}"}, "code": concept((SNOMED, B_ALL)),
            "clinicalStatus": concept((CLINICAL, status)), "verificationStatus": concept((VERIFICATION, "confirmed")), "onsetDateTime": onset,
        }  # fmt: skip
