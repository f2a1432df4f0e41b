"""The Patient: birth date, sex, and whether the child is alive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from cds.day import Day
from cds.finding import Evidence, Gap, Why
from cds.values import Choice, any_of, one
from fhir_mappings import codelists, dates
from fhir_mappings.members import each, text
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of

FOR_CLINICAL_USE = "patient-sexParameterForClinicalUse"
SEX_EXTENSIONS = ("us-core-birthsex", "us-core-individual-sex", "us-core-sex", FOR_CLINICAL_USE)
USES = ("official", "usual", None, "temp", "nickname", "anonymous", "maiden", "old")
SEX = {"male": "male", "female": "female", "M": "male", "F": "female"}


def read_person(*versions: Resource) -> Mapping[str, Any]:
    """`birth_date`, `sex` and `deceased` of PatientFacts. Of several versions of a Patient, none known to be newer, each counts."""
    return {"birth_date": birth_date(*versions), "sex": sex(*versions), "deceased": deceased(*versions)}


def birth_date(*versions: Resource) -> Day:
    stated = sorted({day for version in versions if (day := dates.day(version.get("birthDate")))}, key=str)
    if not stated:
        return Day(gaps=(Gap("birth date", Why.MISSING, "birth date not recorded"),))
    first, last = max(day.first for day in stated if day.first), min(day.last for day in stated if day.last)
    if first <= last:  # what all of them leave open
        born = Day(first, last)
        return replace(born, evidence=(Evidence("born", reference_of(versions[0]), str(born)),))
    words = f"the record states different birth dates, {' and '.join(map(str, stated))}"
    source = Evidence(words, reference_of(versions[0]))
    return Day(min(day.first for day in stated if day.first), max(day.last for day in stated if day.last), None, (source,),
               (Gap("birth date", Why.CONFLICT, words, (source,)),))  # fmt: skip


def sex(*versions: Resource) -> Choice:
    """Male or female for the table of limits; both stay open where the record says neither, or says both.

    A gender `other` or `unknown` is said: a sex at birth beside it does not choose the row, one for clinical use does.
    """
    stated = {option for v in versions for told in (v.get("gender"), *_extensions(v)) if (option := _sex(told))}
    neither = any(v.get("gender") in ("other", "unknown") and not any(map(_sex, _extensions(v, FOR_CLINICAL_USE))) for v in versions)
    source = Evidence("sex " + (" and ".join(sorted(stated)) or "not recorded"), reference_of(versions[0]))
    if len(stated) == 1 and not neither:
        return one(*stated, source)
    if len(stated) > 1:
        return any_of(stated, Gap("sex", Why.CONFLICT, "the record states both sexes", (source,)))
    return any_of({"male", "female"}, Gap("sex", Why.MISSING, "sex not recorded as male or female", (source,)))


def deceased(*versions: Resource) -> Choice:
    """Dead if one version of the Patient says so and nothing else; open where it says so and the opposite, or cannot be read."""
    said = [_death(version) for version in versions]
    died = {"yes"} in said
    if not died and any("yes" in options for options in said):
        words = "whether the child is alive cannot be told from the record"
        return any_of({"yes", "no"}, Gap("vital status", Why.CONFLICT, words, (Evidence(words, reference_of(versions[0])),)))
    return one("yes" if died else "no", Evidence("deceased" if died else "not recorded as deceased", reference_of(versions[0])))


def dead_though_broken(patient: Resource) -> Resource:
    """A Patient that validation rejects and that says the child is dead, in whatever way: no more of it than that."""
    told = {key: patient[key] for key in ("resourceType", "id") if key in patient}
    return {**told, "deceasedBoolean": True} if _death(patient) == {"yes"} else patient


def _death(patient: Resource) -> set[str]:
    """What a Patient says of it: `yes`, `no`, or both where it contradicts itself or cannot be read."""
    said: set[str] = set()
    for key, value in patient.items():
        element = key.lstrip("_")
        if not element.startswith("deceased") or value is None:
            continue
        if element != "deceasedBoolean" and element != "deceased":
            said |= {"yes"} if value else {"yes", "no"}  # a date of death, however it is written
        else:
            said |= {True: {"yes"}, False: {"no"}, "true": {"yes"}, "false": {"no"}}.get(_word(value), {"yes", "no"})
    return said or {"no"}


def _word(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value if isinstance(value, bool) else None


def _extensions(patient: Resource, *names: str) -> Iterator[Any]:
    for extension in each(patient.get("extension")):
        if str(extension.get("url", "")).endswith(names or SEX_EXTENSIONS):
            yield extension.get("valueCode") or extension.get("valueCoding") or extension.get("valueCodeableConcept")


def _sex(told: Any) -> str | None:
    if isinstance(told, str):
        return SEX.get(told)
    return next((s for s in ("male", "female") if codelists.states(told, f"sex_{s}")), None)


def names(person: Resource) -> Iterator[str]:
    """What a Patient or a Practitioner is called, for a screen: the official name first, an old one last."""
    for name in sorted(each(person.get("name")), key=_use):
        lists = (told for told in (name.get("prefix"), name.get("given")) if isinstance(told, list))
        parts = [part for part in (*chain(*lists), name.get("family")) if text(part)]
        if words := text(name.get("text")) or " ".join(parts):
            yield words


def _use(name: Resource) -> int:
    use = name.get("use")
    return USES.index(use if use in USES else "nickname")
