"""A cohort from a FHIR server: by `$export` into files, and where there is none, by a search for the diagnosis, child by child."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cds.trials import NCT05827549
from fhir_mappings import Record
from hooks.command_line import CannotDo
from hooks.gather import access
from hooks.screen.bulk_export import Exported, export_to
from hooks.screen.cohort import EXPORT, WORK, Screening, screen
from hooks.screen.export_error import ExportError, NoExport
from hooks.screen.finding import OUTCOME, TYPES
from hooks.screen.found import Found
from hooks.screen.judging import as_line, judge, site_of
from hooks.screen.progress import Progress
from hooks.screen.screenable import fhir_base_of
from hooks.screen.search_export import SearchError, patients_listed, patients_with_leukaemia
from hooks.screen.spool import whole
from hooks.screen.watching import Watcher
from hooks.version import SOFTWARE_VERSION

if TYPE_CHECKING:
    from hooks.screen.run import Asked

ASKED_FOR = tuple(kind for kind in TYPES if kind != OUTCOME)


def from_server(asked: Asked, watcher: Watcher) -> tuple[Path, Found]:
    """Raise CannotDo when neither way leads anywhere. An export that broke off is gone on with by the same command."""
    base = fhir_base_of(asked.source)
    token = access(os.environ.get("FHIR_TOKEN"), base, asked.config)
    told = _Told(watcher)
    try:
        exported = export_to(asked.out / EXPORT, base, token, types=ASKED_FOR, told=told, ca_bundle=asked.config.trusted)
        return screen(_screening(asked, exported), watcher)
    except NoExport as why:
        watcher.say(f"{str(why).rstrip('.')}. Looking for the diagnosis instead.")
    except ExportError as why:
        raise CannotDo(f"{base}: {why}") from None
    try:
        ids = patients_with_leukaemia(base, token, told=told, ca_bundle=asked.config.trusted)
        watcher.stage("Fetching and judging", len(ids))
        return _one_by_one(asked, patients_listed(base, token, ids, told=lambda what: None, ca_bundle=asked.config.trusted), watcher)
    except SearchError as why:
        raise CannotDo(f"{base}: {why}") from None


def _screening(asked: Asked, exported: Exported) -> Screening:
    lacking = "" if exported.whole else "the export is not complete: the FHIR server reported errors, or a file was cut short"
    return Screening(exported.folder, exported.files, asked.out / WORK, NCT05827549, asked.as_of, asked.processes, asked.config.site_codes,
                     asked.max_errors, lacking, exported.unknown_types)  # fmt: skip


def _one_by_one(asked: Asked, records: Iterable[Record], watcher: Watcher) -> tuple[Path, Found]:
    found, target = Found(kinds=list(ASKED_FOR)), asked.out / WORK / "assessments.ndjson"
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole(target) as unfinished, open(unfinished, "wb") as file:
        for record in records:
            if site := site_of(record):
                found.sites[record.patient_id] = site
            file.write(as_line(judge(NCT05827549, record, asked.as_of).as_json(SOFTWARE_VERSION)) + b"\n")
            found.children += 1
            watcher.advance(1)
    return target, found


class _Told:
    """The exporter's news for the watcher; it comes with every 64 KB, so only what is new is passed on."""

    def __init__(self, watcher: Watcher):
        self._watcher, self._last = watcher, ""

    def __call__(self, what: str | Progress) -> None:
        words = what if isinstance(what, str) else _words(what)
        if words != self._last:
            self._last = words
            self._watcher.say(words)


def _words(p: Progress) -> str:
    if p.what == "export":
        return f"The server is exporting{f': {p.words}' if p.words else ''} …"
    of = f" of {p.of}" if p.of else ""
    return f"{p.done}{of} files" if p.what == "files" else f"{p.done}{of} children"
