"""From the record to the facts: select by code on raw JSON, validate the selected few, read them, report the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from cds.facts import Diagnosis, Event, Listed, PatientFacts, not_looked_up
from cds.finding import Evidence, Gap, Why
from cds.series import Reading, Series
from fhir_mappings import codelists, dates, treatments
from fhir_mappings.allergies import allergy
from fhir_mappings.chart_review import chart_review, is_chart_review
from fhir_mappings.checked import Check, validated
from fhir_mappings.conditions import condition_events, procedure_events, stated_by
from fhir_mappings.diagnoses import diagnosis, is_leukaemia, ph_positive_reading
from fhir_mappings.members import each, text
from fhir_mappings.observations import Result, unusable_reading
from fhir_mappings.person import read_person
from fhir_mappings.record import Outcome, Record, Resource
from fhir_mappings.sources import OBSERVED, SEARCHES, ObservedFact
from fhir_mappings.studies import consent, enrolment, is_this_trial, other_study
from fhir_mappings.subject import is_about, is_readable, names, reference_of
from fhir_mappings.units import CREATININE, MOLAR, unit_of


def read_patient(record: Record, as_of: date, check: Check = validated) -> PatientFacts:
    """Everything the record says of one child, as facts. Never raises for what a record holds."""
    return _Reading(record, as_of, check).facts()


class _Reading:
    """One pass over one record; collects the issues on the way."""

    def __init__(self, record: Record, as_of: date, check: Check):
        self.record, self.as_of, self.check = record, as_of, check
        self.issues: list[Evidence] = []
        self.patient = names(record.patient_id, record.full_urls)

    def facts(self) -> PatientFacts:
        diagnoses = self.diagnoses()
        observed = self.observed()
        philadelphia = [r for d in diagnoses if (r := ph_positive_reading(d))]
        observed["bcr_abl1"] = observed["bcr_abl1"].plus(*philadelphia)
        review, unread = chart_review(self.usable("answers", is_chart_review), self.failure("answers", "chart review"))
        self.issues += unread
        return PatientFacts(
            patient=f"Patient/{self.record.patient_id}",
            as_of=self.as_of,
            **self.person(),
            diagnoses=Listed(tuple(diagnoses), self.gap("conditions", "leukaemia diagnosis") or self.dropped_leukaemia()),
            doses=self.dated("administrations", "administered drugs", self.doses()),
            first_line_end=Listed(tuple(self.first_line_ends()), self.gap("procedures", "end of first-line treatment")),
            enrolment=self.dated("studies", "enrolment", self.enrolments()),
            chart_review=review,
            **self.events(),
            consent=Listed(tuple(self.singles("consents", "Consent", consent)), self.gap("consents", "consent")),
            allergies=Listed(tuple(self.singles("allergies", "AllergyIntolerance", allergy)), self.gap("allergies", "allergies")),
            **observed,
            issues=tuple(dict.fromkeys(self.issues)),
            not_looked_up=tuple((s.words, a.why) for s in SEARCHES if not (a := self.record.answer(s.name)).complete),
        )

    # --- what there is to read -----------------------------------------------------------------------------------

    def gap(self, search: str, fact: str) -> Gap | None:
        """Why absence proves nothing here; None when the search was answered in full."""
        answer = self.record.answer(search)
        return None if answer.complete else not_looked_up(fact, f"{fact}: {answer.why}")

    def failure(self, search: str, fact: str) -> Gap | None:
        """The gap of a search that was asked and did not answer. Where no chart review is kept, its silence is no gap."""
        return None if self.record.answer(search).outcome is Outcome.NOT_ASKED else self.gap(search, fact)

    def resources(self, *searches: str) -> Iterator[Resource]:
        """The child's own resources of these searches, each once; the newest version where one came twice."""
        found: dict[str, Resource] = {}
        for answer in map(self.record.answer, searches):
            self.issues += [Evidence(f"{words}; it was not used") for words in answer.rejected]
            for resource in answer.resources:
                reference = reference_of(resource) if resource.get("id") else _content(resource)
                same = found.get(reference)
                if same is None or same == resource or _newer(resource, same):
                    found[reference] = resource
                elif not _newer(same, resource):
                    found[f"{reference} {_content(resource)}"] = resource  # two versions, neither known to be newer: both count
        for _, resource in sorted(found.items()):  # in whatever order they came, they are read in the same one
            about = is_about(resource, self.patient)
            if about:
                yield resource
            elif resource.get("resourceType") not in REFERRED:
                whose = "names no patient" if about is None else "is about another patient"
                self.issue(resource, f"{whose}; it was not used")

    def referred(self, search: str) -> Mapping[str, Resource]:
        """What came along because the resources of a search refer to it, by `Type/id`."""
        kind = next(s.refers_to for s in SEARCHES if s.name == search)
        return {reference_of(r): r for r in self.record.answer(search).resources if r.get("resourceType") == kind}

    def issue(self, resource: Resource, words: str) -> None:
        self.issues.append(Evidence(words, reference_of(resource)))

    def valid(self, resource: Resource) -> bool:
        wrong = self.check(resource)
        if wrong:
            self.issue(resource, f"{wrong}; it was not used")
        return not wrong

    def usable(self, search: str, wanted) -> list[Resource]:
        return [r for r in self.resources(search) if wanted(r) and self.valid(r)]

    def dated(self, search: str, fact: str, items: Iterator[Any]) -> Listed:
        """Facts that other dates hang on: a search that failed must not read as "not yet"."""
        return Listed(tuple(items), self.gap(search, fact), self.record.answer(search).outcome is Outcome.FAILED)

    def dropped_leukaemia(self) -> Gap | None:
        """A leukaemia entry that names no patient, or one we cannot tell, was not used: then absence proves nothing."""
        dropped = [r for r in self.record.answer("conditions").resources if is_leukaemia(r) and not is_about(r, self.patient)]
        words = "a leukaemia entry does not say whose it is"
        return Gap("leukaemia diagnosis", Why.UNIT, words, tuple(Evidence(words, reference_of(r)) for r in dropped)) if dropped else None

    # --- facts ---------------------------------------------------------------------------------------------------

    def person(self) -> Mapping[str, Any]:
        patients = [r for r in self.resources("patient") if r.get("resourceType") == "Patient"]
        if not patients or not self.valid(patients[0]):
            return {}
        return read_person(patients[0])

    def diagnoses(self) -> list[Diagnosis]:
        found = []
        for condition in self.resources("conditions"):
            if condition.get("resourceType") == "Condition" and is_leukaemia(condition):
                read = diagnosis(condition, rejected=not self.valid(condition))
                found += [read] if read else []
        return found

    def observed(self) -> dict[str, Series]:
        searches = dict.fromkeys(fact.search for fact in OBSERVED)
        observations = [r for r in self.resources(*searches) if r.get("resourceType") == "Observation"]
        blank = PatientFacts("", self.as_of)  # knows the human name of each series
        named = {fact.fact: (getattr(blank, fact.fact).name, fact.search) for fact in OBSERVED}
        series = {field: Series(name, gap=self.gap(search, name)) for field, (name, search) in named.items()}
        for observation in observations:
            valid = None
            for element in _coded_elements(observation):
                facts = _facts_of(element)
                for fact in facts:
                    several = sum(f.fact == fact.fact for f in facts) > 1  # coded as two assays at once
                    result = Result(observation, element, fact.name)
                    if not result.exists:
                        continue
                    valid = self.valid(observation) if valid is None else valid
                    reading = self.reading(result, fact, valid, several)
                    series[fact.fact] = series[fact.fact].plus(reading)
        return series

    def reading(self, result: Result, fact: ObservedFact, valid: bool, several: bool) -> Reading:
        end_of_induction = any(codelists.states(c, "end_of_induction") for c in each(result.resource.get("category")))
        labels = fact.labels | ({"eoi"} if end_of_induction else set())
        code = result.element.get("code")
        if not valid:
            return unusable_reading(result, Why.UNIT, "the resource is not valid FHIR", labels)
        if several or _mistaken(code, fact):
            reading = unusable_reading(result, Why.CONFLICT, "its codes contradict each other", labels)
        elif not codelists.states(code, *fact.concepts) and not codelists.hints(code, *fact.hints):
            reading = unusable_reading(result, Why.WRONG_INSTRUMENT, f"its code alone does not settle that it is {result.name}", labels)
        else:
            reading = fact.read(result, labels)
        if reading.problem:
            self.issue(result.resource, f"{reading.problem.words}; it was not used")
        elif told := _code_and_unit_disagree(result):
            self.issue(result.resource, told)
        return reading

    def events(self) -> dict[str, Listed]:
        """What Conditions, Procedures, drugs and studies say besides the leukaemia; each fact with what was not looked up."""
        found: dict[str, list[Event]] = {fact: [] for fact in EVENT_SEARCHES}
        for condition in self.usable("conditions", lambda r: bool(stated_by(r.get("code")))):
            self.sort_in(found, condition_events(condition))
        for procedure in self.usable("procedures", lambda r: bool(stated_by(r.get("code"))) or treatments.states_therapy(r.get("code"))):
            self.sort_in(found, procedure_events(procedure))
            self.sort_in(found, treatments.procedure_therapies(procedure))
        for search in ("administrations", "statements", "orders"):
            others = self.referred(search)
            for resource in self.resources(search):
                stated = list(treatments.therapies(resource, others))
                if stated and self.valid(resource):
                    self.sort_in(found, stated)
        others = self.referred("studies")
        for subject in self.usable("studies", lambda r: r.get("resourceType") == "ResearchSubject"):
            taking_part = other_study(subject, others)
            found["other_studies"] += [taking_part] if taking_part else []
        gaps = {fact: next((g for s in searches if (g := self.gap(s, NAMES[fact]))), None) for fact, searches in EVENT_SEARCHES.items()}
        return {fact: Listed(tuple(events), gaps[fact]) for fact, events in found.items()}

    def sort_in(self, found: dict[str, list[Event]], stated: Iterable[tuple[str, Event]]) -> None:
        for fact, event in stated:
            found[fact].append(event)

    def singles(self, search: str, kind: str, read: Callable[[Resource], Event | None]) -> Iterator[Event]:
        """One event, or none, out of each resource of a search."""
        for resource in self.usable(search, lambda r: r.get("resourceType") == kind):
            if event := read(resource):
                yield event

    def doses(self) -> Iterator[treatments.Dose]:
        others = self.referred("administrations")
        for administration in self.resources("administrations"):
            if text(administration.get("status")) not in treatments.GIVEN:
                continue
            coded = bool(administration.get("medicationCodeableConcept"))
            if not is_readable(administration, "medicationReference", coded, others):
                self.issue(administration, "names its drug only by a reference that could not be followed; it was not used")
            elif treatments.drugs_of(administration, others) and self.valid(administration):
                given = list(treatments.doses(administration, others))
                if not given:
                    self.issue(administration, "a dose without a usable date; it was not used")
                yield from given

    def first_line_ends(self) -> Iterator[Any]:
        for procedure in self.usable("procedures", lambda r: codelists.states(r.get("code"), "first_line_treatment")):
            if end := treatments.first_line_end(procedure):
                yield end

    def enrolments(self) -> Iterator[Any]:
        others = self.referred("studies")
        for subject in self.usable("studies", lambda r: r.get("resourceType") == "ResearchSubject"):
            if not is_readable(subject, "study", is_this_trial(subject, others), others):
                self.issue(subject, "names its study only by a reference that could not be followed; it was not used")
            if start := enrolment(subject, others):
                yield start


