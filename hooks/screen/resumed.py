"""Where a screening keeps what is finished, and whether what an earlier run left there is part of the same one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hooks.screen.spool import BUCKETS, write_json
from hooks.version import SOFTWARE_VERSION

if TYPE_CHECKING:
    from hooks.screen.cohort import Screening

LAYOUT = 4  # of what is kept; goes up with every change of it


def work_folder(asked: Screening) -> Path:
    """What an earlier run left, if it asked the same of the same files; an empty folder otherwise."""
    work = asked.work
    files = [(path.relative_to(asked.source).as_posix(), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in asked.files]
    codes = asked.site_codes.read_text(encoding="utf-8") if asked.site_codes else ""
    same = {"layout": LAYOUT, "files": [list(file) for file in files], "as_of": asked.as_of.isoformat(), "protocol": asked.protocol.id,
            "buckets": BUCKETS, "text_version": asked.protocol.text_version, "software_version": SOFTWARE_VERSION, "site_codes": codes,
            "lacking": asked.lacking, "not_kept": list(asked.not_kept)}  # fmt: skip
    plan = work / "plan.json"
    if _plan(plan) != same:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        write_json(plan, same)
    return work


def _plan(path: Path) -> object:
    """What an earlier run asked; None if there was none, or its note is damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
