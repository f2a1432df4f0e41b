"""What is remembered while a checklist is open: whose it is, who opened it, and the access token.

It is kept in the database, so that any worker and any host can go on, sealed with a key that is in the clinician's browser
and nowhere else: neither half is of use without the other. The key also decides the id, which may be seen in an address:
it leads to nothing without the key.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from hooks.state import State


@dataclass(frozen=True, slots=True)
class Key:
    """The browser's half, and what follows from it."""

    text: str = field(repr=False)

    @classmethod
    def new(cls) -> Key:
        return cls(urlsafe_b64encode(token_bytes(32)).decode())

    @property
    def id(self) -> str:
        return self._derived("id")

    @property
    def form_token(self) -> str:
        """Goes into our own pages: who cannot read these cannot send their forms."""
        return self._derived("form")

    def _derived(self, purpose: str) -> str:
        return sha256(f"{purpose} {self.text}".encode()).hexdigest()[:40]


class Visit(msgspec.Struct, frozen=True):
    """One child's checklist, opened by one clinician."""

    protocol: str
    fhir_server: str
    patient_id: str
    token: str
    until: float  # seconds since 1970
    user: str  # Practitioner/123, or its full address
    user_name: str

    def __repr__(self) -> str:
        return "Visit(...)"


def keep(state: State, key: Key, visit: Visit) -> None:
    sealed = Fernet(key.text.encode()).encrypt(msgspec.json.encode(visit)).decode()
    state.keep_visit(key.id, sealed, visit.until)


def found(state: State, id: str, cookie: str) -> tuple[Key, Visit] | None:
    """The visit of this id, for the browser that has its key. None for everybody else, and when its time is over."""
    key = Key(cookie)
    sealed = state.visit(id, time.time()) if key.id == id else None
    try:
        return (key, msgspec.json.decode(Fernet(cookie.encode()).decrypt(sealed), type=Visit)) if sealed else None
    except (InvalidToken, msgspec.DecodeError):  # a row of another version
        return None