def _coded_elements(observation: Resource) -> Iterator[Mapping[str, Any]]:
    """The Observation itself and its components: a panel may carry the value in a component with a code of its own."""
    yield observation
    yield from each(observation.get("component"))


def _is_empty_panel(element: Mapping[str, Any]) -> bool:
    """A panel without a value of its own: its components speak for themselves."""
    return "component" in element and not any(key.startswith("value") for key in element)


EVENT_SEARCHES = {  # a fact, and the searches whose silence it needs
    "transplants": ("procedures", "conditions"),
    "blinatumomab": ("administrations", "statements", "orders"),
    "other_cd19_therapy": ("administrations", "statements", "orders"),
    "syndromes": ("conditions",),
    "hiv_infection": ("conditions",),
    "pregnancy": ("conditions",),
    "sterilised": ("procedures", "conditions"),
    "neurological": ("conditions",),
    "other_studies": ("studies",),
}
NAMES = {fact: fact.replace("_", " ") for fact in EVENT_SEARCHES} | {"transplants": "allogeneic transplant", "syndromes": "genetic syndrome",
         "hiv_infection": "HIV infection", "other_studies": "other studies"}
REFERRED = {search.refers_to for search in SEARCHES if search.refers_to}  # these belong to no patient
_FACTS_OF: dict[str, list[ObservedFact]] = {}  # by concept
for _fact in OBSERVED:
    for _concept in (*_fact.concepts, *_fact.hints, *_fact.unsettled):
        _FACTS_OF.setdefault(_concept, []).append(_fact)


