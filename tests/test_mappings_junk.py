"""A record may hold anything at all: `read_patient` and `assess` never raise for what is in it, and never decide more.

A good chart is broken in random places by values of every JSON type; hypothesis looks for one that crashes.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vignettes
from charts import CHILD, record
from cds import assess
from cds.trials import TRIALS
from fhir_mappings import Answer, Outcome, Record, read_patient

VIGNETTES = {v.id: v for v in vignettes.read_vignettes()}
FULL = vignettes.as_record(VIGNETTES["V02"].facts) + vignettes.as_chart_review(VIGNETTES["V07"].facts)[1:]

HOSTILE = (None, True, False, 0, -1, 10**400, Decimal("NaN"), Decimal("Infinity"), 1.5, float("nan"), float("inf"), "", " ", "x", "0", "9999-99-99", "2025-02-30", "2025-08-28T25:61:00Z",
           "2025-08-28T10:00:00+99:99", "0000", "\ud800", "\0", "a" * 5000, "١٢٣", [], [None], [[]], [1, "x"], {}, {"coding": None}, {"coding": [None, {}]}, {"coding": {"code": 1}}, {"reference": 1},
           {"reference": "Patient/"}, {"value": "x"}, {"value": True, "unit": ["mg/dL"]}, {"start": 1, "end": []}, {"low": 1, "high": "x"}, {"low": {"value": 1}, "high": {}})  # fmt: skip
simple = st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.decimals(allow_nan=True) | st.floats()
junk = st.sampled_from(HOSTILE) | st.recursive(simple, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6)
robust = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def places(value, path=()):
    """The way to every member of a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from places(member, (*path, key))


PLACES = list(places(FULL))


def broken(chart, changes):
    changed = deepcopy(chart)
    for path, new, remove in changes:
        holder = changed
        try:
            for key in path[:-1]:
                holder = holder[key]
            if remove:
                del holder[path[-1]]
            else:
                holder[path[-1]] = new
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    return [resource for resource in changed if isinstance(resource, dict)]


def judged(told):
    facts = read_patient(told, date(2025, 10, 10))
    return [assess(protocol, facts).as_json("test") for protocol in TRIALS]


@settings(robust, max_examples=400)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), junk, st.booleans()), min_size=1, max_size=4))
def test_whatever_an_element_holds(changes):
    for assessment in judged(record(*broken(FULL, changes))):
        assert assessment["overall"] in ("not_applicable", "not_eligible", "insufficient_data", "eligible_pending_clinician_review")


@settings(robust, max_examples=100)
@given(resources=st.lists(st.dictionaries(st.sampled_from(("resourceType", "id", "subject", "code", "status", "item", "valueQuantity", "meta", "effectiveDateTime")), junk), max_size=5),
       kind=st.sampled_from(("Patient", "Condition", "Observation", "QuestionnaireResponse", "ResearchSubject", "Procedure", "MedicationAdministration")))  # fmt: skip
def test_whatever_a_resource_is(resources, kind):
    told = [{"subject": {"reference": f"Patient/{CHILD}"}, **resource, "resourceType": kind} for resource in resources]
    names = [name for name in record().answers]
    judged(Record(CHILD, {name: Answer(Outcome.ANSWERED, tuple(told)) for name in names}))


def test_every_single_place_in_turn():
    """Not by chance: each place of the chart in turn, each with the next hostile value."""
    for number, path in enumerate(PLACES):
        judged(record(*broken(FULL, [(path, HOSTILE[number % len(HOSTILE)], False)])))


def test_the_chart_that_is_broken_is_a_good_one():
    (assessment,) = judged(record(*FULL))
    assert assessment["overall"] == "eligible_pending_clinician_review" and len(PLACES) > 300
    assert {c["id"] for c in assessment["criteria"] if c["truth"] != "unknown"} >= {"INC-01", "INC-02", "INC-03", "INC-06", "INC-07", "INC-08", "EXC-01", "EXC-02", "EXC-05"}
