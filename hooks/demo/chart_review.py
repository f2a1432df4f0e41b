"""The chart review as a clinician would have filled it in: facts that have no home of their own in FHIR."""

from __future__ import annotations

from datetime import date
from typing import Any

from hooks.demo.fhir_builders import OURS, TRIAL, Chart, Resource

QUESTIONNAIRE = f"http://example.org/Questionnaire/{TRIAL.lower()}-chart-review"

REVIEWER: Resource = {
    "resourceType": "Practitioner",
    "id": "dr-quillfeather",
    "name": [{"use": "official", "family": "Quillfeather", "given": ["Ottilie"], "prefix": ["Dr"]}],
    "qualification": [{"code": {"text": "Paediatric haemato-oncology"}}],
}
REVIEWER_NAME = "Dr Ottilie Quillfeather"

STUDY: Resource = {
    "resourceType": "ResearchStudy",
    "id": TRIAL.lower(),
    "identifier": [{"system": "https://clinicaltrials.gov", "value": TRIAL}],
    "title": "Relapsed acute lymphoblastic leukaemia in children and adolescents",
    "status": "active",
}

QUESTIONS = {
    "frontline-induction-end-date": "End of the first (frontline) induction",
    "off-treatment-date": "Last day of frontline treatment",
    "on-treatment-at-relapse": "On frontline treatment when the relapse came",
    "relapse-ordinal": "Which relapse is this",
    "prior-allogeneic-transplant": "Allogeneic transplant before",
    "prior-blinatumomab": "Blinatumomab before",
    "treatment-history-complete": "Record covers all treatment since first diagnosis",
    "non-pregnancy-evidence": "Evidence against pregnancy",
    "enrolment-date": "Enrolled in the trial",
    "reinduction-start-date": "First day of reinduction",
    "eoi-date": "End-of-induction assessment",
}


def answer(chart: Chart, authored: date, answers: dict[str, date | bool | str]) -> None:
    """One completed chart review; the questions not asked are simply not there."""
    chart.add(
        "QuestionnaireResponse",
        questionnaire=QUESTIONNAIRE,
        status="completed",
        subject=chart.ref(),
        authored=f"{authored}T15:40:00+09:00",
        author={"reference": f"Practitioner/{REVIEWER['id']}", "display": REVIEWER_NAME},
        item=[
            {"linkId": link, "text": QUESTIONS[link], "answer": [_value(given)]}
            for link, given in answers.items()
        ],
    )  # fmt: skip


def _value(given: date | bool | str) -> Resource:
    if isinstance(given, bool):
        return {"valueBoolean": given}
    if isinstance(given, date):
        return {"valueDate": str(given)}
    return {"valueCoding": {"system": OURS, "code": given, "display": given.replace("-", " ")}}


def enrolled(chart: Chart, day: date, status: str = "on-study-intervention", **more: Any) -> None:
    """The trial's own register says so, as a ResearchSubject."""
    chart.add(
        "ResearchSubject",
        status=status,
        period={"start": str(day)},
        study={
            "reference": f"ResearchStudy/{STUDY['id']}",
            "identifier": STUDY["identifier"][0],
            "display": f"{TRIAL}: {STUDY['title']}",
        },
        individual=chart.ref(),
        **more,
    )