def _facts_of(element: Mapping[str, Any]) -> list[ObservedFact]:
    """The facts that a code states or hints at, each once; for nearly every Observation, none."""
    stated = codelists.statements(element.get("code"))
    found = [fact for concept, decides in stated for fact in _FACTS_OF.get(concept, ()) if decides or not _is_empty_panel(element)]
    return list({id(fact): fact for fact in found}.values())


def _mistaken(code: Any, fact: ObservedFact) -> bool:
    """Coded as this fact and as a look-alike of it: serum and urine at once."""
    look_alikes = {concept for trap in codelists.traps(code) for concept in codelists.TRAPS[trap]}
    return bool(look_alikes & set(fact.concepts)) and codelists.states(code, *fact.concepts)


def _code_and_unit_disagree(result: Result) -> str | None:
    code, quantity = result.element.get("code"), result.element.get("valueQuantity")
    fact = next((f for f in OBSERVED if codelists.states(code, *f.concepts)), None)
    concepts = [c for c, decides in codelists.statements(code) if decides and fact and c in fact.concepts]
    if len(concepts) != 1 or not isinstance(quantity, Mapping) or not concepts[0].endswith(("_mass", "_molar")):
        return None
    unit = unit_of(quantity, CREATININE)  # bilirubin is reported in the same units
    if unit is None or (unit in MOLAR) == concepts[0].endswith("_molar"):
        return None
    return f"{result.name}: the code and the unit {unit} disagree; the unit was used"


def _content(resource: Resource) -> str:
    """What tells a resource without an id from the others."""
    try:
        return json.dumps(resource, sort_keys=True, default=str)
    except (RecursionError, TypeError):  # nested too deep, or members of mixed kinds
        return f"{id(resource)}"


def _newer(one: Resource, other: Resource) -> bool:
    """Is one version of a resource surely newer than the other?"""
    first, second = (dates.day(r["meta"].get("lastUpdated")) if isinstance(r.get("meta"), Mapping) else None for r in (one, other))
    return bool(first and second and second.surely_before(first))
