"""The plain Observation, recognised at a glance: most of a chart, and by far most of the time that validation takes.

What fits this shape is valid FHIR R4 for certain, so it need not be validated. What does not fit may still be valid: that is
for `fhir.resources` to say, as ever. So the shape only has to be narrow, never complete; a test holds it against the models.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert

from fhir_mappings.record import Resource

_TIME = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-3]):[0-5]\d)"
_YEAR, _MONTH = r"(19|20)\d\d", r"(0[1-9]|1[0-2])"
_DAY = rf"{_YEAR}-({_MONTH}-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"

Text = Annotated[str, Meta(pattern=r"^[!-~\u00a1-\ud7ff]([ -~\u00a1-\ud7ff]*[!-~\u00a1-\ud7ff])?\Z", max_length=4096)]
Code = Annotated[str, Meta(pattern=r"^[!-~]+\Z", max_length=256)]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}\Z")]
DateTime = Annotated[str, Meta(pattern=rf"^({_YEAR}|{_YEAR}-{_MONTH}|{_DAY}|{_DAY}{_TIME})\Z")]
Instant = Annotated[str, Meta(pattern=rf"^{_DAY}{_TIME}\Z")]
Number = int | Decimal


class Plain(Struct, forbid_unknown_fields=True):
    """Members that are not named are not plain; a member that is there has a value."""


class Coding(Plain):
    system: Code | UnsetType = UNSET
    version: Text | UnsetType = UNSET
    code: Code | UnsetType = UNSET
    display: Text | UnsetType = UNSET
    userSelected: bool | UnsetType = UNSET


class Concept(Plain):
    coding: list[Coding] | UnsetType = UNSET
    text: Text | UnsetType = UNSET


class Quantity(Plain):
    value: Number | UnsetType = UNSET
    comparator: Literal["<", "<=", ">=", ">"] | UnsetType = UNSET
    unit: Text | UnsetType = UNSET
    system: Code | UnsetType = UNSET
    code: Code | UnsetType = UNSET


class Reference(Plain):
    reference: Code | UnsetType = UNSET
    type: Code | UnsetType = UNSET
    display: Text | UnsetType = UNSET


class Tags(Plain):
    versionId: Id | UnsetType = UNSET
    lastUpdated: Instant | UnsetType = UNSET
    source: Code | UnsetType = UNSET
    profile: list[Code] | UnsetType = UNSET
    tag: list[Coding] | UnsetType = UNSET


class Identifier(Plain):
    use: Code | UnsetType = UNSET
    system: Code | UnsetType = UNSET
    value: Text | UnsetType = UNSET
    type: Concept | UnsetType = UNSET


class Range(Plain):
    low: Quantity | UnsetType = UNSET
    high: Quantity | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    type: Concept | UnsetType = UNSET


class Observation(Plain):
    """With at most one of its kinds of value, which `is_plain` sees to."""

    resourceType: Literal["Observation"]
    status: Code
    code: Concept
    id: Id | UnsetType = UNSET
    meta: Tags | UnsetType = UNSET
    identifier: list[Identifier] | UnsetType = UNSET
    category: list[Concept] | UnsetType = UNSET
    subject: Reference | UnsetType = UNSET
    encounter: Reference | UnsetType = UNSET
    performer: list[Reference] | UnsetType = UNSET
    specimen: Reference | UnsetType = UNSET
    effectiveDateTime: DateTime | UnsetType = UNSET
    issued: Instant | UnsetType = UNSET
    interpretation: list[Concept] | UnsetType = UNSET
    method: Concept | UnsetType = UNSET
    bodySite: Concept | UnsetType = UNSET
    referenceRange: list[Range] | UnsetType = UNSET
    valueQuantity: Quantity | UnsetType = UNSET
    valueCodeableConcept: Concept | UnsetType = UNSET
    valueString: Text | UnsetType = UNSET


def is_plain(resource: Resource) -> bool:
    """True only for a valid Observation; False says nothing."""
    if ("valueQuantity" in resource) + ("valueCodeableConcept" in resource) + ("valueString" in resource) > 1:
        return False
    try:
        convert(resource, Observation)
    except (ValidationError, UnicodeError):
        return False
    return True
