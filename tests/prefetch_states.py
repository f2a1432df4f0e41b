"""What an EHR may send under one prefetch key instead of all the results, row by row of the table in our notes (2.6).

Each row makes the value out of what a complete answer would have been. `NOTHING` rows say that there is nothing;
`UNKNOWN` rows leave open whether there is; `PARTIAL` rows hold all the results and do not promise that these are all.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

Row = Callable[[Any], Any]
LEFT_OUT = object()  # not a value: the key is absent


def outcome(severity: str, code: str, number: str = "", mode: str | None = None) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": code}
    if number:
        issue["details"] = {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": number}]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def with_outcome(*arguments: str, mode: str | None = "outcome", keep: bool = False) -> Row:
    """A searchset with one message in it, beside the results or instead of them."""

    def row(complete: Any) -> Any:
        entry = {"resource": outcome(*arguments), **({"search": {"mode": mode}} if mode else {})}
        return {**bundle(complete), "total": 0, "entry": [entry, *(bundle(complete).get("entry", []) if keep else [])]}

    return row


def bundle(complete: Any) -> dict[str, Any]:
    return deepcopy(complete) if complete["resourceType"] == "Bundle" else {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": complete}]}


def emptied(**members: Any) -> Row:
    return lambda complete: {"resourceType": "Bundle", "type": "searchset", **members}


def changed(**members: Any) -> Row:
    return lambda complete: {**bundle(complete), **members}


NEXT = {"link": [{"relation": "self", "url": "https://ehr.example/fhir/x"}, {"relation": "next", "url": "https://ehr.example/fhir/x?page=2"}]}
HTML = "<!DOCTYPE html><html><body><h1>504 Gateway Time-out</h1></body></html>"

NOTHING: dict[str, Row] = {
    "null": lambda complete: None,
    "no entry": emptied(),
    "no entry, total 0": emptied(total=0),
    "entry []": emptied(entry=[]),
    "Epic's outcome entry": with_outcome("warning", "not-found", "4101"),
    "an information entry": with_outcome("information", "informational"),
    "an outcome entry without its mode": with_outcome("warning", "not-found", "4101", mode=None),
}
UNKNOWN: dict[str, Row] = {
    "absent": lambda complete: LEFT_OUT,
    "an error entry": with_outcome("error", "processing"),
    "a fatal entry": with_outcome("fatal", "exception"),
    "an error entry beside results": with_outcome("error", "exception", keep=True),
    "suppressed, as a warning": with_outcome("warning", "suppressed", "59205"),
    "suppressed, as information": with_outcome("information", "suppressed"),
    "more may exist": with_outcome("information", "informational", "4119"),
    "behind break-the-glass": with_outcome("warning", "processing", "4131"),
    "a bare error": lambda complete: outcome("error", "processing"),
    "a bare fatal error": lambda complete: outcome("fatal", "exception"),
    "a bare message": lambda complete: outcome("information", "informational"),
    "an outcome without issue": lambda complete: {"resourceType": "OperationOutcome"},
    "first page, empty": emptied(**NEXT),
    "counted, not sent": emptied(total=3),
    "HTML as text": lambda complete: HTML,
    "an empty string": lambda complete: "",
    "a number": lambda complete: 0,
    "false": lambda complete: False,
    "an empty object": lambda complete: {},
    "an empty list": lambda complete: [],
    "a list of resources": lambda complete: [entry["resource"] for entry in bundle(complete).get("entry", [])],
    "the wrapper of before 1.0": lambda complete: {"response": {"status": "200 OK"}, "resource": complete},
    "a resource of another type": lambda complete: {"resourceType": "Basic", "id": "b", "code": {"text": "x"}},
    "a Parameters resource": lambda complete: {"resourceType": "Parameters"},
    "entry is an object": changed(entry={"resource": {}}),
    "entry is null": changed(entry=None),
    "entries that are none": changed(entry=[None, "x", 5, {}, {"resource": None}, {"resource": []}]),
}
PARTIAL: dict[str, Row] = {
    "first page": changed(**NEXT),
    "first page, its link no list": changed(link=NEXT["link"][1]),
    "links that are none": changed(link="https://ehr.example/fhir/x?page=2"),
    "total larger": changed(total=50),
    "some suppressed": with_outcome("warning", "suppressed", "59204", keep=True),
    "one entry broken": lambda complete: {**bundle(complete), "entry": [*bundle(complete).get("entry", []), {"resource": None}]},
}


def put(prefetch: dict[str, Any], **rows: Row) -> dict[str, Any]:
    """The prefetch with these keys changed; a key whose row leaves it out is gone."""
    values = {**prefetch, **{key: row(prefetch[key]) for key, row in rows.items()}}
    return {key: value for key, value in values.items() if value is not LEFT_OUT}
