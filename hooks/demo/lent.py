"""What the demonstration's authorization server gives out: codes that are good once, and access tokens, each for its time."""

from __future__ import annotations

import secrets
from threading import Lock
from time import monotonic
from typing import NamedTuple


class Launch(NamedTuple):
    """One app, started from the chart of one child; the demonstration's clinician is signed in."""

    client_id: str
    redirect_uri: str
    patient: str
    scopes: tuple[str, ...]
    challenge: str  # of the PKCE verifier, by S256
    nonce: str | None


class Lent:
    """Launches by a word that nobody can guess, each for so many seconds. Several threads lend and look."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self._lent: dict[str, tuple[float, Launch]] = {}
        self._lock = Lock()

    def lend(self, launch: Launch) -> str:
        word = secrets.token_urlsafe(32)
        with self._lock:
            now = monotonic()
            # What is over goes here, so that a demonstration left running keeps no more than the last hour.
            self._lent = {kept: (until, of) for kept, (until, of) in self._lent.items() if now < until}
            self._lent[word] = (now + self.seconds, launch)
        return word

    def look(self, word: str) -> Launch | None:
        with self._lock:
            return self._still_good(self._lent.get(word))

    def take(self, word: str) -> Launch | None:
        """Nobody else gets it after this."""
        with self._lock:
            return self._still_good(self._lent.pop(word, None))

    @staticmethod
    def _still_good(found: tuple[float, Launch] | None) -> Launch | None:
        return found[1] if found and monotonic() < found[0] else None
