"""SMART Backend Services: our own access to a FHIR server whose EHR sends no token with its calls.

With it we read with the rights of a system, not of the user: what the EHR hides from this user, such as a chart behind
"break the glass", we may see and put on the card. A token that came with the call is always used instead.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hooks.backend_registration import BackendServices
from hooks.deadline import Deadline
from hooks.fhir_grant import granted
from hooks.no_answer import NoAnswer, Unwell
from hooks.oauth import token_endpoint
from hooks.public_key import MINIMUM_RSA_BITS

log = structlog.get_logger()
EARLY = 30.0  # seconds before its end that a token is no longer used
REFUSED_FOR = 2.0  # seconds that a refusal stands: thirteen searches that start together must not ask thirteen times
TOO_LATE = 0.05  # seconds before the deadline at which a failure is taken for lateness
_CURVES = {"ES384": "secp384r1", "ES256": "secp256r1"}


class BackendError(ValueError):
    """What is wrong with our private key and what to do about it, in one sentence, and nothing of the key."""


def private_key(backend: BackendServices, environment: Mapping[str, str] = os.environ) -> str:
    """The key as PEM, fit for the algorithm. Raises BackendError."""
    if backend.key_file:
        named = f"key_file {backend.key_file}"
        try:
            pem = backend.key_file.read_text(encoding="ascii")
        except OSError as error:
            raise BackendError(f"{named}: cannot be read ({(error.strerror or 'unknown error').lower()})") from None
        except UnicodeDecodeError:
            raise BackendError(f"{named}: is no PEM file; write the private key as PEM (PKCS#8)") from None
    else:
        named, pem = f"key_env {backend.key_env}", environment.get(str(backend.key_env), "")
        if not pem:
            raise BackendError(f"{named}: this environment variable is not set; put the private key as PEM into it")
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise BackendError(f"{named}: is encrypted; give the key without a passphrase, readable by this service only") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BackendError(f"{named}: is no private key as PEM (PKCS#8, begins with -----BEGIN PRIVATE KEY-----)") from None
    if backend.algorithm in _CURVES:
        fits = isinstance(key, EllipticCurvePrivateKey) and key.curve.name == _CURVES[backend.algorithm]
    else:
        fits = isinstance(key, RSAPrivateKey) and key.key_size >= MINIMUM_RSA_BITS
    if not fits:
        wanted = f"an EC key on {_CURVES[backend.algorithm]}" if backend.algorithm in _CURVES else f"an RSA key of {MINIMUM_RSA_BITS} bits or more"
        raise BackendError(f"{named}: algorithm {backend.algorithm} needs {wanted}; give such a key or change algorithm")
    return pem


class TokenSource:
    """Our token for one server, got when first needed and kept until shortly before its end. One asks, the others wait."""

    def __init__(self, backend: BackendServices, clock: Callable[[], float] = time.monotonic, ca_bundle: str | None = None) -> None:
        self._backend, self._clock, self._ca_bundle = backend, clock, ca_bundle
        self._lock = threading.Lock()
        self._endpoint: str | None = backend.token_url
        self._held: tuple[str, float] | None = None  # a token, and when it is too old
        self._refused: tuple[NoAnswer, float] | None = None

    def token(self, deadline: Deadline) -> str:
        """A token to use now. Raises NoAnswer."""
        return self._other_than(None, deadline)

    def renewed(self, old: str, deadline: Deadline) -> str:
        """A token in place of one that was not accepted. Raises NoAnswer."""
        return self._other_than(old, deadline)

    def _other_than(self, old: str | None, deadline: Deadline) -> str:
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise Unwell("no answer in time")
        try:
            now = self._clock()
            if self._held and self._held[0] != old and now < self._held[1]:
                return self._held[0]
            if self._refused and now < self._refused[1]:
                raise type(self._refused[0])(str(self._refused[0]))
            return self._asked_for(deadline)
        finally:
            self._lock.release()

    def _asked_for(self, deadline: Deadline) -> str:
        try:
            key = private_key(self._backend)
            self._endpoint = self._endpoint or token_endpoint(self._backend.fhir_server, deadline, self._ca_bundle)
            grant = granted(self._backend, key, self._endpoint, deadline, self._ca_bundle)
        except BackendError as error:
            log.error("private_key_unusable", words=str(error))
            raise NoAnswer("we have no usable private key for the FHIR server") from None
        except NoAnswer as error:
            self._endpoint = self._backend.token_url  # it may have moved
            if deadline.remaining() > TOO_LATE:  # that we were late says nothing about the next call
                self._refused = error, self._clock() + REFUSED_FOR
            log.warning("no_access_token", why=str(error))
            raise
        # Some servers give tokens for less than a minute; half their life must do.
        self._held = grant.token, self._clock() + grant.seconds - min(EARLY, grant.seconds / 2)
        return grant.token


_sources: dict[tuple[BackendServices, str | None], TokenSource] = {}
_sources_lock = threading.Lock()


def token_source(backend: BackendServices, ca_bundle: str | None = None) -> TokenSource:
    """The one source of this process for a server, so that its token serves all calls."""
    with _sources_lock:
        return _sources.setdefault((backend, ca_bundle), TokenSource(backend, ca_bundle=ca_bundle))
