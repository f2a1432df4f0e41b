"""A drug that a record names by what it is made of: followed where that came along, and a question where it did not."""

from __future__ import annotations

from datetime import date

import pytest

from cds import assess
from cds.trials.nct05827549 import PROTOCOL
from charts import DRUGS, answers, concept, condition, facts, medication
from fhir_mappings import read_patient
from hooks.bundle import record_from_bundle

ADMINISTRATION, STATEMENT = "MedicationAdministration", "MedicationStatement"
GIVEN = "2024-01-01"
BLINATUMOMAB, SALINE = concept(DRUGS["blinatumomab"]), {"text": "sodium chloride 0.9 %"}


def drug(id, *ingredients, **more):
    return {"resourceType": "Medication", "id": id, **({"ingredient": list(ingredients)} if ingredients else {}), **more}


def substance(id, code=None, **more):
    return {"resourceType": "Substance", "id": id, **({"code": code} if code else {}), **more}


def made_of(reference, **more):
    return {"itemReference": {"reference": reference, **more}}


BAG = drug("bag", made_of("Medication/vial"))
ALONG = {  # what the dose refers to, what it holds inside, what came with it
    "another Medication": ("Medication/bag", (), (BAG, drug("vial", code=BLINATUMOMAB))),
    "a Substance": ("Medication/bag", (), (drug("bag", made_of("Substance/powder")), substance("powder", BLINATUMOMAB))),
    "by an absolute address": ("Medication/bag", (), (drug("bag", made_of("https://ehr.example/fhir/Medication/vial/_history/2")), drug("vial", code=BLINATUMOMAB))),
    "among others": ("Medication/bag", (), (drug("bag", {"itemCodeableConcept": SALINE}, made_of("Substance/powder")), substance("powder", BLINATUMOMAB))),
    "both inside the dose": ("#bag", (drug("bag", made_of("#powder")), substance("powder", BLINATUMOMAB)), ()),
    "inside the Medication": ("Medication/bag", (), (drug("bag", made_of("#vial"), contained=[drug("vial", code=BLINATUMOMAB)]),)),
    "the first inside, the second beside": ("#bag", (BAG,), (drug("vial", code=BLINATUMOMAB),)),
    "twice over": ("Medication/kit", (), (drug("kit", made_of("Medication/bag")), BAG, drug("vial", code=BLINATUMOMAB))),
    "an ingredient of the ingredient": ("Medication/bag", (), (BAG, drug("vial", {"itemCodeableConcept": BLINATUMOMAB}))),
    "a substance of substances": ("Medication/bag", (), (drug("bag", made_of("Substance/mix")),
                                                         substance("mix", ingredient=[{"substanceReference": {"reference": "Substance/powder"}}]), substance("powder", BLINATUMOMAB))),
    "in a ring": ("Medication/bag", (), (BAG, drug("vial", made_of("Medication/bag"), {"itemCodeableConcept": BLINATUMOMAB}))),
}  # fmt: skip
NOWHERE = {
    "one that is elsewhere": (drug("bag", made_of("Substance/elsewhere")),),
    "one of two": (drug("bag", {"itemCodeableConcept": SALINE}, made_of("Medication/elsewhere")),),
    "one that leads on": (BAG, drug("vial", made_of("Medication/elsewhere"))),
    "one inside that is not there": (drug("bag", made_of("#nothing")),),
}
SOMETHING_ELSE = {
    "other ingredients": (drug("bag", made_of("Substance/salt")), substance("salt", SALINE)),
    "a code of its own": (drug("bag", made_of("Medication/elsewhere"), code=concept(DRUGS["vincristine"])),),
    "words beside the reference": (drug("bag", {**made_of("Medication/elsewhere"), "itemCodeableConcept": SALINE}),),
    "nothing but each other": (BAG, drug("vial", {"itemCodeableConcept": SALINE}, made_of("Medication/bag"))),
    "a list that is none": (drug("bag", ingredient="saline"),),
}


def judged(*told):
    relapsed = [condition("b_all", "active", "2019-01-01"), condition("b_all", "relapse", "2025-08-01", sites=["marrow"])]
    history = answers({"treatment-history-complete": True}, "2025-08-01")
    return assess(PROTOCOL, facts(*relapsed, history, *told)).as_json("test")


def blinatumomab_naive(found):
    return next(c["truth"] for c in found["criteria"] if c["id"] == "INC-05")


def dose(kind, reference, inside=()):
    return medication(kind, "blinatumomab", "completed", GIVEN, medicationCodeableConcept=None, medicationReference={"reference": reference},
                      **({"contained": list(inside)} if inside else {}))  # fmt: skip


@pytest.mark.parametrize("kind", [ADMINISTRATION, STATEMENT])
@pytest.mark.parametrize(("reference", "inside", "beside"), ALONG.values(), ids=ALONG)
def test_an_ingredient_that_came_along_is_followed(kind, reference, inside, beside):
    assert blinatumomab_naive(judged(dose(kind, reference, inside), *beside)) == "not_met"


def test_a_bundle_brings_substances_along():
    _, _, beside = ALONG["a Substance"]
    child = {"resourceType": "Patient", "id": "child"}
    record = record_from_bundle({"resourceType": "Bundle", "entry": [{"resource": r} for r in (child, dose(STATEMENT, "Medication/bag"), *beside)]})
    read = read_patient(record, date(2025, 9, 1))
    assert [e.sure.value for e in read.blinatumomab.items] == ["met"]
    assert not [issue for issue in read.issues if "Substance" in str(issue.reference)], "it belongs to no patient"


@pytest.mark.parametrize("kind", [ADMINISTRATION, STATEMENT])
@pytest.mark.parametrize("beside", NOWHERE.values(), ids=NOWHERE)
def test_an_ingredient_that_did_not_come_along_may_be_any(kind, beside):
    assert blinatumomab_naive(judged(dose(kind, "Medication/bag"), *beside)) == "unknown"


@pytest.mark.parametrize("beside", NOWHERE.values(), ids=NOWHERE)
def test_a_dose_of_it_is_an_issue(beside):
    told = [issue["words"] for issue in judged(dose(ADMINISTRATION, "Medication/bag"), *beside)["issues"]]
    assert told == ["names its drug only by a reference that could not be followed; it was not used"]


@pytest.mark.parametrize("kind", [ADMINISTRATION, STATEMENT])
@pytest.mark.parametrize("beside", SOMETHING_ELSE.values(), ids=SOMETHING_ELSE)
def test_a_drug_that_says_what_it_is_raises_no_question(kind, beside):
    found = judged(dose(kind, "Medication/bag"), *beside)
    assert (blinatumomab_naive(found), found["issues"]) == ("met", [])


def test_a_dose_is_used_for_what_it_names_though_another_ingredient_is_not_known():
    bag = drug("bag", {"itemCodeableConcept": concept(DRUGS["vincristine"])}, made_of("Medication/elsewhere"))
    read = facts(dose(ADMINISTRATION, "Medication/bag"), bag)
    assert ([d.drug for d in read.doses.items], read.issues) == (["vincristine"], ())
    assert read.blinatumomab.gap is not None


def test_words_beside_a_reference_that_leads_nowhere_ask():
    bag = drug("bag", made_of("Substance/elsewhere", display="Blinatumomab 38.5 ug"))
    read = facts(dose(STATEMENT, "Medication/bag"), bag)
    assert [(e.kind, e.sure.value) for e in read.blinatumomab.items] == [("given", "unknown")]
