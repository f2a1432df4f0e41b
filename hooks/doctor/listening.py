"""The service's own FHIR client, overheard: the same requests, with every reply and the time it took kept beside the verdict.

Asking a second time to see the reply would be another search, at another time; this is the very one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from hooks.deadline import Deadline
from hooks.fhir_server import FhirServer
from hooks.fhir_wire import FhirWire, NoAnswer, Reply
from hooks.fhir_outcome import read_outcome


class Heard(NamedTuple):
    """One request and what came of it: a status with a body, or why there is neither."""

    url: str
    seconds: float
    status: int | None = None
    body: Any = None
    why: str = ""

    @property
    def is_fhir(self) -> bool:
        return isinstance(self.body, dict) and isinstance(self.body.get("resourceType"), str)

    @property
    def outcomes(self) -> Iterator[dict[str, Any]]:
        """The OperationOutcomes of a reply, alone or among results."""
        body = self.body if isinstance(self.body, dict) else {}
        entries = body.get("entry")
        held = [e.get("resource") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        yield from (r for r in (body, *held) if isinstance(r, dict) and r.get("resourceType") == "OperationOutcome")

    @property
    def refused(self) -> bool:
        """As FhirServer decides whether another question may help."""
        return self.status == 400 or any(read_outcome(outcome).refused for outcome in self.outcomes)


class ListeningServer(FhirServer):
    """`heard` grows with every request; one server per search keeps the searches apart."""

    def __init__(self, base_url: str, token: str | None, deadline: Deadline, ca_bundle: str | None = None, **limits: int) -> None:
        super().__init__(base_url, token, deadline=deadline, ca_bundle=ca_bundle, **limits)
        self.heard: list[Heard] = []
        self._wire = _Overheard(self._wire, self.heard)  # type: ignore[assignment]

    def metadata(self) -> Heard:
        try:
            self._wire.get(f"{self._wire.base_url}metadata")
        except NoAnswer:
            pass  # noted like everything else
        return self.heard[-1]


class _Overheard:
    def __init__(self, wire: FhirWire, heard: list[Heard]) -> None:
        self._wire, self._heard = wire, heard

    @property
    def base_url(self) -> str:
        return self._wire.base_url

    def close(self) -> None:
        self._wire.close()

    def get(self, url: str) -> Reply:
        began = time.monotonic()
        try:
            reply = self._wire.get(url)
        except NoAnswer as error:
            self._heard.append(Heard(url, time.monotonic() - began, why=str(error)))
            raise
        self._heard.append(Heard(url, time.monotonic() - began, reply.status, reply.body))
        return reply
