"""A FHIR server's own authorization server: where it is, and one exchange with its token endpoint.

`fhirclient` writes the questions and reads the grants; the transport is ours, for the reasons given in `fhir_wire`. What a
server says in its refusal is not repeated but for the error codes of the standard.
"""

from __future__ import annotations

from typing import Any

import requests
from fhirclient.server import FHIRServer

from hooks.deadline import Deadline
from hooks.fhir_address import is_loopback, origin
from hooks.fhir_json import NotFhirJson, parse
from hooks.fhir_session import body_of, guarded_session, sent
from hooks.no_answer import NoAnswer, Unwell

MAX_BYTES = 256 * 1024
ASSUMED_SECONDS = 300  # of a token whose end is not told
LONGEST_SECONDS = 86_400
SIGN_IN = ("authorization_endpoint", "token_endpoint")  # what an app that a clinician opens needs
ERRORS = frozenset({"invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "unauthorized_client", "unsupported_grant_type"})


def token_endpoint(fhir_server: str, deadline: Deadline, ca_bundle: str | None = None) -> str:
    """What the server's SMART configuration names. Raises NoAnswer."""
    return endpoints(("token_endpoint",), fhir_server, deadline, ca_bundle)[0]


def endpoints(names: tuple[str, ...], fhir_server: str, deadline: Deadline, ca_bundle: str | None = None) -> tuple[str, ...]:
    """What the server's SMART configuration names. Raises NoAnswer.

    The document is believed if the listed server itself served it over TLS, or on this very machine. It may then name
    another host, as the identity provider of a hospital often is: an assertion of ours is good at no other address than the
    one in its `aud`, a code of its own at no other than where it came from. Never plain http, unless both are on this
    machine: the token would travel in the open.
    """
    if not _private(fhir_server, here=True):
        raise NoAnswer(f"the address of the {_spoken(names[0])} cannot be asked of a server without TLS" + ("; set token_url" if len(names) == 1 else ""))
    asked = requests.Request("GET", f"{fhir_server}/.well-known/smart-configuration", headers={"Accept": "application/json"})
    with guarded_session(deadline, ca_bundle) as session, sent(session, asked, deadline) as response:
        told = _json(response, deadline) if response.status_code == 200 else None
    found = [told.get(name) if isinstance(told, dict) else None for name in names]
    for name, address in zip(names, found):
        if not isinstance(address, str) or not _private(address, here=is_loopback(fhir_server)):
            raise NoAnswer(f"the FHIR server names no {_spoken(name)} that we may use")
    return tuple(map(str, found))


def _spoken(name: str) -> str:
    return name.replace("_", " ")


class TokenEndpoint(FHIRServer):
    """What fhirclient asks of a server while it authorises, done with a deadline and without redirects."""

    def __init__(self, fhir_server: str, scope: str, deadline: Deadline, ca_bundle: str | None, launch: str | None = None) -> None:
        super().__init__(None, base_uri=fhir_server)
        self.session = guarded_session(deadline, ca_bundle)
        self._scope, self._deadline, self._launch = scope, deadline, launch
        self.seconds = 0

    @property
    def desired_scope(self) -> str:
        return self._scope

    @property
    def launch_token(self) -> str | None:
        return self._launch

    def should_save_state(self) -> None:
        """Whoever asks keeps the state."""

    def post_as_form(self, url: str, formdata: dict[str, str], auth: Any = None) -> _Granted:
        asked = requests.Request("POST", url, data=formdata, auth=auth, headers={"Accept": "application/json"})
        with sent(self.session, asked, self._deadline) as response:
            status, told = response.status_code, _json(response, self._deadline)
        if status >= 500 or status == 429:
            raise Unwell(f"the FHIR server gave us no access token ({status})")
        told = told if isinstance(told, dict) else {}
        token, kind = told.get("access_token"), str(told.get("token_type", "bearer")).lower()
        if status != 200 or not isinstance(token, str) or not _printable(token) or kind != "bearer":
            code = f": {told['error']}" if str(told.get("error")) in ERRORS else ""
            raise NoAnswer(f"the FHIR server gave us no access token ({status}{code})")
        self.seconds = _seconds(told.pop("expires_in", None))
        return _Granted(told)


class _Granted(dict[str, Any]):
    """The part of an HTTP response that fhirclient looks at."""

    def json(self) -> dict[str, Any]:
        return self


def _json(response: requests.Response, deadline: Deadline) -> Any:
    try:
        return parse(response.headers.get("Content-Type", ""), body_of(response, MAX_BYTES, deadline))
    except NotFhirJson:
        return None


def _seconds(told: Any) -> int:
    """`expires_in`: a number, from some servers as text."""
    try:
        number = int(told) if isinstance(told, str) else told
        return int(max(0, min(number, LONGEST_SECONDS)))  # compared first: the int of 1e999999999 would fill the memory
    except (TypeError, ValueError):
        return ASSUMED_SECONDS


def _printable(token: str) -> bool:
    return bool(token) and all("\x21" <= character <= "\x7e" for character in token)


def _private(url: str, here: bool) -> bool:
    """TLS, or, where that is in order, this very machine."""
    place = origin(url)
    return place is not None and (place.scheme == "https" or (here and is_loopback(url)))
