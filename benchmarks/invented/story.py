"""One invented child while the story is being told: the chart, the answers of the chart review, and the truth of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from hooks.demo.chart_review import QUESTIONNAIRE
from hooks.demo.fhir_builders import OURS, TRIAL, Chart, Resource, concept, measured

from invented.truth import RiskFacts

PERSONS = ("Dr Ottilie Quillfeather", "Dr Balthasar Fenwick", "Dr Mirabel Oakenshaw")
REGISTERED = {"system": "https://clinicaltrials.gov", "value": TRIAL}


@dataclass
class Days:
    """The dates one illness turns on. `frozen` is the day on which eligibility is judged: today, or enrolment."""

    born: date
    diagnosis: date
    relapse: date
    frozen: date
    reinduction: date | None = None
    eoi: date | None = None


@dataclass
class Story(Chart):
    rng: Random = field(default_factory=Random)
    plan: Mapping[str, str] = field(default_factory=dict)  # aspect: what happens there
    days: Days | None = None
    sex: str = "male"
    truths: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)  # linkId: what the clinician said
    risk: dict[str, Any] = field(default_factory=dict)  # the fields of RiskFacts that the story settles
    older: set[str] = field(default_factory=set)  # tests of which older results change nothing
    lineage: str = "B"  # "B", "T", "both" when they contradict, or "" for anything else

    def ref(self) -> Resource:
        """Always relative, as Bulk Data servers export it."""
        return {"reference": f"Patient/{self.id}"}

    def say(self, truth: str, reason: str | None, *criteria: str) -> None:
        self.truths.update(dict.fromkeys(criteria, (truth, reason)))

    def silent_on(self, *criteria: str) -> None:
        """The story does not determine these."""
        for criterion in criteria:
            self.truths.pop(criterion, None)

    def lately(self, most: int = 5) -> date:
        """A day of the work-up: after the relapse, a few days before eligibility is judged at most."""
        return self.days.frozen - timedelta(days=self.rng.randint(0, min(most, (self.days.frozen - self.days.relapse).days)))

    def result(self, code: Resource, day: date, value: Resource, *, status: str = "final", **more: Any) -> None:
        self.observation(code, day, value, **more)
        self.resources[-1]["status"] = status

    def drug(self, kind: str, drug: Resource, day: date, status: str = "completed", **more: Any) -> None:
        when = {"authoredOn": str(day), "intent": "order"} if kind == "MedicationRequest" else {"effectiveDateTime": f"{day}T11:00:00+09:00"}
        content = {"medicationCodeableConcept": drug} if drug else {}
        self.add(kind, status=status, subject=self.ref(), **content, **when, **more)

    def procedure(self, code: Resource, day: date, status: str = "completed") -> None:
        self.add("Procedure", status=status, code=code, subject=self.ref(), performedDateTime=str(day))

    def allergy(self, code: Resource, **more: Any) -> None:
        system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
        stated = {"clinicalStatus": concept(system + "clinical", "active", "Active"),
                  "verificationStatus": concept(system + "verification", "confirmed", "Confirmed")}  # fmt: skip
        self.add("AllergyIntolerance", patient=self.ref(), recordedDate=str(self.days.diagnosis), code=code, **{**stated, **more})

    def taking_part(self, status: str, start: date, study: Resource, end: date | None = None) -> None:
        period = {"start": str(start)} | ({"end": str(end)} if end else {})
        self.add("ResearchSubject", status=status, period=period, study=study, individual=self.ref())

    def reviewed(self) -> None:
        """The chart review with everything that was answered, in one response or, as happens, in two."""
        told = list(self.answers.items())
        cut = self.rng.randint(1, len(told)) if len(told) > 3 and self.rng.random() < 0.3 else len(told)
        for part in filter(None, (told[:cut], told[cut:])):
            self.add("QuestionnaireResponse", questionnaire=QUESTIONNAIRE, status="completed", subject=self.ref(),
                     authored=f"{self.today}T15:40:00+09:00", author={"display": self.rng.choice(PERSONS)},
                     item=[{"linkId": link, "answer": [_answer(given)]} for link, given in part])  # fmt: skip

    def risk_facts(self) -> RiskFacts:
        return RiskFacts(**self.risk)


def _answer(given: Any) -> Resource:
    if isinstance(given, bool):
        return {"valueBoolean": given}
    if isinstance(given, dict):
        return given
    dated = isinstance(given, date) or given[:4].isdigit()
    return {"valueDate": str(given)} if dated else {"valueCoding": {"system": OURS, "code": given}}


def bare(value: float) -> Resource:
    """A number without its unit, which is no number."""
    return {"valueQuantity": {"value": value}}


def between(low: float, high: float, unit: str) -> Resource:
    ends = {name: measured(value, unit)["valueQuantity"] for name, value in (("low", low), ("high", high))}
    return {"valueRange": ends}


def years_later(day: date, years: int) -> date:
    """The anniversary; that of a 29 February is 1 March in other years."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
