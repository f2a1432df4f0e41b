"""What the child received and takes part in: transplant, blinatumomab, other trials, consent (INC-04, INC-05, EXC-10, INC-10 to 12)."""

from __future__ import annotations

from datetime import timedelta

from hooks.demo.fhir_builders import concept

from invented import codes
from invented.story import REGISTERED, Story

TRANSPLANT_FINE = ("none", "none", "autologous")
TRANSPLANT_TROUBLE = ("allogeneic", "answered yes", "silent", "donor not said", "graft-versus-host")
BLINATUMOMAB_FINE = ("none", "none", "in the trial")
BLINATUMOMAB_TROUBLE = ("given", "taken", "by reference", "ordered", "silent", "unnamed drug")
TRIALS_FINE = ("none", "none", "follow-up", "observational", "over", "withdrawn")
TRIALS_TROUBLE = ("treatment", "unclear")
CONSENT_FINE = ("nothing", "nothing", "a document", "signed")
CONSENT_TROUBLE = ("refused", "refusal answered", "refused and signed")
JUDGED_FINE = ("open", "open", "all answered", "epilepsy")
JUDGED_TROUBLE = ("short life", "will not comply", "unstable", "CNS pathology")

TRANSPLANT_UNKNOWN = {"silent": "missing", "donor not said": "missing", "graft-versus-host": "conflict"}
BLINATUMOMAB_UNKNOWN = {"ordered": "conflict", "silent": "missing", "unnamed drug": "not_looked_up"}
JUDGEMENTS = {"INC-10": "life-expectancy-at-least-1-year", "INC-11": "expected-compliance", "EXC-11": "unstable-condition", "EXC-12": "relevant-cns-pathology"}
FAILS = {"short life": "INC-10", "will not comply": "INC-11", "unstable": "EXC-11", "CNS pathology": "EXC-12"}


def history(story: Story) -> None:
    transplant, blinatumomab = story.plan["transplant"], story.plan["blinatumomab"]
    past = story.days.diagnosis + timedelta(days=40)
    for kind, code in (("allogeneic", codes.ALLOGENEIC), ("donor not said", codes.TRANSPLANT_DONOR_UNSAID), ("autologous", codes.AUTOLOGOUS)):
        if transplant == kind:
            story.procedure(code, past)
    if transplant == "graft-versus-host":
        story.condition(codes.GRAFT_VERSUS_HOST, "active", past)
    _blinatumomab(story, blinatumomab)
    never = {"prior-allogeneic-transplant": transplant in TRANSPLANT_FINE, "prior-blinatumomab": blinatumomab in BLINATUMOMAB_FINE}
    if all(never.values()) and story.rng.random() < 0.5:
        story.answers["treatment-history-complete"] = True
    else:
        story.answers.update({question: "no" for question, answered in never.items() if answered})
    if transplant == "answered yes":
        story.answers["prior-allogeneic-transplant"] = "yes"
    _never(story, "INC-04", transplant, TRANSPLANT_FINE, TRANSPLANT_UNKNOWN)
    _never(story, "INC-05", blinatumomab, BLINATUMOMAB_FINE, BLINATUMOMAB_UNKNOWN)


def _never(story: Story, criterion: str, which: str, fine: tuple[str, ...], unknown: dict[str, str]) -> None:
    if which in fine:
        story.say("met", None, criterion)
    else:
        story.say(*(("unknown", unknown[which]) if which in unknown else ("not_met", None)), criterion)


def _blinatumomab(story: Story, which: str) -> None:
    past = story.days.diagnosis + timedelta(days=45)
    if which == "given":
        story.drug("MedicationAdministration", codes.BLINATUMOMAB, past)
    elif which == "taken":
        story.drug("MedicationStatement", codes.BLINATUMOMAB, past)
    elif which == "ordered":
        story.drug("MedicationRequest", codes.BLINATUMOMAB, past, "active")
    elif which == "by reference":  # the drug stands in a Medication, which names no child
        medication = story.add("Medication", code=codes.BLINATUMOMAB)
        story.drug("MedicationAdministration", {}, past, medicationReference={"reference": f"Medication/{medication['id']}"})
    elif which == "unnamed drug":  # the Medication was not exported
        story.drug("MedicationAdministration", {}, past, medicationReference={"reference": f"Medication/{story.id}-not-exported"})
    elif which == "in the trial" and story.days.eoi:
        story.drug("MedicationAdministration", codes.BLINATUMOMAB, story.days.eoi)


def trials(story: Story) -> None:
    which, frozen = story.plan["trials"], story.days.frozen
    start, end = frozen - timedelta(days=400), frozen - timedelta(days=40)
    study: dict = {"display": "NCT00000000: frontline treatment of childhood ALL"}
    if which == "observational":
        kind = concept("http://terminology.hl7.org/CodeSystem/research-study-prim-purp-type", "observational", "Observational")
        registry = story.add("ResearchStudy", status="active", title="A registry of childhood cancer", category=[kind])
        study = {"reference": f"ResearchStudy/{registry['id']}"}
    status = {"treatment": "on-study-intervention", "unclear": "on-study", "follow-up": "follow-up", "observational": "on-study-intervention",
              "over": "on-study-intervention", "withdrawn": "withdrawn"}.get(which)  # fmt: skip
    if status:
        story.taking_part(status, start, study, end if which == "over" else None)
    story.say(*{"treatment": ("met", None), "unclear": ("unknown", "missing")}.get(which, ("not_met", None)), "EXC-10")


def consent(story: Story) -> None:
    which, day = story.plan["consent"], story.days.frozen
    status = {"a document": "active", "refused": "rejected", "refused and signed": "rejected"}.get(which)
    if status:
        story.add("Consent", status=status, patient=story.ref(), dateTime=str(day),
                  scope=concept("http://terminology.hl7.org/CodeSystem/consentscope", "research", "Research"),
                  category=[concept("http://loinc.org", "57016-8", "Privacy policy acknowledgment Document")],
                  policy=[{"uri": f"https://clinicaltrials.gov/study/{REGISTERED['value']}"}])  # fmt: skip
    answer = {"signed": "yes", "refused and signed": "yes", "refusal answered": "refused"}.get(which)
    if answer:
        story.answers["consent-and-assent-signed"] = answer
    truth = {"signed": ("met", None), "refused": ("not_met", None), "refusal answered": ("not_met", None), "refused and signed": ("unknown", "conflict")}
    story.say(*truth.get(which, ("unknown", "judgement")), "INC-12")


def judged(story: Story) -> None:
    """What only an investigator can say; nothing in a record answers it."""
    which = story.plan["judged"]
    if which == "epilepsy":
        story.condition(codes.EPILEPSY, "active", story.days.diagnosis)
    for criterion, question in JUDGEMENTS.items():
        good, bad = ("yes", "no") if criterion.startswith("INC") else ("no", "yes")
        fails = FAILS.get(which) == criterion
        if which == "all answered" or fails:
            story.answers[question] = bad if fails else good
            story.say("met" if story.answers[question] == "yes" else "not_met", None, criterion)
        else:
            story.say("unknown", "judgement", criterion)
