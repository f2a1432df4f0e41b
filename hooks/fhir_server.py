"""The EHR's FHIR server, asked within the deadline of one call: `read` one resource, `search` for many, `create` one.

Nothing that reads raises for what a server does. Every way it can fail becomes an `Answer` that says so, because a search
that failed, or was cut short, must never look like one that found nothing.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Iterable, Iterator, Sequence
from urllib.parse import quote

import msgspec

from fhir_mappings.record import FRUITLESS, NOT_KEPT, Answer, Outcome, Resource
from hooks.backend_services import TokenSource
from hooks.deadline import Deadline
from hooks.fhir_address import is_below
from hooks.fhir_load import Share
from hooks.fhir_outcome import Verdict, gravest, read_outcome
from hooks.fhir_urls import Params, urls
from hooks.fhir_wire import FhirWire
from hooks.no_answer import NoAnswer, Unwell
from hooks.paging import CutShort, Page, next_link, once_each, read_bundle

_ENCODER = msgspec.json.Encoder(decimal_format="number")  # digits as typed
MAX_PAGES = 20
MAX_BYTES = 16 * 1024 * 1024


class FhirServer:
    """One server for one hook call. Close it, or use it in a `with` block, when the call is answered."""

    def __init__(self, base_url: str, token: str | TokenSource | None = None, *, deadline: Deadline, max_pages: int = MAX_PAGES,
                 max_bytes: int = MAX_BYTES, ca_bundle: str | None = None, share: Share | None = None) -> None:
        self._wire = FhirWire(base_url, token, deadline=deadline, max_bytes=max_bytes, ca_bundle=ca_bundle, share=share)
        self._max_pages = max_pages

    def __enter__(self) -> FhirServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._wire.close()

    def read(self, resource_type: str, resource_id: str) -> Answer:
        """One resource by its id. Epic finds a patient in no other way."""
        url = f"{self._wire.base_url}{resource_type}/{quote(resource_id, safe='')}"
        if not resource_id or not is_below(url, self._wire.base_url):  # "" is the whole type, and ".." leads out of it
            return _failed("not found")
        try:
            reply = self._wire.get(url)
        except NoAnswer as error:
            return _failed(str(error))
        if reply.status in (404, 410):
            return _failed("not found")
        if reply.status != 200:
            return _failed(f"the FHIR server answered {reply.status}")
        match reply.body:
            case {"resourceType": found} if found == resource_type:
                return Answer(Outcome.ANSWERED, (reply.body,))
            case {"resourceType": "OperationOutcome"}:
                return _failed(f"answered with a message instead of the {resource_type}")
        return _failed(f"answered with something other than the {resource_type}")

    def create(self, resource: Resource) -> str:
        """Have it kept: its id there, empty where the server does not tell. Raises NoAnswer; Unwell where it may have been kept
        all the same."""
        kind = resource["resourceType"]
        status, body, location = self._wire.post(self._wire.base_url + kind, _ENCODER.encode(resource))
        if status == 200:  # instead of 201; then only the resource itself tells that it was kept
            if not isinstance(body, dict) or body.get("resourceType") != kind:
                raise Unwell(f"the FHIR server answered 200 without the {kind}")
            return str(body.get("id", ""))
        told = re.search(rf"/{kind}/([A-Za-z0-9\-.]{{1,64}})(/|$)", location)
        return told[1] if told else ""

    def search(self, resource_type: str, params: Params, fallbacks: Sequence[Params] = ()) -> Answer:
        """All resources of the type that match.

        A server that refuses the question is asked the fallbacks in turn: Epic and Oracle do not search every type by
        code, but do by category. Whoever reads the answer filters by code again.
        """
        for question in (params, *fallbacks):
            answer, refused = self._search_in_parts(resource_type, question)
            if not refused:
                break
        return answer

    def _search_in_parts(self, resource_type: str, params: Params) -> tuple[Answer, bool]:
        """A code list too long for one URL becomes several searches, together no better than the worst of them."""
        parts: list[Page] = []
        for url in urls(self._wire.base_url + resource_type, params):
            parts.append(_together(self._pages(resource_type, url)))
            if parts[-1].verdict.refused:
                break
        whole = _together(parts)
        outcome, why = whole.verdict.outcome, whole.verdict.why
        if outcome is Outcome.FAILED and any(part.verdict.outcome is not Outcome.FAILED for part in parts):
            outcome, why = Outcome.PARTIAL, f"a part of the search failed: {why}"
        cut = outcome is Outcome.PARTIAL and (whole.verdict.cut or whole.verdict.outcome is Outcome.FAILED)
        return Answer(outcome, whole.entries, why, whole.rejected, cut), whole.verdict.refused

    def _pages(self, resource_type: str, first_url: str) -> Iterator[Page]:
        """Page after page; what ends them early is told as a last page that holds nothing but its verdict."""
        url: str | None = first_url
        visited: set[str] = set()
        try:
            while url:
                page, body = self._page(resource_type, url)
                fruitless = page.verdict.outcome in FRUITLESS
                if fruitless and visited:
                    raise CutShort(f"a later page failed: {page.verdict.why}")
                yield page
                if fruitless:
                    return
                visited.add(url)
                url = next_link(body, url, visited, self._wire.base_url)
                if url and len(visited) == self._max_pages:
                    raise CutShort("there are more pages than we read")
        except CutShort as cut:
            yield Page(verdict=Verdict(Outcome.PARTIAL, str(cut), cut=True))

    def _page(self, resource_type: str, url: str) -> tuple[Page, Any]:
        try:
            status, body, _ = self._wire.get(url)
        except NoAnswer as error:
            return Page(verdict=Verdict(Outcome.FAILED, str(error))), None
        if status == 200:
            return read_bundle(body, resource_type), body
        if status == 404:  # for a search, as for an unknown type: there is no such kind of record here
            return Page(verdict=Verdict(NOT_KEPT.outcome, NOT_KEPT.why)), None
        refused = status == 400 or read_outcome(body).refused
        return Page(verdict=Verdict(Outcome.FAILED, f"the FHIR server answered {status}", refused)), None


def _together(pages: Iterable[Page]) -> Page:
    """Several pages as one. A failed one contributes nothing: what stood beside an error is not relied on."""
    pages = list(pages)
    usable = [page for page in pages if page.verdict.outcome is not Outcome.FAILED]
    return Page(
        once_each(resource for page in usable for resource in page.entries),
        tuple(words for page in usable for words in page.rejected),
        gravest(page.verdict for page in pages),
    )


def _failed(why: str) -> Answer:
    return Answer(Outcome.FAILED, why=why)
