"""The public keys of one caller: those in the configuration, and those it publishes at its configured address.

Keys are fetched in the background, first when a worker starts, and kept: a fetch while a clinician waits would eat the time
for the answer.
An address is never taken from a token.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import requests
import structlog
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError, SSLError

from hooks.cds_client import CdsClient
from hooks.deadline import Deadline
from hooks.deadline_adapter import DeadlineAdapter
from hooks.public_key import PublicKey, public_key

log = structlog.get_logger()
FETCH_SECONDS = 2.0
MAX_BYTES = 64 * 1024
FRESH_SECONDS = (300, 3600)  # kept for as long as Cache-Control says, within these
STALE_SECONDS = 24 * 3600  # still used for so long when they cannot be fetched again
PAUSE_SECONDS = 60  # between two fetches, whatever is asked: an unknown kid must not become traffic


class KeysUnavailable(Exception):
    """Why the keys of a caller cannot be had, in plain words; nobody can be verified with what is not there."""


class KeySet:
    """Thread-safe; one for each client and process."""

    def __init__(self, client: CdsClient, now: Callable[[], float] = time.monotonic, ca_bundle: str | None = None):
        self._name, self._url, self._now, self._ca_bundle = client.name, client.jwks_url, now, ca_bundle
        self._why = ""  # the last fetch failed
        self._own = dict(_verifying(client.keys))
        self._published: dict[str, PublicKey] = {}
        self._fresh_until = self._stale_after = self._not_before = float("-inf")
        self._fetching = threading.Lock()

    def key(self, kid: str) -> PublicKey | None:
        """The key of this name; None if the caller has no such key. Raise KeysUnavailable if that cannot be known."""
        if kid in self._own or self._url is None:
            return self._own.get(kid)
        usable = self._now() < self._stale_after
        if usable and kid in self._published:
            if self._now() >= self._fresh_until:
                threading.Thread(target=self._refreshed_quietly, daemon=True).start()
            return self._published[kid]
        self.refresh()  # a key we have never seen: the caller may have changed its keys
        return self._published.get(kid)

    def fetch_ahead(self) -> None:
        """In the background. If it fails whoever calls next may try again at once: the network may come up after us."""

        def fetch() -> None:
            if not self._refreshed_quietly():
                self._not_before = float("-inf")

        if self._url is not None:
            threading.Thread(target=fetch, daemon=True).start()

    def refresh(self) -> None:
        """Fetch the published keys, unless that was tried a moment ago."""
        if self._url is None:
            return
        with self._fetching:
            if self._now() < self._not_before:
                if self._now() >= self._stale_after:
                    raise KeysUnavailable(f"{self._why}; tried a moment ago")
                return
            self._not_before = self._now() + PAUSE_SECONDS
            try:
                keys, seconds = _fetched(self._url, self._ca_bundle)
            except KeysUnavailable as why:
                self._why = str(why)
                if self._now() >= self._stale_after:
                    raise
                return  # the keys of before still hold
            self._published = keys
            self._fresh_until, self._stale_after = self._now() + seconds, self._now() + seconds + STALE_SECONDS

    def _refreshed_quietly(self) -> bool:
        try:
            self.refresh()
            return True
        except KeysUnavailable as why:
            log.warning("keys_not_fetched", client=self._name, why=str(why))
            return False


def _fetched(url: str, ca_bundle: str | None) -> tuple[dict[str, PublicKey], int]:
    """The keys at an address, and for how many seconds they are fresh."""
    deadline = Deadline.after(FETCH_SECONDS)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = ca_bundle or True
        session.get_redirect_target = lambda response: None  # type: ignore[method-assign]
        for scheme in ("https://", "http://"):
            session.mount(scheme, DeadlineAdapter(deadline))
        try:
            with session.get(url, timeout=FETCH_SECONDS, stream=True, allow_redirects=False) as response:
                status = response.status_code
                if 300 <= status < 400:
                    raise KeysUnavailable(f"the address of its keys answered with a redirect ({status}), which is not followed")
                if status != 200:
                    raise KeysUnavailable(f"the address of its keys answered {status}")
                body = response.raw.read(MAX_BYTES + 1, decode_content=True)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise KeysUnavailable(_in_words(error, deadline)) from None  # the error itself may quote what was sent
    if len(body) > MAX_BYTES:
        raise KeysUnavailable(f"the address of its keys answered with more than {MAX_BYTES // 1024} KiB")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise KeysUnavailable("the address of its keys answered with something other than JSON") from None
    found = told.get("keys") if isinstance(told, dict) else None
    keys = dict(_verifying(found)) if isinstance(found, list) else {}
    if not keys:
        raise KeysUnavailable("the address of its keys holds no usable key set")
    return keys, _seconds(response.headers.get("Cache-Control", ""))


def _in_words(error: Exception, deadline: Deadline) -> str:
    if isinstance(error, (requests.Timeout, TimeoutError, ReadTimeoutError)) or deadline.passed:
        return "the address of its keys did not answer in time"
    if isinstance(error, (requests.exceptions.SSLError, SSLError)):
        return "no secure connection to the address of its keys"
    if isinstance(error, (requests.ConnectionError, ProtocolError, ConnectionError)):
        return "the connection to the address of its keys failed"
    return "the exchange with the address of its keys failed"


def _verifying(jwks: Iterable[Any]) -> Iterator[tuple[str, PublicKey]]:
    """The keys that can verify a signature, by `kid`; what else a set may hold is passed over."""
    for jwk in jwks:
        if isinstance(jwk, dict) and jwk.get("use", "sig") == "sig":
            try:
                yield str(jwk.get("kid")), public_key(jwk)
            except ValueError:
                continue


def _seconds(cache_control: str) -> int:
    least, most = FRESH_SECONDS
    told = re.search(r"max-age=(\d{1,9})", cache_control)
    return min(max(int(told[1]), least), most) if told else least
