"""One page of search results: what matches, what could not be read, and where the next page is.

`Bundle.total` is never looked at: Epic puts the size of the page there, Google an estimate, Oracle mostly nothing.
"""

from __future__ import annotations

from typing import Any, Collection, Iterable, Mapping, NamedTuple
from urllib.parse import urljoin

from fhir_mappings.record import Outcome, Resource
from hooks.fhir_address import is_below, same_origin
from hooks.fhir_outcome import ANSWERED, UNREADABLE, Verdict, gravest, read_outcome

NOT_A_SEARCH_RESULT = Verdict(Outcome.FAILED, "answered with something other than search results")
UNREADABLE_ENTRIES = Verdict(Outcome.PARTIAL, "some results could not be read")

_MATCH, _INCLUDE = "match", "include"
_JSON_WORDS = {type(None): "null", str: "a string", bool: "a boolean", list: "a list"}


class Page(NamedTuple):
    """The resources that match, the entries that are none (in words), and how far the page can be trusted."""

    entries: tuple[Resource, ...] = ()
    rejected: tuple[str, ...] = ()
    verdict: Verdict = ANSWERED


class CutShort(Exception):
    """Why the next page cannot be had, in words of ours."""


def read_bundle(body: Any, resource_type: str) -> Page:
    """Entry by entry: one that cannot be read costs nothing but itself, and makes the page PARTIAL."""
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        return Page(verdict=_without_bundle(body))
    entries = body.get("entry", [])
    if not isinstance(entries, list):
        return Page(verdict=NOT_A_SEARCH_RESULT)

    found: list[Resource] = []
    rejected: list[str] = []
    verdicts: list[Verdict] = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        mode = _mode(entry)
        if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome":
            verdicts.append(read_outcome(resource))  # whatever its mode: not every server sets it
        elif mode == "outcome":
            verdicts.append(UNREADABLE)
        elif mode == _INCLUDE:
            continue  # its completeness is nobody's promise
        elif problem := _problem(entry, mode):
            rejected.append(f"one entry of the {resource_type} search {problem}")
            verdicts.append(UNREADABLE_ENTRIES)
        elif resource["resourceType"] == resource_type:
            found.append(resource)
    return Page(tuple(found), tuple(rejected), gravest(verdicts))


def next_link(body: dict[str, Any], url: str, visited: Collection[str] = (), base: str | None = None) -> str | None:
    """The address of the next page, None on the last. Relative links count from this page's URL: Canvas, whose base is its
    host, sends "/Observation?...", Epic "Observation?sessionID=...". With a base, no page is beside it."""
    target = next_target(body)
    if target is None:
        return None
    try:
        following = urljoin(url, target)
    except ValueError:  # quotes the link
        raise CutShort("the address of the next page is malformed") from None
    if not same_origin(url, following):
        raise CutShort("the next page is on another server")
    if base is not None and not is_below(following, base):
        raise CutShort("the next page is outside of the FHIR server's own address")
    if following in visited:
        raise CutShort("the pages repeat")
    return following


def next_target(body: Mapping[str, Any]) -> str | None:
    """What the Bundle calls its next page. Raises CutShort where its links cannot be read: there may be one."""
    links = body.get("link", [])
    for link in links if isinstance(links, list) else [links]:
        match link:
            case {"relation": "next", "url": str(target)}:
                return target
            case {"relation": str(relation)} if relation != "next":
                continue
        raise CutShort("the links between the pages are malformed")
    return None


def once_each(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """Without repeats: pages shift while we read them, and the parts of a split search overlap."""
    kept: dict[Any, list[Resource]] = {}
    for resource in resources:
        identity = resource.get("id")
        same = kept.setdefault((resource["resourceType"], identity) if isinstance(identity, str) else id(resource), [])
        if resource not in same:
            same.append(resource)  # another version of it: which one counts is for its reader to say
    return tuple(resource for same in kept.values() for resource in same)


def _without_bundle(body: Any) -> Verdict:
    """An OperationOutcome may say why there are no results; but good news alone is not a search result."""
    if isinstance(body, dict) and body.get("resourceType") == "OperationOutcome":
        verdict = read_outcome(body)
        return NOT_A_SEARCH_RESULT if verdict in (ANSWERED, UNREADABLE) else verdict
    return NOT_A_SEARCH_RESULT


def _mode(entry: Any) -> Any:
    match entry:
        case {"search": {"mode": mode}}:
            return mode
    return _MATCH  # some servers leave the mode out; then the type decides


def _problem(entry: Any, mode: Any) -> str:
    """What keeps an entry from being a resource that matches; empty if nothing does."""
    match entry:
        case {"resource": {"resourceType": str()}}:
            return "" if mode == _MATCH else "has an unknown search mode"
        case {"resource": {}}:
            return "does not say what type of resource it is"
        case {"resource": other}:
            return f"holds {_JSON_WORDS.get(type(other), 'a number')} instead of a resource"
        case {}:
            return "holds no resource"
    return f"is {_JSON_WORDS.get(type(entry), 'a number')}"
