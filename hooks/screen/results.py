"""What a screening leaves in its folder: the summary, the work list, the report, and last the assessments."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds.trials import NCT05827549
from hooks.screen.cohort import EXPORT, WORK
from hooks.screen.comparison import Comparison
from hooks.screen.finding import TYPES
from hooks.screen.found import Found
from hooks.screen.report import read_assessments, write_report
from hooks.screen.spool import write_json
from hooks.screen.worklist import write_worklist
from hooks.version import SOFTWARE_VERSION

if TYPE_CHECKING:
    from hooks.screen.run import Asked


def summed_up(asked: Asked, found: Found, assessments: Path, started: datetime, seconds: float, compared: Comparison | None) -> dict[str, Any]:
    overall, groups, modifiable = Counter[str](), Counter[str](), 0
    for a in read_assessments(assessments):
        overall[a["overall"]] += 1
        modifiable += a["overall"] == "not_eligible" and a["modifiable"]
        if a["criteria"]:
            groups[a["risk"]["group"] or a["risk"]["status"]] += 1
    return {
        "protocol": NCT05827549.id,
        "text_version": NCT05827549.text_version,
        "software_version": SOFTWARE_VERSION,
        "as_of": asked.as_of.isoformat(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "source": asked.source,
        "overall": dict(overall),
        "modifiable": modifiable,
        "risk": dict(groups),
        "missing_kinds": [kind for kind in TYPES[:-1] if kind not in found.kinds],
        **asdict(found),
        "patients_seen": found.patient_records or None,
        "resources_read": found.lines,
        "lines_broken": found.broken,
        **({"changes": dict(Counter(change.kind for change in compared.changes))} if compared else {}),
    }


def publish(asked: Asked, assessments: Path, summary: dict[str, Any], compared: Comparison | None) -> None:
    """Each file all or nothing; the assessments last, since an earlier screening is known by them."""
    out = asked.out
    write_worklist(read_assessments(assessments), out / "worklist.csv", out / "worklist.parquet")
    write_report(read_assessments(assessments), summary, out / "report.html", link=asked.record_link, compared=compared)
    write_json(out / "summary.json", summary)
    if compared is None:
        (out / "changes.json").unlink(missing_ok=True)  # those of an earlier run would stand beside today's results
    else:
        write_json(out / "changes.json", [change.as_json() for change in compared.changes])
    os.replace(assessments, out / "assessments.ndjson")
    for done_with in (WORK, EXPORT):  # the children's records do not stay behind
        shutil.rmtree(out / done_with, ignore_errors=True)
