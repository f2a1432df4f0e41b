"""Which clinical facts a code states: the codelists of `codes/*.csv`, read once and checked row by row.

A code counts only together with its code system (1968-7 is direct bilirubin in LOINC and an ethnic group elsewhere),
every coding of a resource is looked at, and one code may state several facts (B-ALL *and* Philadelphia positive).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

Concept = str
"""The name of a codelist, which is the name of its file: `creatinine_serum_mass`."""

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
KCD = "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
KOREAN_DRUG = "http://www.hl7korea.or.kr/CodeSystem/kpis-kdcode"
HIRA_DRUG = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-medication"
HIRA_PROCEDURE = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-procedure"
OWN = "urn:relapse-cds:codes"

SYSTEM_ALIASES: Mapping[str, str] = {
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,  # editions and versions, .../sct/731000124108, are cut off below
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.90": ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.43.1": ICD_O_3,
    "http://hl7.org/fhir/sid/icd-o-3": ICD_O_3,
    "https://simplifier.net/fhir/MyHealthWay/CodeSystem/KCD-8": KCD,
    "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-9": KCD,  # assumes that no code changed its meaning: not compared
    "urn:oid:2.16.840.1.113883.6.285": HCPCS,
    "https://biz.kpis.or.kr/CodeSystem/kdcode": KOREAN_DRUG,
    "https://simplifier.net/fhir/MyHealthWay/CodeSystem/kd": KOREAN_DRUG,
    "https://simplifier.net/fhir/MyHealthWay/CodeSystem/edi": HIRA_DRUG,
    "https://hira.or.kr/CodeSystem/lab-result-code": HIRA_PROCEDURE,
    "https://hira.or.kr/CodeSystem/procedure-code": HIRA_PROCEDURE,
}

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
_DOTTED = {ICD_10_CM, ICD_10, KCD}  # published as C91.0 and as C910
_SHAPES = {
    SNOMED: (r"\d{6,18}", "a SNOMED CT identifier"),
    LOINC: (r"(LA)?\d+-\d", "a LOINC number"),
    ICD_10_CM: (r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", "an ICD-10-CM code, written with its dot"),
    ICD_10: (r"[A-Z]\d\d(\.\d)?", "an ICD-10 code, written with its dot"),
    KCD: (r"[A-Z]\d\d(\.\d{1,3})?", "a KCD code, written with its dot"),
    ICD_O_3: (r"\d{4}/\d", "an ICD-O-3 morphology code such as 9811/3"),
    NCIT: (r"C\d+", "an NCI Thesaurus code"),
    RXNORM: (r"[1-9]\d*", "an RxNorm number"),
    ATC: (r"[A-Z]\d\d[A-Z]{2}\d\d", "an ATC code of the fifth level"),
    HCPCS: (r"[A-Z]\d{4}", "a HCPCS level II code"),
    KOREAN_DRUG: (r"\d{13}", "a KD code of 13 digits"),
    HIRA_DRUG: (r"\d{9}", "a HIRA drug code of 9 digits (a spreadsheet drops the leading zero)"),
    HIRA_PROCEDURE: (r"[0-9A-Z]+", "a HIRA procedure code"),
    OWN: (r"[a-z0-9-]+|M[123]", "a code of our own"),
}


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
        for key in _keys(codeable_concept):
            for concept, decides in self.lookup.get(key, ()):
                stated[concept] = decides or stated.get(concept, False)
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
        system = _canonical(system)
        found = {code for (where, code), said in self.lookup.items()
                 if where == system and any(concept in concepts for concept, _ in said)}
        undotted = {code.replace(".", "") for code in found} if system in _DOTTED else set()
        return tuple(sorted(found | undotted))

    def label(self, system: str, code: str) -> str | None:
        """Our words for a code."""
        return next((self.labels.get(key) for key in _keys({"system": system, "code": code})), None)

    def _expect(self, concepts: Iterable[Concept]) -> None:
        """A misspelt concept would never be found in any record, and silence is the worst answer here."""
        for concept in concepts:
            if concept not in self.concepts:
                raise CodelistError(f"no codelist is called {concept!r}: look in fhir_mappings/codes, or add the file")


def loinc_check_digit(stem: str) -> int:
    """Mod 10 (Luhn). Counted from "0", the letters of answer codes such as LA9633-4 take part too."""
    total = 0
    for position, character in enumerate(reversed(stem)):
        value = ord(character) - ord("0")
        total += value if position % 2 else 2 * value - value // 5 * 9
    return -total % 10


def snomed_check_digit(stem: str) -> int:
    """Verhoeff: digits as turns (0-4) and mirrorings (5-9) of a pentagon, shuffled once more at each place."""
    check = 0
    for position, character in enumerate(reversed(stem), start=1):
        digit = int(character)
        for _ in range(position % 8):
            digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
        turned = (check + digit if check < 5 else check - digit) % 5
        check = turned if (check < 5) == (digit < 5) else turned + 5
    return -check % 5 if check < 5 else check


def read_codelists(sources: Iterable[tuple[Concept, str]]) -> Codelists:
    """Build the lookup from codelists given as their names and their CSV texts."""
    lookup: dict[tuple[str, str], frozenset[Statement]] = {}
    labels: dict[tuple[str, str], str] = {}
    concepts = set()
    for concept, text in sources:
        concepts.add(concept)
        seen = set()
        for line, (system, code, display, relation, _) in _rows(concept, text):
            key = (system, code)
            if key in seen:
                raise CodelistError(f"codes/{concept}.csv line {line}: {code} is listed twice, keep one row")
            if labels.setdefault(key, display) != display:
                raise CodelistError(f"codes/{concept}.csv line {line}: {code} is {labels[key]!r} in another codelist, "
                                    f"give it the same display in both")
            seen.add(key)
            lookup[key] = lookup.get(key, frozenset()) | {Statement(concept, _DECIDES[relation])}
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
    if system not in _SHAPES:
        return f"the system {system!r} is not one of ours, write it as codelists.py does (CPT may not be shipped)"
    pattern, kind = _SHAPES[system]
    if not re.fullmatch(pattern, code, re.ASCII):
        return f"{code!r} is not {kind}"
    if system in (LOINC, SNOMED):
        stem, digit = (code[:-2] if system == LOINC else code[:-1]), int(code[-1])
        expected = loinc_check_digit(stem) if system == LOINC else snomed_check_digit(stem)
        if digit != expected:
            return f"{code} is not {kind} (check digit {expected} expected)"
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
                yield _key(system, code)


def _key(system: str, code: str) -> tuple[str, str]:
    system = _canonical(system)
    if system in _DOTTED and len(code) > 3 and "." not in code:
        code = f"{code[:3]}.{code[3:]}"
    return system, code


def _canonical(system: str) -> str:
    return SNOMED if system.startswith(f"{SNOMED}/") else SYSTEM_ALIASES.get(system, system)


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
