"""Requests to a server that exports: short ones within a deadline, and downloads that may take as long as bytes keep coming.

The token goes to the origin of the FHIR server and nowhere else. Nothing is redirected here; `export_files` follows where a
file was moved to, without the token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from fhirclient.auth import FHIROAuth2Auth

from hooks.backend_services import TokenSource
from hooks.deadline import Deadline
from hooks.fhir_address import same_origin
from hooks.fhir_session import guarded_session, sent
from hooks.no_answer import NoAnswer

REPLY_SECONDS = 60.0  # for a short request: some servers gather much before they say 202
STALL_SECONDS = 60.0  # without a byte of a file


@dataclass(frozen=True, slots=True)
class UntilItStalls(Deadline):
    """Every single read may take so long, and all together until the moment of the deadline."""

    stall: float

    def remaining(self) -> float:
        return min(self.stall, Deadline.remaining(self))


class ExportWire:
    """Used by several threads at the same time: it keeps no connection, only what is needed to open one."""

    def __init__(self, base_url: str, access: str | TokenSource | None, *, limit: Deadline, ca_bundle: str | None = None,
                 stall_seconds: float = STALL_SECONDS) -> None:
        if isinstance(access, str) and not (access and all("\x21" <= c <= "\x7e" for c in access)):
            raise NoAnswer("the access token is malformed")  # requests would quote it in its error
        self.base_url, self.limit = base_url, limit
        self._access, self._ca_bundle, self._stall = access, ca_bundle, stall_seconds

    def short(self) -> Deadline:
        """The deadline of one short request."""
        return Deadline.after(min(REPLY_SECONDS, self.limit.remaining()))

    def streaming(self) -> Deadline:
        """The deadline of one download."""
        return UntilItStalls(self.limit.moment, self._stall)

    @contextmanager
    def asked(self, method: str, url: str, headers: Mapping[str, str], deadline: Deadline, *, signed: bool = True) -> Iterator[requests.Response]:
        """The response, its body unread. A 401 is answered with a fresh token, once, if it is ours to renew.

        Every way to fail is a NoAnswer.
        """
        if signed and not same_origin(url, self.base_url):
            raise NoAnswer("the answer led to another server")
        token = self._token(deadline) if signed else None
        with guarded_session(deadline, self._ca_bundle) as session:
            with sent(session, _request(method, url, headers, token), deadline) as response:
                if response.status_code != 401 or token is None or not isinstance(self._access, TokenSource):
                    yield response
                    return
            token = self._access.renewed(token, self.short())
            with sent(session, _request(method, url, headers, token), deadline) as response:
                yield response

    def _token(self, deadline: Deadline) -> str | None:
        return self._access.token(self.short()) if isinstance(self._access, TokenSource) else self._access


def _request(method: str, url: str, headers: Mapping[str, str], token: str | None) -> requests.Request:
    headers = dict(headers)
    if token is not None:
        headers = FHIROAuth2Auth(state={"access_token": token}).signed_headers(headers)
    return requests.Request(method, url, headers=headers)
