"""The Patient: birth date, sex, and whether the child is alive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cds.day import Day
from cds.finding import Evidence, Gap, Why
from cds.values import Choice, any_of, one
from fhir_mappings import codelists, dates
from fhir_mappings.members import each
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of

SEX_EXTENSIONS = ("us-core-birthsex", "us-core-individual-sex", "us-core-sex", "patient-sexParameterForClinicalUse")
SEX = {"male": "male", "female": "female", "M": "male", "F": "female"}


def read_person(patient: Resource) -> Mapping[str, Any]:
    """`birth_date`, `sex` and `deceased` of PatientFacts."""
    return {"birth_date": birth_date(patient), "sex": sex(patient), "deceased": deceased(patient)}


def birth_date(patient: Resource) -> Day:
    born = dates.day(patient.get("birthDate"))
    if born is None:
        return Day(gaps=(Gap("birth date", Why.MISSING, "birth date not recorded"),))
    return replace(born, evidence=(Evidence("born", reference_of(patient), str(born)),))


def sex(patient: Resource) -> Choice:
    """Male or female for the table of limits; both stay open where the record says neither, or says both."""
    stated = {option for told in (patient.get("gender"), *_extensions(patient)) if (option := _sex(told))}
    source = Evidence("sex " + (" and ".join(sorted(stated)) or "not recorded"), reference_of(patient))
    if len(stated) == 1:
        return one(*stated, source)
    if stated:
        return any_of(stated, Gap("sex", Why.CONFLICT, "the record states both sexes", (source,)))
    return any_of({"male", "female"}, Gap("sex", Why.MISSING, "sex not recorded as male or female", (source,)))


def deceased(patient: Resource) -> Choice:
    """Dead only if the record says so."""
    died = patient.get("deceasedBoolean") is True or bool(patient.get("deceasedDateTime"))
    return one("yes" if died else "no", Evidence("deceased" if died else "not recorded as deceased", reference_of(patient)))


def _extensions(patient: Resource) -> Iterator[Any]:
    for extension in each(patient.get("extension")):
        if str(extension.get("url", "")).endswith(SEX_EXTENSIONS):
            yield extension.get("valueCode") or extension.get("valueCoding") or extension.get("valueCodeableConcept")


def _sex(told: Any) -> str | None:
    if isinstance(told, str):
        return SEX.get(told)
    return next((s for s in ("male", "female") if codelists.states(told, f"sex_{s}")), None)
