"""An export under way: asked for until it is done, and deleted when nobody needs its files any longer."""

from __future__ import annotations

from typing import Any

from hooks.fhir_patience import RETRY_STATUS, asked_pause
from hooks.no_answer import NoAnswer, Unwell
from hooks.paging import CutShort, next_link
from hooks.screen.export_error import ExportError, ExportOver
from hooks.screen.export_manifest import Manifest, read_manifest
from hooks.screen.export_patience import Backoff, Sleep, json_of
from hooks.screen.export_wire import ExportWire
from hooks.screen.progress import Progress, Told, harmless

MOST_PAGES = 10_000  # of the list of files


def finished(wire: ExportWire, status_url: str, told: Told, sleep: Sleep) -> Manifest:
    """Wait until the export is done. Raises ExportOver when the job has failed or is gone, ExportError otherwise."""
    files, time, url, visited = [], "", status_url, set()
    while url:
        body = _polled(wire, url, told, sleep)
        page = read_manifest(body, wire.base_url, url)
        files += page.files
        time = time or page.transaction_time
        visited.add(url)
        try:
            url = next_link(body, url, visited)
        except CutShort as cut:
            raise ExportError(f"the list of exported files cannot be read to its end: {cut}") from None
        if len(visited) > MOST_PAGES:
            raise ExportError("the list of exported files has no end")
    return Manifest(time, tuple(files))


def _polled(wire: ExportWire, url: str, told: Told, sleep: Sleep) -> Any:
    backoff = Backoff(wire, sleep)
    while True:
        try:
            with wire.asked("GET", url, {"Accept": "application/json"}, wire.short()) as response:
                status, pause = response.status_code, asked_pause(response)
                words = harmless(response.headers.get("X-Progress", ""))
                body = json_of(response, wire, always=status == 200)
        except Unwell as error:
            backoff.pause(failed=str(error))
            continue
        except NoAnswer as error:
            raise ExportError(str(error)) from None
        if status == 200:
            return body
        if status == 202:
            told(Progress("export", words=words))
            backoff.pause(pause)
        elif status in RETRY_STATUS or status >= 500 and _transient(body):
            backoff.pause(pause, failed=f"the FHIR server answered {status}")
        elif status in (401, 403):
            raise ExportError(f"not authorised to see how far the export is ({status}); with a new access token the same command continues")
        elif 300 <= status < 400:
            raise ExportError("answered with a redirect")
        elif status in (404, 410):
            raise ExportOver("the FHIR server no longer knows this export; the same command begins a new one")
        else:
            raise ExportOver(f"the export failed at the FHIR server ({status}); the same command begins a new one")


def deleted(wire: ExportWire, status_url: str) -> bool:
    """Tell the server that the files are not needed any longer; whether it heard us."""
    try:
        with wire.asked("DELETE", status_url, {"Accept": "application/fhir+json"}, wire.short()) as response:
            return response.status_code in (200, 202, 204, 404, 410)
    except NoAnswer:
        return False


def _transient(body: Any) -> bool:
    match body:
        case {"resourceType": "OperationOutcome", "issue": [*issues]}:
            return any(isinstance(issue, dict) and issue.get("code") == "transient" for issue in issues)
    return False
