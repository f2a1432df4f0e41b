"""order-select and order-sign: a warning when a draft would itself break a criterion for a child who may still take part.

Everything else is silence: another order, another child, a child who is enrolled or for whom it no longer matters.
"""

from __future__ import annotations

from copy import deepcopy

import pytest
import structlog

from hook_calls import EHR, TODAY, TOKEN, Chart, assessment, client, playing, refusal, tell
from hooks.demo.children import CHILDREN

PATH = "/cds-services/nct05827549-"
CHILD = "screening-complete"
RXNORM, SNOMED, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct", "http://www.whocc.no/atc"
BLINATUMOMAB, ALLOGENEIC, VINCRISTINE = (RXNORM, "1597258"), (SNOMED, "58390007"), (RXNORM, "11202")
BLINATUMOMAB_SENTENCE = "Patients who have never received blinatumomab before"
TRANSPLANT_SENTENCE = "Patients who have never received allogeneic stem cell transplant"


def concept(*codes, text=None):
    told = {"coding": [{"system": system, "code": code} for system, code in codes]} if codes else {}
    return told | ({"text": text} if text else {})


def drug(*codes, id="d1", status="draft", subject=f"Patient/{CHILD}", text=None, **more):
    told = {"resourceType": "MedicationRequest", "id": id, "status": status, "intent": "order", "subject": {"reference": subject}}
    return told | ({"medicationCodeableConcept": concept(*codes, text=text)} if codes or text else {}) | more


def procedure(*codes, id="p1", status="draft", subject=f"Patient/{CHILD}", text=None, **more):
    return {"resourceType": "ServiceRequest", "id": id, "status": status, "intent": "order", "code": concept(*codes, text=text),
            "subject": {"reference": subject}, **more}  # fmt: skip


def call(chart, *drafts, hook="order-sign", selections=None, user="Practitioner/1", **more):
    context = {"userId": user, "patientId": chart.id,
               "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": d} for d in drafts]}}  # fmt: skip
    if hook == "order-select":
        context["selections"] = [f"{d['resourceType']}/{d['id']}" for d in drafts] if selections is None else selections
    return chart.call(**{"hook": hook, "context": context, "prefetch": chart.prefetch(), **more})


def cards_for(*drafts, chart=None, **how):
    hook = how.get("hook", "order-sign")
    clinician = how.get("user", "Practitioner/1").startswith("Practitioner")
    answer = tell(client(), call(chart or Chart(CHILD), *drafts, **how), PATH + hook, by_the_book=clinician)
    assert answer.status_code == 200, answer.text
    return answer.json["cards"]


def about(chart_id, *drafts, **how):
    """The same drafts, for another child of the demonstration."""
    of_child = [deepcopy(d) | {"subject": {"reference": f"Patient/{chart_id}"}} for d in drafts]
    return cards_for(*of_child, chart=Chart(chart_id), **how)


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize(("draft", "criterion", "sentence"), [
    (drug(BLINATUMOMAB), "INC-05", BLINATUMOMAB_SENTENCE),
    (drug((ATC, "L01FX07")), "INC-05", BLINATUMOMAB_SENTENCE),
    (drug((RXNORM, "0"), BLINATUMOMAB), "INC-05", BLINATUMOMAB_SENTENCE),
    (drug(text="Blincyto 38.5 ug vial"), "INC-05", BLINATUMOMAB_SENTENCE),
    (drug(contained=[{"resourceType": "Medication", "id": "m", "code": concept(BLINATUMOMAB)}], medicationReference={"reference": "#m"}),
     "INC-05", BLINATUMOMAB_SENTENCE),
    (drug(BLINATUMOMAB, status="active"), "INC-05", BLINATUMOMAB_SENTENCE),
    (procedure(ALLOGENEIC), "INC-04", TRANSPLANT_SENTENCE),
])  # fmt: skip
def test_an_order_that_would_break_a_criterion_is_warned_of(hook, draft, criterion, sentence):
    (card,) = cards_for(draft, hook=hook)
    assert card["indicator"] == "warning" and criterion in card["summary"]
    assert criterion in card["detail"] and sentence in card["detail"]
    assert "suggestions" not in card, "it warns, and takes nothing out of the clinician's hands"


def test_a_medication_may_be_another_draft():
    medication = {"resourceType": "Medication", "id": "m1", "code": concept(BLINATUMOMAB)}
    order = drug(medicationReference={"reference": "Medication/m1"})
    assert cards_for(medication, order) and cards_for(medication, order, hook="order-select", selections=["MedicationRequest/d1"])


