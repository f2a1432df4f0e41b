"""Which clinical facts a code states: the codelists of `codes/*.csv`, read once and checked row by row.

A code counts only together with its code system (1968-7 is direct bilirubin in LOINC and an ethnic group elsewhere),
every coding of a resource is looked at, and one code may state several facts (B-ALL *and* Philadelphia positive).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

from fhir_mappings.code_systems import LOINC, canonical, fault, key, undotted

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
}

_DECIDES = {"exact": True, "descendant": True, "ancestor-needs-context": False}
_COLUMNS = ["system", "code", "display", "relation", "why"]


class CodelistError(ValueError):
    """A mistake in a codelist, or in the name of one, told so that the reader can mend it."""


class Statement(NamedTuple):
    """What one code says: `decides` is False where it only hints and the rest of the resource must decide."""

    concept: Concept
    decides: bool


@dataclass(frozen=True, slots=True)
class Codelists:
    """All codelists in one lookup. A site's own codes will make a second instance out of the first."""

    lookup: Mapping[tuple[str, str], frozenset[Statement]]
    labels: Mapping[tuple[str, str], str]
    concepts: frozenset[Concept]

    def statements(self, codeable_concept: Any) -> tuple[Statement, ...]:
        """Everything that all codings of a raw CodeableConcept (or Coding) state, each concept once."""
        stated: dict[Concept, bool] = {}
        for said in _keys(codeable_concept):
            for concept, decides in self.lookup.get(said, ()):
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
        return tuple(sorted(found | undotted(system, found)))

    def label(self, system: str, code: str) -> str | None:
        """Our words for a code."""
        return next((self.labels.get(said) for said in _keys({"system": system, "code": code})), None)

    def _expect(self, concepts: Iterable[Concept]) -> None:
        """A misspelt concept would never be found in any record, and silence is the worst answer here."""
        for concept in concepts:
            if concept not in self.concepts:
                raise CodelistError(f"no codelist is called {concept!r}: look in fhir_mappings/codes, or add the file")


def read_codelists(sources: Iterable[tuple[Concept, str]]) -> Codelists:
    """Build the lookup from codelists given as their names and their CSV texts."""
    lookup: dict[tuple[str, str], frozenset[Statement]] = {}
    labels: dict[tuple[str, str], str] = {}
    concepts = set()
    for concept, text in sources:
        concepts.add(concept)
        seen = set()
        for line, (system, code, display, relation, _) in _rows(concept, text):
            named = (system, code)
            if named in seen:
                raise CodelistError(f"codes/{concept}.csv line {line}: {code} is listed twice, keep one row")
            if labels.setdefault(named, display) != display:
                raise CodelistError(f"codes/{concept}.csv line {line}: {code} is {labels[named]!r} in another codelist, "
                                    f"give it the same display in both")
            seen.add(named)
            lookup[named] = lookup.get(named, frozenset()) | {Statement(concept, _DECIDES[relation])}
    return Codelists(lookup, labels, frozenset(concepts))


def _rows(concept: Concept, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(), strict=True)
    if next(reader, None) != _COLUMNS:
        raise CodelistError(f"codes/{concept}.csv line 1: the columns must be {','.join(_COLUMNS)}")
    try:
        for row in reader:
            if problem := _problem(row):
                raise CodelistError(f"codes/{concept}.csv line {reader.line_num}: {problem}")
            yield reader.line_num, row
    except csv.Error as broken:
        raise CodelistError(f"codes/{concept}.csv line {reader.line_num}: {broken}, look for a stray quote") from broken


def _problem(row: list[str]) -> str | None:
    if len(row) != len(_COLUMNS):
        return f"{len(row)} fields instead of {len(_COLUMNS)}, put quotes around a field that contains a comma"
    system, code, display, relation, why = row
    if problem := fault(system, code):
        return problem
    if relation not in _DECIDES:
        return f"the relation {relation!r} must be one of {', '.join(_DECIDES)}"
    if not display.strip() or not why.strip():
        return f"{code} needs a display, and a why that a reviewer can check"
    return None


def _keys(codeable_concept: Any) -> Iterator[tuple[str, str]]:
    """The (system, code) pairs of a CodeableConcept or Coding. Anything else holds none, however it is broken."""
    if not isinstance(codeable_concept, Mapping):
        return
    codings = codeable_concept.get("coding", [codeable_concept])
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, Mapping):
            system, code = coding.get("system"), coding.get("code")
            if isinstance(system, str) and isinstance(code, str):
                yield key(system, code)


def _shipped() -> Iterator[tuple[Concept, str]]:
    for path in sorted((files("fhir_mappings") / "codes").iterdir(), key=lambda path: path.name):
        if path.name.endswith(".csv"):
            yield path.name.removesuffix(".csv"), path.read_text(encoding="utf-8-sig")


CODELISTS = read_codelists(_shipped())

statements = CODELISTS.statements
states = CODELISTS.states
hints = CODELISTS.hints
traps = CODELISTS.traps
codes_of = CODELISTS.codes_of
label = CODELISTS.label
