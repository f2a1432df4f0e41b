"""One GET to one FHIR server, within the deadline: what comes back is a `Reply`, or a `NoAnswer` in plain words.

`fhirclient` brings the base address, the session and the signature. The transport is ours, because fhirclient 4.4.0
sets no timeout, does not retry, and signs a `next` link to any host with the caller's token.
"""

from __future__ import annotations

import logging
import re
from typing import Any, NamedTuple

import requests
from fhirclient.auth import FHIROAuth2Auth
from fhirclient.server import FHIRJSONMimeType, FHIRServer
from requests.exceptions import RequestException
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from hooks.deadline import Deadline
from hooks.deadline_adapter import DeadlineAdapter
from hooks.fhir_address import same_origin
from hooks.fhir_json import NotFhirJson, parse

RETRIES = 2
_RETRY_STATUS = frozenset({429, 502, 503, 504})
_CHUNK = 64 * 1024

# urllib3 logs the path and query of every request at DEBUG, and of a reply with broken headers at WARNING: patient ids.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class NoAnswer(Exception):
    """Why there is nothing to read: short plain English, without anything the server sent and without our URL."""


class _Busy(NoAnswer):
    """The same request may succeed in a moment; `pause` is how many seconds the server asked for, if it did."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.pause = pause


class Reply(NamedTuple):
    """A status and its JSON; with an error status the body is None when it was no JSON."""

    status: int
    body: Any


class FhirWire:
    def __init__(self, base_url: str, token: str | None, *, deadline: Deadline, max_bytes: int,
                 ca_bundle: str | None) -> None:
        self._deadline, self._max_bytes = deadline, max_bytes
        server = FHIRServer(None, base_uri=base_url)
        # An `auth` of its own also keeps fhirclient from fetching the CapabilityStatement to find one.
        server.auth = FHIROAuth2Auth(state={"access_token": token})
        session = server.session
        session.trust_env = False  # a proxy or a netrc of the machine must not see the token, nor replace it
        session.verify = ca_bundle or True  # trust_env would have read this from the environment
        # Even with allow_redirects=False requests looks where a redirect leads, and reads its whole body to do so.
        session.get_redirect_target = lambda response: None  # type: ignore[method-assign]
        session.mount("https://", DeadlineAdapter(deadline))
        session.mount("http://", DeadlineAdapter(deadline))
        self._server, self._session = server, session

    @property
    def base_url(self) -> str:
        return self._server.base_uri  # ends with a slash

    def close(self) -> None:
        self._session.close()

    def get(self, url: str) -> Reply:
        """Ask, and ask again while the server is busy and the deadline allows."""
        patiently = Retrying(
            retry=retry_if_exception_type(_Busy),
            wait=_pause,
            stop=stop_after_attempt(1 + RETRIES) | self._pause_is_too_long,
            reraise=True,
        )
        return patiently(self._get_once, url)

    def _pause_is_too_long(self, attempt: RetryCallState) -> bool:
        return attempt.upcoming_sleep >= self._deadline.remaining()

    def _get_once(self, url: str) -> Reply:
        remaining = self._deadline.remaining()
        if not remaining:
            raise NoAnswer("no answer in time")
        try:
            request = self._session.prepare_request(requests.Request("GET", url, headers=self._headers(url)))
            with self._session.send(request, stream=True, allow_redirects=False, timeout=remaining) as response:
                return self._read(response)
        except (RequestException, HTTPError) as error:
            raise self._broken(error) from None  # the cause would print the URL, or the header with the token

    def _headers(self, url: str) -> dict[str, str]:
        """The token goes to the server's origin and nowhere else: nor does the request, if `next` points elsewhere.

        An origin, not a path, is what TLS vouches for, and Canvas answers with a `next` at the root of its host; so a
        link within the origin is followed, and signed, wherever its path leads.
        """
        if not same_origin(url, self.base_url):
            raise NoAnswer("the answer led to another server")
        headers = {"Accept": FHIRJSONMimeType}
        if not self._server.auth.can_sign_headers():
            return headers
        if not re.fullmatch(r"[\x21-\x7e]+", self._server.auth.access_token):
            raise NoAnswer("the access token is malformed")  # requests would quote it in its error
        return self._server.auth.signed_headers(headers)

    def _read(self, response: requests.Response) -> Reply:
        status = response.status_code
        if 300 <= status < 400:
            raise NoAnswer("answered with a redirect")
        if status == 401:  # the token is the caller's: only the next hook call can bring a new one
            raise NoAnswer("not authorised (401)")
        if status == 403:
            raise NoAnswer("forbidden (403)")
        if status in _RETRY_STATUS:
            raise _Busy(f"the FHIR server answered {status}", _asked_pause(response))
        try:
            return Reply(status, parse(response.headers.get("Content-Type", ""), self._content(response)))
        except NotFhirJson as error:
            if status == 200:
                raise NoAnswer(str(error)) from None
            return Reply(status, None)

    def _content(self, response: requests.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):  # unpacked, so that the limit also holds for a zipped bomb
            content += chunk
            if len(content) > self._max_bytes:
                raise NoAnswer("the answer was too large")
            if self._deadline.passed:
                raise NoAnswer("no answer in time")
        return bytes(content)

    def _broken(self, error: Exception) -> NoAnswer:
        if isinstance(error, requests.Timeout) or self._deadline.remaining() < 0.02:  # sockets may give up a hair early
            return NoAnswer("no answer in time")
        if isinstance(error, requests.exceptions.SSLError):
            return NoAnswer("no secure connection to the FHIR server")
        if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            return _Busy("the connection to the FHIR server failed")
        return NoAnswer("the exchange with the FHIR server failed")


def _pause(attempt: RetryCallState) -> float:
    busy = attempt.outcome.exception()
    return 0.2 * attempt.attempt_number if busy.pause is None else busy.pause


def _asked_pause(response: requests.Response) -> float | None:
    """Retry-After as seconds or HTTP date, else the `t=` of Medplum's RateLimit header."""
    if (asked := response.headers.get("Retry-After")) is not None:
        try:
            return Retry().parse_retry_after(asked)
        except (HTTPError, ValueError, OverflowError):  # unreadable: as if it had not been sent
            return None
    resets = re.findall(r"\bt=(\d{1,9})\b", response.headers.get("RateLimit", ""))
    return max(map(float, resets), default=None)
