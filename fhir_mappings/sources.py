"""THE table: where each fact comes from. Prefetch templates and searches are made from it, so they cannot drift apart.

To add a fact: a line in `cds/facts.py`, a line here, perhaps a codelist. A test fails while a fact has no source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cds.series import Reading
from fhir_mappings import codelists
from fhir_mappings.code_systems import LOINC, NCIT, OWN
from fhir_mappings.measures import (
    blasts, cd19, ejection_fraction, hiv_test, marrow_category, other_scale, performance, pregnancy_status, shortening_fraction,
)  # fmt: skip
from fhir_mappings.mrd import ASSAYS, mrd_reading
from fhir_mappings.observations import Result, amount_reading, choice_reading
from fhir_mappings.units import BILIRUBIN, CREATININE

Reader = Callable[[Result, frozenset[str]], Reading | None]
"""None: seen, and of no use, not even as a question."""


@dataclass(frozen=True, slots=True)
class Search:
    """One question to the FHIR server (or prefetch key): the name, what it asks for, and what to ask if refused."""

    name: str
    resource_type: str
    words: str  # what a person calls it
    concepts: tuple[str, ...] = ()  # searched by code; none: everything of this type
    categories: tuple[str, ...] = ()  # asked for instead, where a server refuses a code list
    required: bool = False  # without it there is nothing to judge: 412
    subject: str = ""  # the element's own search parameter, asked where `patient` is ignored
    refers_by: str = ""  # an element that may name what matters only by reference, to a resource of this type:
    refers_to: str = ""
    made_of: str = ""  # which may in turn name one of these, beside its own type

    def params(self, patient: str) -> tuple[tuple[str, str], ...]:
        codes = ",".join(c for system in (LOINC, OWN, NCIT, *codelists.site_systems()) for c in codelists.codes_of(*self.concepts, system=system)) if self.concepts else ""
        return (("patient", patient), ("code", codes)) if codes else (("patient", patient),)

    def fallbacks(self, patient: str) -> tuple[tuple[tuple[str, str], ...], ...]:
        return ((("patient", patient), ("category", ",".join(self.categories))),) if self.categories else ()

    def template(self) -> str:
        """The prefetch template, with simple tokens only: every EHR can fill these."""
        token = "{{context.patientId}}"
        if self.resource_type == "Patient":
            return f"Patient/{token}"
        return f"{self.resource_type}?" + "&".join(f"{key}={value}" for key, value in self.params(token))


@dataclass(frozen=True, slots=True)
class ObservedFact:
    """A series of `PatientFacts` that is read from Observations whose code states one of these concepts."""

    fact: str  # the field of PatientFacts
    name: str  # what a person calls one result of it
    search: str
    concepts: tuple[str, ...]  # a code that decides
    read: Reader
    hints: tuple[str, ...] = ()  # a code that only hints: the reader must find what settles it
    labels: frozenset[str] = frozenset()
    unsettled: tuple[str, ...] = ()  # a code that only hints and nothing settles: seen, never used


def _amounts(analyte) -> Reader:
    return lambda result, labels: amount_reading(result, analyte, labels)


OBSERVED = (
    ObservedFact("creatinine", "creatinine", "laboratory", ("creatinine_serum_mass", "creatinine_serum_molar"), _amounts(CREATININE),
                 unsettled=("creatinine_serum_any",)),
    ObservedFact("bilirubin_direct", "direct bilirubin", "laboratory", ("bilirubin_direct_mass", "bilirubin_direct_molar"),
                 _amounts(BILIRUBIN), unsettled=("bilirubin_direct_any",)),
    ObservedFact("bilirubin_conjugated", "conjugated bilirubin", "laboratory", (), _amounts(BILIRUBIN), hints=("bilirubin_conjugated",)),
    ObservedFact("bilirubin_total", "total bilirubin", "laboratory", ("bilirubin_total",), _amounts(BILIRUBIN)),
    ObservedFact("ejection_fraction", "ejection fraction", "examinations", ("lvef_echo", "lvef_not_echo"), ejection_fraction,
                 hints=("lvef_method_not_stated",)),
    ObservedFact("shortening_fraction", "shortening fraction", "examinations", ("shortening_fraction_echo",), shortening_fraction,
                 labels=frozenset({"echo"}), unsettled=("shortening_fraction_method_not_stated",)),
    ObservedFact("marrow_blasts", "marrow blasts", "leukaemia", ("marrow_blasts_percent",), blasts),
    ObservedFact("marrow_blasts", "marrow category", "leukaemia", ("marrow_category",), marrow_category),
    ObservedFact("bcr_abl1", "BCR::ABL1", "leukaemia", ("bcr_abl1_result",), choice_reading),
    ObservedFact("cd19", "CD19", "leukaemia", ("cd19_on_blasts",), cd19, hints=("cd19_expression",)),
    ObservedFact("performance", "Lansky", "examinations", ("lansky",), performance, labels=frozenset({"lansky"})),
    ObservedFact("performance", "Karnofsky", "examinations", ("karnofsky",), performance, labels=frozenset({"karnofsky"})),
    ObservedFact("performance", "ECOG", "examinations", ("ecog_do_not_convert",), other_scale, labels=frozenset({"ecog"})),
    ObservedFact("hiv", "HIV test", "laboratory", ("hiv_test",), hiv_test),
    ObservedFact("hcg", "pregnancy test", "laboratory", ("hcg_urine_qualitative", "hcg_serum_qualitative"), choice_reading,
                 unsettled=("hcg_quantitative",)),
    ObservedFact("hcg", "pregnancy status", "laboratory", ("pregnancy_status",), pregnancy_status),
    *(ObservedFact("mrd", name, "leukaemia", (concept,), mrd_reading, labels=labels) for concept, name, labels in ASSAYS),
)  # fmt: skip


def _observed_by(search: str) -> tuple[str, ...]:
    return tuple(c for fact in OBSERVED if fact.search == search for c in (*fact.concepts, *fact.hints, *fact.unsettled))


_observations = partial(Search, resource_type="Observation")

SEARCHES = (
    Search("patient", "Patient", "the child's own data", required=True),
    Search("conditions", "Condition", "problem list and diagnoses", required=True),
    _observations("laboratory", words="creatinine, bilirubin, HIV and pregnancy tests", concepts=_observed_by("laboratory"), categories=("laboratory",)),
    _observations("examinations", words="echocardiograms and performance status", concepts=_observed_by("examinations"),
                  categories=("imaging", "exam", "procedure", "survey")),
    _observations("leukaemia", words="marrow, CD19, residual disease and BCR::ABL1", concepts=_observed_by("leukaemia"), categories=("laboratory",)),
    Search("procedures", "Procedure", "procedures and treatment periods"),
    Search("administrations", "MedicationAdministration", "administered drugs", refers_by="medicationReference", refers_to="Medication", made_of="Substance"),
    Search("statements", "MedicationStatement", "medication history", refers_by="medicationReference", refers_to="Medication", made_of="Substance"),
    Search("orders", "MedicationRequest", "medication orders", refers_by="medicationReference", refers_to="Medication", made_of="Substance"),
    Search("allergies", "AllergyIntolerance", "allergies"),
    Search("consents", "Consent", "consents"),
    Search("answers", "QuestionnaireResponse", "chart review answers", subject="subject"),
    Search("studies", "ResearchSubject", "research studies", subject="individual", refers_by="study", refers_to="ResearchStudy"),
)
"""Asked for in this order; the first two are the cheapest look, which ends the call for nearly every child."""