def test_a_medication_may_be_made_of_another_draft():
    bag = {"resourceType": "Medication", "id": "bag", "ingredient": [{"itemReference": {"reference": "Substance/powder"}}]}
    powder = {"resourceType": "Substance", "id": "powder", "code": concept(BLINATUMOMAB)}
    order = drug(medicationReference={"reference": "Medication/bag"})
    assert cards_for(bag, powder, order) and cards_for(bag, powder, order, hook="order-select", selections=["MedicationRequest/d1"])


def test_a_medication_may_be_named_by_the_bundles_own_address():
    url = "urn:uuid:11111111-1111-4111-8111-111111111111"
    told = call(Chart(CHILD), drug(medicationReference={"reference": url}))
    told["context"]["draftOrders"]["entry"].append({"fullUrl": url, "resource": {"resourceType": "Medication", "code": concept(BLINATUMOMAB)}})
    assert tell(client(), told, PATH + "order-sign").json["cards"]


@pytest.mark.parametrize(("draft", "criterion"), [
    (drug(medicationReference={"reference": "Medication/elsewhere", "display": "Blinatumomab 38.5 mcg"}), "INC-05"),
    (drug(text="블린사이토주"), "INC-05"),
    (procedure(text="Blinatumomab infusion"), "INC-05"),
    (procedure(text="Allogeneic stem cell transplantation"), "INC-04"),
    (procedure(text="동종조혈모세포이식"), "INC-04"),
])  # fmt: skip
def test_an_order_in_words_only_is_warned_of(draft, criterion):
    (card,) = cards_for(draft)
    assert criterion in card["summary"]


def test_one_card_names_all_criteria():
    (card,) = cards_for(drug(BLINATUMOMAB), procedure(ALLOGENEIC), drug(VINCRISTINE, id="d2"))
    assert "INC-04" in card["summary"] and "INC-05" in card["summary"]
    assert BLINATUMOMAB_SENTENCE in card["detail"] and TRANSPLANT_SENTENCE in card["detail"]


@pytest.mark.parametrize("drafts", [
    (), (drug(VINCRISTINE),), (drug(),), (procedure((SNOMED, "77465005")),), (procedure(text="transplant clinic visit"),),
    (drug(BLINATUMOMAB, status="cancelled"),), (drug(BLINATUMOMAB, status="entered-in-error"),), (drug(BLINATUMOMAB, doNotPerform=True),),
    (procedure(ALLOGENEIC, status="revoked"),), ({"resourceType": "NutritionOrder", "id": "n"},),
    ({"resourceType": "Medication", "id": "m1", "code": concept(BLINATUMOMAB)},), ({"resourceType": 5}, {}),
], ids=repr)  # fmt: skip
def test_any_other_order_gets_no_card_and_asks_the_fhir_server_nothing(drafts):
    chart = Chart(CHILD)
    with playing(chart) as ehr:
        answer = tell(client(), call(chart, *drafts, prefetch=None, fhirServer=EHR, fhirAuthorization=TOKEN), PATH + "order-sign")
    assert (answer.status_code, answer.json, ehr.asked) == (200, {"cards": []}, [])


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.id)
def test_only_a_candidate_is_warned_of(child):
    warned = bool(about(child.id, drug(BLINATUMOMAB)))
    enrolled = any(r["resourceType"] == "ResearchSubject" or "enrolment-date" in str(r) for r in Chart(child.id).resources)
    for_good = child.id == "ph-positive"
    assert warned is (child.overall != "not_applicable" and not enrolled and not for_good)


def test_a_child_who_is_enrolled_gets_blinatumomab_by_the_study():
    chart = Chart(CHILD)
    assert cards_for(drug(BLINATUMOMAB), chart=chart)
    chart.resources.append({
        "resourceType": "ResearchSubject", "id": "r", "status": "on-study", "individual": {"reference": f"Patient/{CHILD}"},
        "study": {"identifier": {"value": "NCT05827549"}}, "period": {"start": TODAY.isoformat()},
    })  # fmt: skip
    assert not cards_for(drug(BLINATUMOMAB), chart=chart)


def test_a_child_who_had_it_before_is_lost_to_the_trial_already():
    chart = Chart(CHILD)
    chart.resources = [r for r in chart.resources if r["resourceType"] != "QuestionnaireResponse"]
    chart.resources.append({
        "resourceType": "MedicationAdministration", "id": "given", "status": "completed", "subject": {"reference": f"Patient/{CHILD}"},
        "medicationCodeableConcept": concept(BLINATUMOMAB), "effectiveDateTime": "2024-01-01",
    })  # fmt: skip
    assert not cards_for(drug(BLINATUMOMAB), chart=chart)


