"""One exchange with one FHIR server, within the deadline: what comes back is a `Reply`, or a `NoAnswer` in plain words.

`fhirclient` brings the base address, the session and the signature. The transport is ours, because fhirclient 4.4.0
sets no timeout, does not retry, and signs a `next` link to any host with the caller's token.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import requests
from fhirclient.auth import FHIROAuth2Auth
from fhirclient.server import FHIRJSONMimeType, FHIRServer

from hooks.backend_services import TokenSource
from hooks.deadline import Deadline
from hooks.fhir_address import is_below
from hooks.fhir_json import NotFhirJson, parse
from hooks.fhir_load import FhirLoad, Share
from hooks.fhir_patience import RETRY_STATUS, Busy, asked_pause, patiently
from hooks.fhir_session import body_of, guarded_session, sent
from hooks.no_answer import NoAnswer, Unwell


class Reply(NamedTuple):
    """A status and its JSON; with an error status the body is None when it was no JSON."""

    status: int
    body: Any
    location: str = ""  # of what was created


class _NotAuthorised(NoAnswer):
    """A 401: the token is not, or no longer, good."""


class FhirWire:
    def __init__(self, base_url: str, token: str | TokenSource | None, *, deadline: Deadline, max_bytes: int,
                 ca_bundle: str | None, share: Share | None = None) -> None:
        self._token, self._deadline, self._max_bytes = token, deadline, max_bytes
        self._share = share or FhirLoad().call(base_url)
        self._renewing_helps = True
        server = FHIRServer(None, base_uri=base_url)
        server.session = guarded_session(deadline, ca_bundle)
        self._server, self._session = server, server.session

    @property
    def base_url(self) -> str:
        return self._server.base_uri  # ends with a slash

    def close(self) -> None:
        self._session.close()

    def get(self, url: str) -> Reply:
        """Ask, and ask again while the server is busy and the deadline allows.

        The token goes to the server's own address and what is below it, and nowhere else: nor does the request. The same
        host may hold other applications, which the token was not given for.
        """
        return patiently(self._deadline)(self._in_turn, self._checked(url))

    def post(self, url: str, content: bytes) -> Reply:
        """Send, once: whether a server that did not answer has kept it cannot be known from here."""
        return self._in_turn(self._checked(url), content)

    def _checked(self, url: str) -> str:
        if not is_below(url, self.base_url):
            raise NoAnswer("the answer led to another server")
        if isinstance(self._token, str) and not re.fullmatch(r"[\x21-\x7e]+", self._token):
            raise NoAnswer("the access token is malformed")  # requests would quote it in its error
        return url

    def _in_turn(self, url: str, content: bytes | None = None) -> Reply:
        with self._share.turn(self._deadline):
            try:
                reply = self._authorised(url, content)
            except Unwell:
                raise
            except NoAnswer:  # a refusal, a redirect, a web page: whoever answers that is up
                self._share.answered()
                raise
            if reply.status < 500:
                self._share.answered()
            return reply

    def _authorised(self, url: str, content: bytes | None) -> Reply:
        """With a source of tokens, a 401 is answered with a fresh one, once. The caller's own token we cannot renew: only
        the next hook call brings another."""
        if self._token is None or isinstance(self._token, str):
            return self._exchange(url, self._token, content)
        token = self._token.token(self._deadline)
        try:
            return self._exchange(url, token, content)
        except _NotAuthorised:
            if not self._renewing_helps:
                raise
        token = self._token.renewed(token, self._deadline)
        try:
            return self._exchange(url, token, content)
        except _NotAuthorised:  # not its age, then: a token for every search of the call would change nothing
            self._renewing_helps = False
            raise

    def _exchange(self, url: str, token: str | None, content: bytes | None) -> Reply:
        headers = {"Accept": FHIRJSONMimeType}
        if content is not None:
            headers |= {"Content-Type": FHIRJSONMimeType, "Prefer": "return=minimal"}
        if token is not None:
            headers = FHIROAuth2Auth(state={"access_token": token}).signed_headers(headers)
        asked = requests.Request("GET" if content is None else "POST", url, headers=headers, data=content)
        with sent(self._session, asked, self._deadline) as response:
            return self._read(response) if content is None else self._written(response)

    def _written(self, response: requests.Response) -> Reply:
        """Whether it was kept is told by the status, whatever the body is; only of some statuses it is certain that it was not."""
        status = response.status_code
        if status == 401:
            raise _NotAuthorised("not authorised (401)")
        if 400 <= status < 500 and status != 408:
            raise NoAnswer("forbidden (403)" if status == 403 else f"the FHIR server answered {status}")
        if status == 200:
            try:
                return self._read(response)
            except NoAnswer as error:
                raise Unwell(str(error)) from None
        if status != 201:
            raise Unwell(f"the FHIR server answered {status}")
        return Reply(status, None, response.headers.get("Location", ""))

    def _read(self, response: requests.Response) -> Reply:
        status = response.status_code
        if 300 <= status < 400:
            raise NoAnswer("answered with a redirect")
        if status == 401:
            raise _NotAuthorised("not authorised (401)")
        if status == 403:
            raise NoAnswer("forbidden (403)")
        if status in RETRY_STATUS:
            raise Busy(f"the FHIR server answered {status}", asked_pause(response))
        try:
            body = parse(response.headers.get("Content-Type", ""), body_of(response, self._max_bytes, self._deadline))
        except NotFhirJson as error:
            if status == 200:
                raise NoAnswer(str(error)) from None
            body = None
        return Reply(status, body, response.headers.get("Location", ""))
