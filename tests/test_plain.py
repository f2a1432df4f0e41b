"""The shapes that stand for validation must never accept what `fhir.resources` rejects, and must recognise most records."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from functools import cache

import msgspec.inspect as shapes
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fhir_mappings.checked import MODELS
from fhir_mappings.plain import is_plain, shape_of
from hook_calls import TODAY
from hooks.demo.children import CHILDREN

SEEN = [r for c in CHILDREN for r in json.loads(json.dumps(c.build(TODAY)), parse_float=Decimal) if r["resourceType"] in MODELS]
FULL = {
    "resourceType": "Observation", "id": "a", "status": "final", "meta": {"versionId": "1", "lastUpdated": "2025-08-31T10:00:00.123+09:00", "profile": ["http://x"]},
    "identifier": [{"use": "official", "system": "urn:x", "value": "1 2", "type": {"text": "t"}}],
    "category": [{"coding": [{"system": "http://x", "code": "laboratory", "display": "Laboratory"}]}], "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}], "text": "Kreatinin µ"},
    "subject": {"reference": "Patient/1", "display": "A B"}, "encounter": {"reference": "Encounter/1"}, "performer": [{"reference": "Practitioner/1"}],
    "effectiveDateTime": "2025-08-31T10:00:00Z", "issued": "2025-08-31T11:00:00Z", "valueQuantity": {"value": Decimal("0.50"), "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL", "comparator": "<"},
    "interpretation": [{"text": "N"}], "referenceRange": [{"low": {"value": 0}, "high": {"value": Decimal("1.2")}, "text": "0-1.2"}], "specimen": {"reference": "Specimen/1"},
    "component": [{"code": {"text": "limit"}, "valueString": "a"}],
}  # fmt: skip
ANSWERS = {
    "resourceType": "QuestionnaireResponse", "status": "completed", "authored": "2025-08-31",
    "item": [{"linkId": "a", "item": [{"linkId": "b", "answer": [{"valueBoolean": True}, {"valueDate": "2024-02"}, {"valueInteger": 5}, {"valueCoding": {"code": "x"}}]}]}],
}  # fmt: skip
CHILD = {
    "resourceType": "Patient", "birthDate": "2015-02-28", "gender": "female", "deceasedBoolean": False, "name": [{"use": "official", "family": "A", "given": ["B", "C"]}],
    "contact": [{"name": {"text": "D"}, "period": {"start": "2015"}}], "communication": [{"language": {"text": "한국어"}, "preferred": True}], "multipleBirthInteger": 2,
}  # fmt: skip
EXAMPLES = [FULL, ANSWERS, CHILD, *{r["resourceType"]: r for r in SEEN}.values()]
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False), st.text(max_size=8), st.just([]), st.just({}), st.just([None]), st.just([{}]),
    st.sampled_from(["", " ", "a b", " a", "a\n", "\ud800", "\x00", "2025", "2025-02-30", "2025-02-29", "2025-13-01", "2025-08-31T10:00", "2025-08-31T10:00:00", "0000-01-01",
                     "2025-08-31T24:00:00Z", "2025-08-31T10:00:00+15:00", "~", "x" * 70, "1999-12-31", "2025-04-31", "2024-02-29"]),
)  # fmt: skip


def fits(resource):
    return is_plain(resource, MODELS[resource["resourceType"]])


def is_valid(resource):
    try:
        MODELS[resource["resourceType"]].model_validate(deepcopy(resource))
    except (ValidationError, ValueError, TypeError):
        return False
    return True


def draw_one(draw, shape, depth=0):
    """Something that fits a shape, as msgspec itself describes it; of the members that may be left out, a few."""
    match shape:
        case shapes.StructType():
            optional = [f for f in shape.fields if not f.required]
            chosen = draw(st.lists(st.sampled_from(optional), max_size=4 if depth < 3 else 0, unique_by=lambda f: f.name)) if optional else []
            return {f.encode_name: draw_one(draw, _set(f.type), depth + 1) for f in shape.fields if f.required or f in chosen}
        case shapes.ListType():
            return [draw_one(draw, shape.item_type, depth) for _ in range(draw(st.integers(0, 2)))]
        case shapes.StrType():
            return draw(text_like(shape.pattern))
        case shapes.IntType():
            return draw(st.integers(-(2**31), 2**31 - 1))
        case shapes.DecimalType():
            return draw(st.decimals(allow_nan=False, allow_infinity=False))
        case shapes.BoolType():
            return draw(st.booleans())
        case shapes.LiteralType():
            return draw(st.sampled_from(shape.values))
        case shapes.UnionType():
            return draw_one(draw, draw(st.sampled_from(shape.types)), depth)
    raise AssertionError(f"no strategy for {shape}")


@cache
def text_like(pattern):
    return st.from_regex(pattern).filter(lambda text: len(text) <= 64)


def _set(shape):
    """The type of a member that is there."""
    if not isinstance(shape, shapes.UnionType):
        return shape
    kept = tuple(each for each in shape.types if not isinstance(each, shapes.CustomType) and "Unset" not in type(each).__name__)
    return kept[0] if len(kept) == 1 else shapes.UnionType(kept)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(MODELS)), st.data())
def test_whatever_fits_the_shape_is_valid(name, data):
    resource = draw_one(data.draw, shapes.type_info(shape_of(MODELS[name])))
    if fits(resource):  # which it does not where a choice is made twice
        assert is_valid(resource), resource


def places(value, path=()):
    """Every place in a resource where something else could stand."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def put(resource, path, value):
    changed = deepcopy(resource)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_a_resource_that_was_changed_and_still_fits_is_valid(resource, data):
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from([p for p in places(resource) if p and p != ("resourceType",)]))
        if data.draw(st.booleans()):
            resource = put(resource, path, data.draw(JUNK))
        else:
            names = [*shape_of(MODELS[resource["resourceType"]]).__struct_fields__[1:], "extension", "contained", "x", "_status", "text", "resourceType"]
            at = path if isinstance(_at(resource, path), dict) else ()
            name = data.draw(st.sampled_from(names if at else names[:-1]))
            resource = put(resource, (*at, name), data.draw(JUNK))
    if fits(resource):
        assert is_valid(resource), resource


