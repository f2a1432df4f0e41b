"""Screened cohorts of any size, for the tests of the report: assessments as `assessments.ndjson` holds them, all invented."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import vignettes
from cds import assess
from cds.trials import NCT05827549
from charts import facts
from fhir_mappings import read_patient
from hooks.bundle import record_from_bundle
from hooks.demo.children import CHILDREN, bundle

TODAY = date(2025, 9, 1)
SITES = ("Harbour Children’s", "Northfield", "St. Alder", "Lakeside University Hospital", "Old Mill Clinic")


def judged() -> list[dict[str, Any]]:
    """The children of the demonstration and of the vignettes, judged."""
    shown = [assess(NCT05827549, read_patient(record_from_bundle(bundle(child, TODAY)), TODAY)) for child in CHILDREN]
    told = [assess(NCT05827549, facts(*vignettes.as_record(v.facts), as_of=v.as_of.isoformat())) for v in vignettes.read_vignettes()]
    return [a.as_json("0.1.0") for a in (*shown, *told)]


def cohort(size: int, seed: int = 7) -> Iterator[tuple[dict[str, Any], str]]:
    """So many children in scope, each with a site: real judgements, under invented ids and in uneven numbers."""
    chance = random.Random(seed)
    models = [a for a in judged() if a["overall"] != "not_applicable"]
    often = [chance.expovariate(1) + (a["overall"] != "eligible_pending_clinician_review") for a in models]
    for number in range(size):
        child = copy.copy(chance.choices(models, often)[0])
        child["patient"] = f"Patient/{chance.getrandbits(48):012x}-{number}"
        yield child, chance.choices(SITES, (9, 6, 4, 2, 1))[0]
