"""The shape that stands for validation must never accept what `fhir.resources` rejects, and must recognise most results."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal

import pytest
from fhir.resources.R4B.observation import Observation
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fhir_mappings.plain_observation import is_plain
from hook_calls import TODAY
from hooks.demo.children import CHILDREN

SEEN = [json.loads(json.dumps(r), parse_float=Decimal) for c in CHILDREN for r in c.build(TODAY) if r["resourceType"] == "Observation"]
FULL = {
    "resourceType": "Observation", "id": "a", "status": "final", "meta": {"versionId": "1", "lastUpdated": "2025-08-31T10:00:00.123+09:00", "profile": ["http://x"]},
    "identifier": [{"use": "official", "system": "urn:x", "value": "1 2", "type": {"text": "t"}}],
    "category": [{"coding": [{"system": "http://x", "code": "laboratory", "display": "Laboratory"}]}], "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}], "text": "Kreatinin µ"},
    "subject": {"reference": "Patient/1", "display": "A B"}, "encounter": {"reference": "Encounter/1"}, "performer": [{"reference": "Practitioner/1"}],
    "effectiveDateTime": "2025-08-31T10:00:00Z", "issued": "2025-08-31T11:00:00Z", "valueQuantity": {"value": Decimal("0.50"), "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL", "comparator": "<"},
    "interpretation": [{"text": "N"}], "referenceRange": [{"low": {"value": 0}, "high": {"value": Decimal("1.2")}, "text": "0-1.2"}], "specimen": {"reference": "Specimen/1"},
}  # fmt: skip
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False), st.text(max_size=8), st.just([]), st.just({}), st.just([None]), st.just([{}]),
    st.sampled_from(["", " ", "a b", " a", "a\n", "\ud800", "\x00", "2025", "2025-02-30", "2025-02-29", "2025-13-01", "2025-08-31T10:00", "2025-08-31T10:00:00", "0000-01-01",
                     "2025-08-31T24:00:00Z", "2025-08-31T10:00:00+15:00", "~", "x" * 70, "1999-12-31", "2025-04-31", "2024-02-29"]),
)  # fmt: skip


def is_valid(resource):
    try:
        Observation.model_validate(deepcopy(resource))
    except (ValidationError, ValueError, TypeError):
        return False
    return True


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


@settings(max_examples=600, deadline=None)
@given(st.sampled_from([FULL, *SEEN]), st.data())
def test_what_fits_the_shape_is_valid(resource, data):
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from([p for p in places(resource) if p]))
        if data.draw(st.booleans()):
            resource = put(resource, path, data.draw(JUNK))
        else:
            name = data.draw(st.sampled_from(["valueString", "valueQuantity", "valueBoolean", "component", "text", "x", "code", "effectivePeriod", "_status"]))
            at = path if isinstance(_at(resource, path), dict) else ()
            resource = put(resource, (*at, name), data.draw(JUNK))
    if is_plain(resource):
        assert is_valid(resource), resource


def _at(resource, path):
    for key in path:
        resource = resource[key]
    return resource


@pytest.mark.parametrize("path", [p for p in places(FULL) if p], ids=str)
@pytest.mark.parametrize("junk", [None, "", "final\n", "2024-01-01\n", " a", "a\nb", "\ud800", [], {}, 5, True, "2025-02-30", [None], Decimal("1E+400")], ids=repr)
def test_every_place_with_every_junk(path, junk):
    resource = put(FULL, path, junk)
    if is_plain(resource):
        assert is_valid(resource), resource


def test_most_results_are_plain():
    """Otherwise it would be of no use."""
    assert is_plain(FULL) and is_valid(FULL)
    assert sum(map(is_plain, SEEN)) >= 0.9 * len(SEEN)


def test_it_says_no_where_it_cannot_know():
    for change in ({"valueString": "a"}, {"component": []}, {"status": None}, {"effectivePeriod": {}}, {"unheard-of": 1}, {"resourceType": "Patient"}):
        assert not is_plain({**FULL, **change})