def test_of_order_select_only_what_is_selected_counts():
    drafts = drug(BLINATUMOMAB), drug(VINCRISTINE, id="d2")
    assert cards_for(*drafts, hook="order-select", selections=["MedicationRequest/d1"])
    assert not cards_for(*drafts, hook="order-select", selections=["MedicationRequest/d2"])


@pytest.mark.parametrize(("first", "warned"), [("MedicationRequest/d1", True), ("MedicationRequest/d2", False)])
def test_a_selection_that_is_not_among_the_drafts_is_noted_and_widens_nothing(first, warned):
    """The clinician has not chosen the other drafts; a warning of one of them would be about an order nobody makes."""
    drafts = drug(BLINATUMOMAB), drug(VINCRISTINE, id="d2")
    with structlog.testing.capture_logs() as logs:
        assert bool(cards_for(*drafts, hook="order-select", selections=[first, "MedicationRequest/elsewhere"])) is warned
    (line,) = [log for log in logs if log["event"] == "selections_not_found"]
    assert (line["not_found"], line["selections"]) == (1, 2) and "elsewhere" not in str(logs)


@pytest.mark.parametrize("selections", [["MedicationRequest/elsewhere"], ["d1"], ["MedicationRequest/d1/_history/1", "medicationrequest/d1"]])
def test_selections_of_which_none_is_among_the_drafts_are_refused(selections):
    """No card would say that nothing is wrong with the order that was selected."""
    answer = tell(client(), call(Chart(CHILD), drug(BLINATUMOMAB), hook="order-select", selections=selections), PATH + "order-select")
    assert answer.status_code == 400 and refusal(answer).startswith("context.selections: ") and "d1" not in refusal(answer)


def test_nothing_selected_is_nothing_to_warn_of():
    assert not cards_for(drug(BLINATUMOMAB), hook="order-select", selections=[])


@pytest.mark.parametrize("user", ["Patient/1", "RelatedPerson/1"])
def test_no_card_for_a_portal(user):
    assert not cards_for(drug(BLINATUMOMAB), user=user)


def test_the_card_carries_the_childs_assessment_of_today():
    """Judged as the chart stands, not as if the order were done."""
    answer = tell(client(), call(Chart(CHILD), drug(BLINATUMOMAB)), PATH + "order-sign")
    assert assessment(answer)["overall"] == "eligible_pending_clinician_review"


def test_another_childs_draft_ends_the_call():
    answer = tell(client(), call(Chart(CHILD), drug(BLINATUMOMAB, subject="Patient/other")), PATH + "order-sign")
    assert answer.status_code == 400 and "draftOrders" in refusal(answer)


@pytest.mark.parametrize(("hook", "change", "named"), [
    ("order-sign", {"draftOrders": None}, "context.draftOrders"),
    ("order-sign", {"draftOrders": []}, "context.draftOrders"),
    ("order-sign", {"draftOrders": {"resourceType": "List"}}, "context.draftOrders"),
    ("order-sign", {"draftOrders": {"resourceType": "Bundle", "entry": {}}}, "context.draftOrders"),
    ("order-select", {"selections": None}, "context.selections"),
    ("order-select", {"selections": "MedicationRequest/d1"}, "context.selections"),
    ("order-select", {"selections": [5]}, "context.selections"),
    ("encounter-start", {"encounterId": None}, "context.encounterId"),
    ("encounter-start", {"encounterId": 5}, "context.encounterId"),
])  # fmt: skip
def test_what_a_hook_needs_is_named(hook, change, named):
    told = call(Chart(CHILD), drug(BLINATUMOMAB), hook=hook)
    told["context"] = {k: v for k, v in {**told["context"], "encounterId": "e1", **change}.items() if v is not None}
    answer = tell(client(), told, PATH + hook)
    assert answer.status_code == 400 and refusal(answer).startswith(f"{named}: "), answer.text


def test_encounter_start_judges_as_patient_view_does():
    chart = Chart(CHILD)
    context = {"userId": "Practitioner/1", "patientId": chart.id, "encounterId": "e1"}
    first = tell(client(), chart.call(chart.prefetch()))
    second = tell(client(), chart.call(chart.prefetch(), hook="encounter-start", context=context), PATH + "encounter-start")
    assert assessment(first) == assessment(second)


@pytest.mark.parametrize("hook", ["patient-view", "encounter-start", "order-select", "order-sign"])
def test_a_hook_belongs_to_its_service(hook):
    for other in {"patient-view", "encounter-start", "order-select", "order-sign"} - {hook}:
        assert tell(client(), call(Chart(CHILD), hook=hook), PATH + other).status_code == 400
