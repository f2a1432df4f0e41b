"""To begin an export: one request, to which the server answers with the address where to ask how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import requests

from hooks.fhir_address import same_origin
from hooks.fhir_outcome import read_outcome
from hooks.fhir_patience import RETRY_STATUS, asked_pause
from hooks.no_answer import NoAnswer, Unwell
from hooks.screen.export_capability import capability
from hooks.screen.export_error import ExportError, NoExport
from hooks.screen.export_patience import MOST_AT_FIRST, Backoff, Sleep, json_of
from hooks.screen.export_wire import ExportWire
from hooks.screen.progress import Told

NDJSON = "application/fhir+ndjson"


def kick_off_url(base_url: str, types: Sequence[str], group: str | None, since: str | None) -> str:
    if group is not None and not group.strip("."):  # "." and ".." would lead elsewhere
        raise ExportError("the id of the group is malformed")
    asked = [("_type", ",".join(types))] if types else []
    asked += [("_since", since)] if since else []
    return f"{base_url}/{f'Group/{quote(group, safe=str())}' if group else 'Patient'}/$export?{urlencode([*asked, ('_outputFormat', NDJSON)], safe=',:/')}"


def kick_off(wire: ExportWire, url: str, told: Told, sleep: Sleep, *, of_group: bool = False) -> str:
    """The address to ask how far the export is. Raises ExportError."""
    backoff, prefer = Backoff(wire, sleep, MOST_AT_FIRST), "respond-async"
    while True:
        try:
            with wire.asked("GET", url, {"Accept": "application/fhir+json", "Prefer": prefer}, wire.short()) as response:
                status, body = response.status_code, json_of(response, wire, always=False)
                if status == 202:
                    return _place(response, url, wire)
                pause = asked_pause(response)
        except Unwell as error:  # a lost reply may have begun an export that nobody will fetch: servers end these themselves
            backoff.pause(failed=str(error))
            continue
        except NoAnswer as error:
            raise ExportError(str(error)) from None
        if status in RETRY_STATUS:
            backoff.pause(pause, failed=f"the FHIR server answered {status}")
        elif status == 400 and prefer == "respond-async":
            # Often a type it does not know. Then it may leave that out, and says so among the errors of the export.
            prefer = "respond-async, handling=lenient"
            told("the FHIR server refused the export (400); asked again, to leave out what it does not know")
        else:
            raise _refusal(status, body, wire, of_group)


def _refusal(status: int, body: Any, wire: ExportWire, of_group: bool) -> ExportError:
    refused = ExportError(f"the FHIR server refused the export ({status})")
    if status in (401, 403):
        return ExportError(f"not authorised to export ({status}); check the access token and its scopes, such as system/*.rs")
    if 300 <= status < 400:
        return ExportError("answered the export with a redirect; give the address it leads to as the base URL")
    if status == 404 and of_group:  # to go on without the group would be another cohort
        return ExportError("the FHIR server knows no group of this id, or exports none (404)")
    if status in (404, 405, 501) or status == 400 and read_outcome(body).refused:
        return NoExport(f"this FHIR server has no export ({status})")
    if status == 200:
        return NoExport("this FHIR server has no export: it answered at once, with something else")
    return NoExport(f"this FHIR server has no export ({status})") if capability(wire).exports is False else refused


def _place(response: requests.Response, url: str, wire: ExportWire) -> str:
    try:
        place = urljoin(url, response.headers["Content-Location"])
    except (KeyError, ValueError):
        raise ExportError("the FHIR server began an export but does not say where to ask for it") from None
    if not same_origin(place, wire.base_url):
        raise ExportError("the FHIR server began an export but sends us to another server for it; check the base URL, also http and https")
    return place
