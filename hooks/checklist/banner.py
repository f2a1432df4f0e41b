"""Who the child is: the line that stays in view, so that a wrong child is noticed. A broken Patient names what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cds.day import completed_years
from cds.facts import PatientFacts
from fhir_mappings.members import codings, each, text
from fhir_mappings.person import names
from hooks.markdown import visible
from hooks.words import short_day

LONGEST_NAME = 80
NO_NAME = "name not recorded"
RECORD_NUMBER = "MR"  # HL7's code of a hospital's own number


@dataclass(frozen=True, slots=True)
class Banner:
    name: str
    sex: str
    born: str
    age: str
    record_number: str
    deceased: bool

    @property
    def called(self) -> str:
        """In a sentence."""
        return "this child" if self.name == NO_NAME else self.name


def banner(patient: Mapping[str, Any], facts: PatientFacts) -> Banner:
    """Birth date and sex as they were judged by; name and record number as the Patient resource has them."""
    return Banner(
        name=next(filter(None, (visible(name, LONGEST_NAME) for name in names(patient))), NO_NAME),
        sex=next(iter(facts.sex.options)) if facts.sex.exact else "; ".join(gap.words for gap in facts.sex.gaps),
        born=_born(facts),
        age=_age(facts),
        record_number=next(filter(None, (visible(number, LONGEST_NAME) for number in _numbers(patient))), "not recorded"),
        deceased=facts.deceased.options == {"yes"},
    )


def _numbers(patient: Mapping[str, Any]) -> Iterator[str]:
    """A number that says it is the record's first; then whichever there is."""
    numbers = [i for i in each(patient.get("identifier")) if text(i.get("value")) and i.get("use") != "old"]
    yield from (i["value"] for i in numbers if any(c.get("code") == RECORD_NUMBER for c in codings(i.get("type"))))
    yield from (i["value"] for i in numbers)


def _born(facts: PatientFacts) -> str:
    doubt = "; ".join(gap.words for gap in facts.birth_date.gaps)
    return doubt or short_day(str(facts.birth_date))


def _age(facts: PatientFacts) -> str:
    """On the day asked about; of a date known to the month, perhaps two."""
    born = facts.birth_date
    if born.first is None or born.last is None:
        return "age not known"
    oldest, youngest = completed_years(born.first, facts.as_of), completed_years(born.last, facts.as_of)
    if youngest < 0:
        return "age not known: born in the future"
    ages = [youngest] if oldest == youngest else [youngest, oldest]
    return f"{' or '.join(map(str, ages)) if oldest - youngest < 2 else f'{youngest} to {oldest}'} {'year' if ages == [1] else 'years'} old"
