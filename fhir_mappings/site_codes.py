"""A hospital's own codes: its word that a local code means one of our concepts, checked before anything relies on it.

The file is a CSV with the columns `system,code,concept,note`, one row per local code:

    system,code,concept,note
    urn:oid:1.2.410.100110.40.1,BL3120,creatinine_serum_mass,"creatinine, central laboratory"
    urn:oid:1.2.410.100110.40.1,00417,mrd_ngs_marrow,

A site's code always decides. It may settle what a list of ours only hints at (here every `10230-1` is an echo), and may
never say otherwise than a list of ours. One code may have several rows if these are facts that can be true together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from fhir_mappings.code_lookup import CodelistError, Codelists, Concept, Statement
from fhir_mappings.code_systems import fault, is_category, is_ours, key
from fhir_mappings.codelists import CODELISTS, rows_of

_COLUMNS = ("system", "code", "concept", "note")
_DRUGS = (
    "idarubicin", "etoposide", "ifosfamide", "cytarabine", "vincristine", "mercaptopurine", "asparaginase",
    "methotrexate", "dexamethasone", "prednisone_prednisolone", "related_drug_or_excipient",
)

TOGETHER: tuple[tuple[tuple[Concept, ...], ...], ...] = (
    # What one code may state together: facts of the same table, one from each line. All else contradicts itself.
    (
        ("b_all", "t_all", "all_lineage_not_stated", "mixed_phenotype_leukaemia", "burkitt_or_mature_b"),
        ("all_relapse", "all_in_remission", "all_refractory", "all_not_in_remission"),
        ("relapse_ordinal_first", "relapse_ordinal_later"),
        ("cns_leukaemia", "cns_leukaemia_in_remission"),
        ("testicular_leukaemia",), ("other_extramedullary_leukaemia",),
        ("ph_positive_all", "not_ph_positive_despite_name"),
    ),
    tuple((drug,) for drug in _DRUGS),  # a regimen, or a product and its excipient
    (("hiv_test",), ("hiv_rna_test",)),
)


def read_site_codes(path: str | Path) -> Codelists:
    """The lists we ship with a site's codes on top. Any mistake in the file is a CodelistError with its line."""
    return site_codes_from(str(path), site_codes_text(path))


def site_codes_text(path: str | Path) -> str:
    """The file as text, for those who must send it elsewhere."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as unreadable:
        raise CodelistError(f"{path}: {unreadable.strerror}, name a file that can be read") from unreadable
    except UnicodeDecodeError as broken:
        line = broken.object[:broken.start].count(b"\n") + 1
        raise CodelistError(f"{path} line {line}: not UTF-8, save it as 'CSV UTF-8'") from broken


def site_codes_from(path: str, text: str) -> Codelists:
    """The same from a text; `path` is what mistakes are told by."""
    lookup, labels = dict(CODELISTS.lookup), dict(CODELISTS.labels)
    lines: dict[tuple[str, str], dict[Concept, int]] = {}
    for line, (system, code, concept, note) in _trimmed(path, text):
        said = key(system, code)
        earlier = lines.setdefault(said, {})
        if problem := _mistake(*said, concept) or _repetition(code, concept, earlier) or _contradiction(said, concept):
            raise CodelistError(f"{path} line {line}: {problem}")
        earlier[concept] = line
        lookup[said] = lookup.get(said, frozenset()) - {Statement(concept, False)} | {Statement(concept, True)}
        labels.setdefault(said, note or concept.replace("_", " "))
    return Codelists(lookup, labels, CODELISTS.concepts, tuple(sorted({system for system, _ in lines})))


def _trimmed(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    return ((line, [field.strip() for field in row]) for line, row in rows_of(name, text, _COLUMNS))


def _mistake(system: str, code: str, concept: Concept) -> str | None:
    if not system or not code:
        return "a row needs the system and the code as your server sends them: a code counts only with its system"
    if is_category(code):
        return f"{code} is a category, list the codes below it one by one"
    if is_ours(system) and (problem := fault(system, code)):
        return problem
    if concept not in CODELISTS.concepts:
        near = get_close_matches(concept, sorted(CODELISTS.concepts), n=1)
        advice = f", did you mean {near[0]!r}?" if near else ": see fhir_mappings/codes"
        return f"no concept is called {concept!r}{advice}"
    return None


def _repetition(code: str, concept: Concept, earlier: Mapping[Concept, int]) -> str | None:
    if concept in earlier:
        return f"{code} is already {concept} on line {earlier[concept]}, keep one row"
    for other, line in earlier.items():
        if not together(concept, other):
            return f"{code} cannot be {concept} and, as line {line} says, {other}: keep the one that is true"
    return None


def _contradiction(said: tuple[str, str], concept: Concept) -> str | None:
    for other, decides in sorted(CODELISTS.lookup.get(said, ())):
        if decides and other != concept and not together(concept, other):
            return (f"{said[1]} is {other} in every hospital ('{CODELISTS.labels[said]}' in codes/{other}.csv), "
                    f"so it cannot be {concept} in yours: remove the row")
    return None


def together(one: Concept, other: Concept) -> bool:
    """Whether one code may state both: B-ALL and a relapse, but not B-ALL and T-ALL, nor two different tests."""
    for table in TOGETHER:
        lines = {concept: number for number, line in enumerate(table) for concept in line}
        if one in lines and other in lines:
            return lines[one] != lines[other]
    return False
