"""The chart-review Questionnaire, for a form tool or an EHR to show: what a clinician is asked, and the answers to offer.

`chart_review.py` reads what comes back, by the same linkIds and codes (tested). Nothing is required: a question left
open stays unknown, and a wrong guess is worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fhir_mappings.chart_review import QUESTIONNAIRE
from fhir_mappings.code_systems import OWN
from fhir_mappings.units import UCUM

VERSION = "1"  # one more whenever a question or an answer changes
URL = f"http://example.org{QUESTIONNAIRE}"  # a site puts its own address in front; the end is what is recognised
DATE, CHOICE, BOOLEAN, PERCENT = "date", "choice", "boolean", "quantity"
UNIT_OPTION = "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption"
ITEM_CONTROL = "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl"
HELP = {"coding": [{"system": "http://hl7.org/fhir/questionnaire-item-control", "code": "help"}]}


class Question(NamedTuple):
    link_id: str
    type: str
    text: str
    options: Mapping[str, str] = {}  # code: what the clinician reads
    help: str = ""
    repeats: bool = False
    comparator: bool = False  # an amount that laboratories also report as a limit, `<0.01`


EVER = {"yes": "Yes", "no": "No, never"}
YES_NO = {"yes": "Yes", "no": "No"}
PARTLY = "If the day is not known, the month or the year alone is of use."

GROUPS: Mapping[str, tuple[str, tuple[Question, ...]]] = {
    "history": ("From first diagnosis to the end of frontline treatment", (
        Question("initial-diagnosis-date", DATE, "Date of the first diagnosis of leukaemia", help=PARTLY),
        Question("lineage", CHOICE, "Which leukaemia is it?",
                 {"b-all": "B-ALL (precursor B)", "t-all": "T-ALL (precursor T)", "mixed-phenotype": "Mixed phenotype acute leukaemia",
                  "burkitt-or-mature-b": "Burkitt or mature B leukaemia", "lymphoblastic-lymphoma": "Lymphoblastic lymphoma"},
                 "By the relapse sample if it was typed, otherwise by the first diagnosis."),
        Question("frontline-induction-end-date", DATE, "Last day of the frontline induction",
                 help="The first induction after diagnosis. " + PARTLY),
        Question("same-four-drug-induction", CHOICE, "Was it the same four-drug induction that this trial uses?", YES_NO,
                 "The registry text does not name the four drugs: the trial protocol does. It matters only for a relapse within a month."),
        Question("off-treatment-date", DATE, "Last day of frontline treatment (end of maintenance)",
                 help="Leave it open if the relapse came during treatment. " + PARTLY),
        Question("on-treatment-at-relapse", BOOLEAN, "Was the child still on frontline treatment when the relapse came?"),
        Question("prior-allogeneic-transplant", CHOICE, "Allogeneic stem cell transplant, ever?", EVER,
                 "Elsewhere too. An autologous transplant does not count."),
        Question("prior-blinatumomab", CHOICE, "Blinatumomab, ever?", EVER,
                 "Any dose, elsewhere too; not the blinatumomab of this trial."),
        Question("treatment-history-complete", BOOLEAN, "Does this record cover all treatment since the first diagnosis?",
                 help="Yes only if nothing was given elsewhere without a summary here: what is not in the record is then taken as "
                 "never given."),
    )),
    "relapse": ("The relapse", (
        Question("relapse-date", DATE, "Date of the relapse", help="The day of the first sample that showed it. " + PARTLY),
        Question("relapse-ordinal", CHOICE, "Which relapse is it?",
                 {"first": "First relapse", "second-or-later": "Second or later relapse", "refractory": "Never in remission (refractory)",
                  "suspected": "Suspected, not yet documented"}),
        Question("relapse-site", CHOICE, "Where is the relapse?",
                 {"isolated-marrow": "Marrow only", "combined": "Marrow and another site", "extramedullary-only": "Outside the marrow only"}),
        Question("extramedullary-site", CHOICE, "Which sites outside the marrow?",
                 {"cns": "CNS", "testis": "Testis", "other": "Another site"}, "Every site that is involved.", repeats=True),
        Question("relapse-marrow-blasts", PERCENT, "Marrow blasts at relapse, by morphology (%)",
                 help="From a sample before reinduction; not by flow cytometry, and not in blood."),
    )),
    "results": ("Results", (
        Question("cd19-on-relapse-blasts", CHOICE, "CD19 on the blasts of this relapse, as the laboratory reads it",
                 {"positive": "Positive", "partial": "Partial, dim or a subset", "negative": "Negative"},
                 "By flow cytometry, of this relapse and not of the first diagnosis."),
        Question("bcr-abl1", CHOICE, "BCR::ABL1 or t(9;22), by any method, ever", {"positive": "Positive", "negative": "Negative"},
                 "Ph-like is not positive."),
        Question("non-pregnancy-evidence", CHOICE, "For girls: what shows that she is not pregnant, other than a test?",
                 {"premenarchal": "Before the first period", "no-possibility-by-history": "No possibility, on taking the history",
                  "amenorrhoea-over-1-year": "No period for more than a year",
                  "menopause-over-1-year": "Menopause for more than a year, natural or by treatment",
                  "surgically-sterilised": "Surgically sterilised"},
                 "For the treating team only. Leave it open if a pregnancy test is on record."),
    )),
    "reinduction": ("Reinduction and end of induction", (
        Question("enrolment-date", DATE, "Date of enrolment in this trial", help="Eligibility is judged as of this day, and not again."),
        Question("reinduction-start-date", DATE, "First day of the reinduction"),
        Question("eoi-date", DATE, "Date of the end-of-induction assessment"),
        Question("eoi-marrow-category", CHOICE, "Marrow at end of induction",
                 {"M1": "M1: less than 5 % blasts", "M2": "M2: 5 to 25 % blasts", "M3": "M3: more than 25 % blasts"},
                 "By morphology. Leave it open if the sample was inadequate."),
        Question("eoi-ngs-mrd", PERCENT, "MRD at end of induction, marrow, by NGS (%)",
                 help="100 cells per million are 0.01 %. Not detected: enter 0 here, and the limit of detection below. Flow cytometry "
                 "and PCR do not count.", comparator=True),
        Question("eoi-ngs-mrd-lod", PERCENT, "Limit of detection of that sample (%)",
                 help="On the laboratory's report. Without it, “not detected” shows nothing."),
    )),
    "judgement": ("Judgement of the investigator", (
        Question("life-expectancy-at-least-1-year", CHOICE, "Is a life expectancy of one year or more expected?", YES_NO,
                 "Answers to this part count from the day after the relapse; an earlier relapse's answers have expired."),
        Question("expected-compliance", CHOICE, "Is the child, with the family, expected to comply with the study procedures?", YES_NO),
        Question("consent-and-assent-signed", CHOICE, "Are consent and assent signed, before any study procedure?",
                 {"yes": "Yes", "no": "Not yet", "refused": "Refused"}, "“Refused” fails the criterion; “Not yet” leaves it open."),
        Question("unstable-condition", CHOICE, "Is there an unstable condition that would put the child at risk?", YES_NO),
        Question("relevant-cns-pathology", CHOICE, "Is there clinically relevant CNS pathology?", YES_NO,
                 "Such as unstable epilepsy, paralysis, severe brain injury, cerebellar disease, psychosis. One sentence of the text "
                 "accepts CNS leukaemia in a combined relapse, another names active CNS involvement: that is for the investigator too."),
    )),
}  # fmt: skip

QUESTIONS: Mapping[str, Question] = {question.link_id: question for _, questions in GROUPS.values() for question in questions}


def questionnaire() -> dict[str, Any]:
    """The FHIR R4 Questionnaire, complete."""
    return {
        "resourceType": "Questionnaire",
        "id": QUESTIONNAIRE.rpartition("/")[2],
        "url": URL,
        "version": VERSION,
        "name": "ChartReviewNCT05827549",
        "title": "Chart review for NCT05827549: first relapse of childhood acute lymphoblastic leukaemia",
        "status": "active",
        "subjectType": ["Patient"],
        "description": "What records have no dependable place for. Answer what you know and leave the rest open: nothing is "
        "required, and an open question stays unknown. An answer never overrides the record silently: where the two differ, both are shown.",
        "item": [{"linkId": link_id, "type": "group", "text": title, "item": [_item(question) for question in questions]}
                 for link_id, (title, questions) in GROUPS.items()],
    }  # fmt: skip


def _item(question: Question) -> dict[str, Any]:
    item: dict[str, Any] = {"linkId": question.link_id, "type": question.type, "text": question.text}
    if question.type == PERCENT:
        item["extension"] = [{"url": UNIT_OPTION, "valueCoding": {"system": UCUM, "code": "%", "display": "%"}}]
    if question.repeats:
        item["repeats"] = True
    if question.options:
        item["answerOption"] = [{"valueCoding": {"system": OWN, "code": code, "display": words}} for code, words in question.options.items()]
    if question.help:
        shown = {"extension": [{"url": ITEM_CONTROL, "valueCodeableConcept": HELP}]}
        item["item"] = [{"linkId": f"{question.link_id}-help", "type": "display", "text": question.help, **shown}]
    return item
