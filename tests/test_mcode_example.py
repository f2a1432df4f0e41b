"""HL7's published example of a child with leukaemia (mCODE, paediatric, Brian L.): never relapsed, so not for this trial.

The example is under a licence of its own and lies beside the checkout: the environment variable MCODE_EXAMPLE names it.
"""

from __future__ import annotations

import json
import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from charts import condition
from cds import assess
from cds.trials.nct05827549 import PROTOCOL
from fhir_mappings import Answer, Outcome, Record, read_patient
from fhir_mappings.sources import SEARCHES

AS_OF = date(2025, 9, 1)


@pytest.fixture(scope="module")
def resources():
    named = os.environ.get("MCODE_EXAMPLE")
    if not named:
        pytest.skip("No mCODE example: set MCODE_EXAMPLE to the file to judge it.")
    bundle = json.loads(Path(named).read_text(encoding="utf-8"), parse_float=Decimal)
    return [entry["resource"] for entry in bundle["entry"]]


@pytest.fixture(scope="module")
def child(resources):
    return next(r["id"] for r in resources if r["resourceType"] == "Patient")


def record_of(child, resources):
    return Record(child, {s.name: Answer(Outcome.ANSWERED, tuple(r for r in resources if r["resourceType"] == s.resource_type)) for s in SEARCHES})


def test_his_leukaemia_is_seen_and_no_relapse(resources, child):
    facts = read_patient(record_of(child, resources), AS_OF)
    assert facts.diagnoses.items and not any(d.relapse for d in facts.diagnoses.items)
    assert facts.birth_date.exact and facts.sex.exact


def test_he_is_not_applicable(resources, child):
    assessment = assess(PROTOCOL, read_patient(record_of(child, resources), AS_OF))
    assert (assessment.overall, assessment.criteria, assessment.flags, assessment.risk.status) == ("not_applicable", (), (), "suppressed")


def test_with_a_relapse_he_would_be_judged(resources, child):
    """The quiet answer above is not for want of looking."""
    relapse = {**condition("all_lineage_unspecified", "relapse", "2025-08-25"), "subject": {"reference": f"Patient/{child}"}}
    assessment = assess(PROTOCOL, read_patient(record_of(child, [*resources, relapse]), AS_OF))
    assert assessment.overall != "not_applicable" and len(assessment.criteria) == 25
