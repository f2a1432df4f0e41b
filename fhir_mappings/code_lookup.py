"""Which clinical facts a code states, and which look-alikes it is not: the lookup that the codelists are read into.

A code counts only together with its code system (1968-7 is direct bilirubin in LOINC and an ethnic group elsewhere),
every coding of a resource is looked at, and one code may state several facts (B-ALL *and* Philadelphia positive).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fhir_mappings.code_systems import LOINC, canonical, category, is_category, key, undotted

Concept = str
"""The name of a codelist, which is the name of its file: `creatinine_serum_mass`."""

TRAPS: Mapping[Concept, tuple[Concept, ...]] = {  # a trap, and the concepts it is mistaken for
    "not_marrow_blasts": ("marrow_blasts_percent", "marrow_report_text"),
    "not_serum_creatinine": ("creatinine_serum_mass", "creatinine_serum_molar", "creatinine_serum_any"),
    "not_direct_bilirubin": (
        "bilirubin_direct_mass", "bilirubin_direct_molar", "bilirubin_direct_any", "bilirubin_conjugated",
    ),
    "not_lvef": ("lvef_echo", "lvef_method_not_stated", "lvef_not_echo"),
    "not_shortening_fraction": ("shortening_fraction_echo", "shortening_fraction_method_not_stated"),
    "not_leukaemia_of_testis": ("testicular_leukaemia", "other_extramedullary_leukaemia"),
    "not_ph_positive_despite_name": ("ph_positive_all", "ph_positive_other_leukaemia"),
    "not_allogeneic_hsct": ("allogeneic_hsct", "hsct_donor_not_stated"),
    "not_hiv_infection": ("hiv_infection",),  # a visit for HIV screening may still report an inconclusive test
    "not_hysterectomy": ("hysterectomy", "surgical_absence_genital_organ"),
    "ecog_do_not_convert": ("lansky", "karnofsky"),
    "acquired_cytopenia_not_syndrome": (
        "fanconi_anaemia", "shwachman_diamond_syndrome", "kostmann_syndrome", "severe_congenital_neutropenia",
        "diamond_blackfan_anaemia", "other_inherited_marrow_failure",
    ),
}


MOST_REMEMBERED, LONGEST_REMEMBERED = 20_000, 1_000  # combinations of codes, characters of one: a chart must not fill the memory


class CodelistError(ValueError):
    """A mistake in a codelist, or in the name of one, told so that the reader can mend it."""


class Statement(NamedTuple):
    """What one code says: `decides` is False where it only hints and the rest of the resource must decide."""

    concept: Concept
    decides: bool


@dataclass(frozen=True, slots=True)
class Codelists:
    """All codelists in one lookup: those we ship, or those together with a site's own codes (`site_codes.py`)."""

    lookup: Mapping[tuple[str, str], frozenset[Statement]]
    labels: Mapping[tuple[str, str], str]
    concepts: frozenset[Concept]
    site_systems: tuple[str, ...] = ()  # the code systems in which a site has codes of its own
    remembered: dict[tuple[str, ...], tuple[Statement, ...]] = field(default_factory=dict, compare=False, repr=False)

    def statements(self, codeable_concept: Any) -> tuple[Statement, ...]:
        """Everything that all codings of a raw CodeableConcept (or Coding) state, each concept once."""
        said = _said(codeable_concept)
        return self.stated(said) if said else ()

    def stated(self, said: tuple[str, ...]) -> tuple[Statement, ...]:
        """The same of a system and its code, a system and its code, and so on."""
        known = self.remembered.get(said)
        if known is None:
            known = self._stated(said)
            if len(self.remembered) < MOST_REMEMBERED and sum(map(len, said)) < LONGEST_REMEMBERED:
                self.remembered[said] = known  # a chart says the same few codes again and again, and each many times
        return known

    def _stated(self, said: tuple[str, ...]) -> tuple[Statement, ...]:
        stated: dict[Concept, bool] = {}
        for where in _keys(said):
            for concept, decides in self.lookup.get(where, ()):
                stated[concept] = decides or stated.get(concept, False)
        if not stated:
            return ()  # nearly every resource of a chart
        # Beside a code for urine, "creatinine, mass or moles" no longer hints at serum. What a code decides stays:
        # a resource that is surely both is a contradiction, which its reader must see and can, through `traps`.
        mistaken = {concept for trap in TRAPS if stated.get(trap) for concept in TRAPS[trap]}
        return tuple(Statement(c, decides) for c, decides in sorted(stated.items()) if decides or c not in mistaken)

    def states(self, codeable_concept: Any, *concepts: Concept) -> bool:
        """Whether a code alone settles that this is one of the concepts."""
        self._expect(concepts)
        return any(decides and concept in concepts for concept, decides in self.statements(codeable_concept))

    def hints(self, codeable_concept: Any, *concepts: Concept) -> bool:
        """Whether this is, or may be, one of the concepts: worth a look, or a question."""
        self._expect(concepts)
        return any(concept in concepts for concept, _ in self.statements(codeable_concept))

    def traps(self, codeable_concept: Any) -> frozenset[Concept]:
        """The look-alikes this surely is: `not_serum_creatinine` for a urine creatinine."""
        return frozenset(c for c, decides in self.statements(codeable_concept) if decides and c in TRAPS)

    def codes_of(self, *concepts: Concept, system: str = LOINC) -> tuple[str, ...]:
        """The codes to search for, hints included, in every spelling a server may hold."""
        self._expect(concepts)
        system = canonical(system)
        found = {code for (where, code), said in self.lookup.items()
                 if where == system and any(concept in concepts for concept, _ in said)}
        if categories := sorted(filter(is_category, found)):
            raise CodelistError(f"no search finds every code of {categories[0]}: fetch without a code and read them all")
        return tuple(sorted(found | undotted(system, found)))

    def label(self, system: str, code: str) -> str | None:
        """Our words for a code, or else for the category it lies in."""
        return next((self.labels[each] for each in _keys(_said({"system": system, "code": code})) if each in self.labels), None)

    def _expect(self, concepts: Iterable[Concept]) -> None:
        """A misspelt concept would never be found in any record, and silence is the worst answer here."""
        for concept in concepts:
            if concept not in self.concepts:
                raise CodelistError(f"no codelist is called {concept!r}: look in fhir_mappings/codes, or add the file")


def _said(codeable_concept: Any) -> tuple[str, ...]:
    """System and code, system and code, of a CodeableConcept or Coding. Anything else says nothing, however it is broken."""
    if not isinstance(codeable_concept, dict):
        return ()
    codings = codeable_concept.get("coding", [codeable_concept])
    said: list[str] = []
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict):
            system, code = coding.get("system"), coding.get("code")
            if isinstance(system, str) and isinstance(code, str):
                said += (system, code)
    return tuple(said)


def _keys(said: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each system and code as the codelists write them, and the category it lies in."""
    for system, code in zip(said[::2], said[1::2]):
        where = key(system, code)
        yield where
        if above := category(*where):
            yield above
