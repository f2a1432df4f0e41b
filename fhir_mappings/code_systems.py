"""Code systems: their URIs, the other names they go by, the shape of their codes, and the check digits.

LOINC numbers and SNOMED CT identifiers carry a check digit, which catches every single mistyped digit without a
terminology server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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
ICD_10_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
ORPHANET = "https://www.orpha.net"
KOREAN_DRUG = "http://www.hl7korea.or.kr/CodeSystem/kpis-kdcode"
HIRA_DRUG = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-medication"
HIRA_PROCEDURE = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-procedure"
OWN = "urn:relapse-cds:codes"

READ = frozenset({SNOMED, LOINC, ICD_10_CM, ICD_10, ICD_O_3, KCD, NCIT, RXNORM, ATC, HCPCS, ICD_10_PCS, ORPHANET, KOREAN_DRUG, HIRA_DRUG, OWN})
"""Systems of which we know the codes that matter. Of HIRA's procedures we know none."""

SYSTEM_ALIASES: Mapping[str, str] = {
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,  # editions and versions, .../sct/731000124108, are cut off below
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.90": ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.43.1": ICD_O_3,
    "http://hl7.org/fhir/sid/icd-o-3": ICD_O_3,
    "https://simplifier.net/fhir/MyHealthWay/CodeSystem/KCD-8": KCD,
    "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-9": KCD,  # assumes that no code changed its meaning: not compared
    "urn:oid:2.16.840.1.113883.6.285": HCPCS,
    "http://hl7.org/fhir/sid/icd-10-pcs": ICD_10_PCS,
    "https://biz.kpis.or.kr/CodeSystem/kdcode": KOREAN_DRUG,
    "https://simplifier.net/fhir/MyHealthWay/CodeSystem/kd": KOREAN_DRUG,
    "https://simplifier.net/fhir/MyHealthWay/CodeSystem/edi": HIRA_DRUG,
    "https://hira.or.kr/CodeSystem/lab-result-code": HIRA_PROCEDURE,
    "https://hira.or.kr/CodeSystem/procedure-code": HIRA_PROCEDURE,
}

_DOTTED = {ICD_10_CM, ICD_10, KCD}  # published as C91.0 and as C910; "G40.-" is G40 and everything below it
_SHAPES = {
    SNOMED: (r"\d{6,18}", "a SNOMED CT identifier"),
    LOINC: (r"(LA)?\d+-\d", "a LOINC number"),
    ICD_10_CM: (r"[A-Z]\d[0-9A-Z](\.([0-9A-Z]{1,4}|-))?", "an ICD-10-CM code, written with its dot"),
    ICD_10: (r"[A-Z]\d\d(\.[\d-])?", "an ICD-10 code, written with its dot"),
    KCD: (r"[A-Z]\d\d(\.(\d{1,3}|-))?", "a KCD code, written with its dot"),
    ICD_O_3: (r"\d{4}/\d", "an ICD-O-3 morphology code such as 9811/3"),
    NCIT: (r"C\d+", "an NCI Thesaurus code"),
    RXNORM: (r"[1-9]\d*", "an RxNorm number"),
    ATC: (r"[A-Z]\d\d[A-Z]{2}\d\d", "an ATC code of the fifth level"),
    HCPCS: (r"[A-Z]\d{4}", "a HCPCS level II code"),
    ICD_10_PCS: (r"[0-9A-HJ-NP-Z]{7}", "an ICD-10-PCS code of 7 characters (without the letters I and O)"),
    ORPHANET: (r"[1-9]\d*", "an Orphanet number"),
    KOREAN_DRUG: (r"\d{13}", "a KD code of 13 digits"),
    HIRA_DRUG: (r"\d{9}", "a HIRA drug code of 9 digits (a spreadsheet drops the leading zero)"),
    HIRA_PROCEDURE: (r"[0-9A-Z]+", "a HIRA procedure code"),
    OWN: (r"[a-z0-9-]+|M[123]", "a code of our own"),
}
_PATTERNS = {system: re.compile(pattern, re.ASCII) for system, (pattern, _) in _SHAPES.items()}


def is_ours(system: str) -> bool:
    """Whether we know what codes of this system look like."""
    return system in _SHAPES


def fault(system: str, code: str) -> str | None:
    """What is wrong with a code, in words that tell what to change; None if it can be one of this system."""
    if system not in _SHAPES:
        return f"the system {system!r} is not one of ours, write it as code_systems.py does (CPT may not be shipped)"
    kind = _SHAPES[system][1]
    if not _PATTERNS[system].fullmatch(code):
        return f"{code!r} is not {kind}"
    if system in (LOINC, SNOMED):
        stem, digit = (code[:-2] if system == LOINC else code[:-1]), int(code[-1])
        expected = loinc_check_digit(stem) if system == LOINC else snomed_check_digit(stem)
        if digit != expected:
            return f"{code} is not {kind} (check digit {expected} expected)"
    return None


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


def key(system: str, code: str) -> tuple[str, str]:
    system = canonical(system)
    if system in _DOTTED and len(code) > 3 and "." not in code:
        code = f"{code[:3]}.{code[3:]}"
    return system, code


def category(system: str, code: str) -> tuple[str, str] | None:
    """The category a code (as `key` writes it) lies in, G40.- for G40.911; a block such as G40-G47 lies in none."""
    return (system, f"{code[:3]}.-") if system in _DOTTED and (len(code) == 3 or code[4:].isalnum()) else None


def is_category(code: str) -> bool:
    return code.endswith(".-")


def canonical(system: str) -> str:
    return SNOMED if system.startswith(f"{SNOMED}/") else SYSTEM_ALIASES.get(system, system)


def undotted(system: str, codes: set[str]) -> set[str]:
    """The same codes without their dot, where a system is published both ways."""
    return {code.replace(".", "") for code in codes} if system in _DOTTED else set()
