"""The codelists in use: those of `codes/*.csv`, checked row by row when this is imported, and a site's own on top.

Readers ask this module (`codelists.states(...)`). A service that has a site's codes says so once, before it reads its
first record, and never again: what a code means must not depend on who asked last.

    codelists.use(read_site_codes("site-codes.csv"))
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from fhir_mappings.code_lookup import TRAPS, CodelistError, Codelists, Concept, Statement
from fhir_mappings.code_systems import LOINC, fault, is_category

__all__ = [
    "CODELISTS", "TRAPS", "CodelistError", "Codelists", "Concept", "Statement", "codes_of", "hints", "in_use", "label",
    "read_codelists", "rows_of", "site_systems", "statements", "states", "traps", "use", "using",
]

_DECIDES = {"exact": True, "descendant": True, "ancestor-needs-context": False}
_COLUMNS = ("system", "code", "display", "relation", "why")


def read_codelists(sources: Iterable[tuple[Concept, str]]) -> Codelists:
    """Build the lookup from codelists given as their names and their CSV texts."""
    lookup: dict[tuple[str, str], frozenset[Statement]] = {}
    labels: dict[tuple[str, str], str] = {}
    concepts = set()
    for concept, text in sources:
        concepts.add(concept)
        seen = set()
        for line, (system, code, display, relation, why) in rows_of(f"codes/{concept}.csv", text, _COLUMNS):
            where, named = f"codes/{concept}.csv line {line}", (system, code)
            if problem := _problem(system, code, display, relation, why):
                raise CodelistError(f"{where}: {problem}")
            if named in seen:
                raise CodelistError(f"{where}: {code} is listed twice, keep one row")
            if labels.setdefault(named, display) != display:
                raise CodelistError(f"{where}: {code} is {labels[named]!r} in another codelist, "
                                    f"give it the same display in both")
            seen.add(named)
            lookup[named] = lookup.get(named, frozenset()) | {Statement(concept, _DECIDES[relation])}
    return Codelists(lookup, labels, frozenset(concepts))


def rows_of(name: str, text: str, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows under the header, each with its line; a row of the wrong length is told with its place."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if next(reader, None) != list(columns):
            raise CodelistError(f"{name} line 1: the columns must be {','.join(columns)}")
        for row in filter(any, reader):  # spreadsheets leave empty lines behind
            if len(row) != len(columns):
                raise CodelistError(f"{name} line {reader.line_num}: {len(row)} fields instead of {len(columns)}, "
                                    f"put quotes around a field that contains a comma")
            yield reader.line_num, row
    except csv.Error as broken:
        raise CodelistError(f"{name} line {reader.line_num}: {broken}, look for a stray quote") from broken


def _problem(system: str, code: str, display: str, relation: str, why: str) -> str | None:
    if problem := fault(system, code):
        return problem
    if relation not in _DECIDES:
        return f"the relation {relation!r} must be one of {', '.join(_DECIDES)}"
    if is_category(code) and _DECIDES[relation]:
        return f"a category such as {code} only hints, list the codes below it one by one"
    if not display.strip() or not why.strip():
        return f"{code} needs a display, and a why that a reviewer can check"
    return None


def _shipped() -> Iterator[tuple[Concept, str]]:
    for path in sorted((files("fhir_mappings") / "codes").iterdir(), key=lambda path: path.name):
        if path.name.endswith(".csv"):
            yield path.name.removesuffix(".csv"), path.read_text(encoding="utf-8-sig")


CODELISTS = read_codelists(_shipped())
"""The lists we ship, whatever is in use."""

_in_use = CODELISTS


def use(codelists: Codelists) -> None:
    """From now on, and in every thread, codes mean this. For the start of a program only."""
    global _in_use
    _in_use = codelists


@contextmanager
def using(codelists: Codelists) -> Iterator[None]:
    """Codes mean this for a while, and then what they meant before. For tests, one at a time."""
    before = _in_use
    use(codelists)
    try:
        yield
    finally:
        use(before)


def in_use() -> Codelists:
    return _in_use


def statements(codeable_concept: Any) -> tuple[Statement, ...]:
    return _in_use.statements(codeable_concept)


def states(codeable_concept: Any, *concepts: Concept) -> bool:
    return _in_use.states(codeable_concept, *concepts)


def hints(codeable_concept: Any, *concepts: Concept) -> bool:
    return _in_use.hints(codeable_concept, *concepts)


def traps(codeable_concept: Any) -> frozenset[Concept]:
    return _in_use.traps(codeable_concept)


def codes_of(*concepts: Concept, system: str = LOINC) -> tuple[str, ...]:
    return _in_use.codes_of(*concepts, system=system)


def label(system: str, code: str) -> str | None:
    return _in_use.label(system, code)


def site_systems() -> tuple[str, ...]:
    """The code systems in which the site has codes of its own: a search by code must name these codes too."""
    return _in_use.site_systems