def _at(resource, path):
    for key in path:
        resource = resource[key]
    return resource


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda r: r["resourceType"])
@pytest.mark.parametrize("junk", [None, "", "final\n", "2024-01-01\n", " a", "a\nb", "\ud800", [], {}, 5, True, "2025-02-30", [None], Decimal("1E+400")], ids=repr)
def test_every_place_with_every_junk(example, junk):
    for path in places(example):
        if path and path != ("resourceType",) and fits(changed := put(example, path, junk)):
            assert is_valid(changed), changed


def test_most_records_are_plain():
    """Otherwise it would be of no use."""
    assert all(map(fits, EXAMPLES)) and all(map(is_valid, EXAMPLES))
    assert sum(map(fits, SEEN)) >= 0.9 * len(SEEN)


@pytest.mark.parametrize("change", [
    {"valueString": "a"}, {"component": [{}]}, {"component": [{"code": {}, "valueString": "a", "valueBoolean": True}]}, {"status": None},
    {"effectivePeriod": {}}, {"unheard-of": 1}, {"_status": {}}, {"extension": []}, {"contained": []},
], ids=str)  # fmt: skip
def test_it_says_no_where_it_cannot_know(change):
    assert not fits({**FULL, **change})


@pytest.mark.parametrize("change", [{"medicationReference": {"reference": "Medication/1"}}, {"medicationCodeableConcept": None}], ids=str)
def test_a_choice_that_must_be_made_is_made_once(change):
    dose = {"resourceType": "MedicationAdministration", "status": "completed", "subject": {}, "effectiveDateTime": "2025", "medicationCodeableConcept": {"text": "a"}}
    assert fits(dose)
    assert not fits({name: value for name, value in {**dose, **change}.items() if value is not None})


def test_another_resource_than_the_model_is_not_plain():
    assert not is_plain(FULL, MODELS["Patient"])
