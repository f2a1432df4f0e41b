"""What to do about it: one sentence or two per problem, the gravest first. Everything it says follows from the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from hooks.config import Config

BROKEN = ("refused", "ignores_patient", "not_allowed", "not_kept", "failed")
_WHY = {
    "refused": "the server refuses the search for {what}. Ask the vendor whether it can be made at all",
    "ignores_patient": "asked for one patient's {what}, the server answers with other patients', so nothing of it is used. Ask the vendor to search by patient",
    "not_allowed": "the server does not let this token search for {what}. Ask for the scope that reads {resource}",
    "no_token": "the server lets nobody search for {what} without an access token. Set FHIR_TOKEN, or [[backend_services]] in the configuration",
    "not_kept": "the server answers 404 to the search for {what}",
    "failed": "the search for {what} fails: {why}",
}
_WITHHELD = ("withheld", "incomplete")


def advice(data: Mapping[str, Any], config: Config) -> list[str]:
    found = (_server(data, config), _first_look(data), _frozen(data), _broken(data), _in_part(data), _time(data), _chart(data), _checklist(data), _no_harm(data))
    return list(dict.fromkeys(sentence for sentences in found for sentence in sentences))


def _server(data: Mapping[str, Any], config: Config) -> Iterator[str]:
    server = data["server"]
    if server["fhir_version"] and not server["fhir_version"].startswith(("4.0", "4.3")):
        yield f"The server says it speaks FHIR {server['fhir_version']}; this service reads R4 (4.0). Ask for the base URL of the R4 interface."
    if config.clients and all(server["base"] not in client.fhir_servers for client in config.clients):
        yield "No client of the configuration lists this server under fhir_servers, so the service will not call it: add its base URL there."
    if data["patient"] == "none":
        yield ("Run again with --patient and the id of a test patient with leukaemia: without one it cannot be told whether a patient can be read, "
               "whether results are withheld or another patient's, nor which codes and units this hospital uses.")  # fmt: skip


def _first_look(data: Mapping[str, Any]) -> Iterator[str]:
    for search in data["searches"]:
        if search["name"] == "patient" and search["why"] == "not found" and data["summary"]["searches"]["work"]:
            yield "The server knows no patient of this id: check --patient. What follows says little about the server."
        elif search["required"] and search["status"] in BROKEN:
            yield (f"{search['name']} comes before everything else: {_why(search, data)}. As long as it fails, no card can be shown (412) unless the EHR sends "
                   f"the prefetch key {search['name']}.")  # fmt: skip


def _frozen(data: Mapping[str, Any]) -> Iterator[str]:
    """Eligibility is judged as of the earliest of today, enrolment and reinduction: whether these happened must be known."""
    hurt = [c for c in data["criteria"] if "day of evaluation" in c["dates"] and c["judged_from"] != "server"]
    if hurt:
        behind = dict.fromkeys(s for c in hurt if not c["facts"] for s in c["searches"])
        yield (f"Whether a child was already enrolled or treated cannot be seen here ({', '.join(behind) or 'see below'}), so {len(hurt)} criteria hang on "
               "enrolment-date or reinduction-start-date in the Questionnaire; before these dates exist, only the prefetch keys help.")  # fmt: skip


def _broken(data: Mapping[str, Any]) -> Iterator[str]:
    for search in data["searches"]:
        if search["required"] or search["status"] not in BROKEN:
            continue
        name, why = search["name"], _why(search, data)
        if name == "answers":
            needing = sum(c["judged_from"] == "questionnaire" for c in data["criteria"])
            yield f"{name}: {why}. {needing} criteria need the Questionnaire, so have the EHR send its answers as the prefetch key answers."
            continue
        lost = search["lost"]
        yield " ".join(filter(None, (
            f"{name}: {why}.",
            f"Have the EHR send the prefetch key {name}" + (f", or answer {', '.join(lost['answers'])} in the Questionnaire." if lost["answers"] else "."),
            f"Without the key {', '.join(lost['not_at_all'])} cannot be judged." if lost["not_at_all"] else "",
            "" if lost["questionnaire"] or lost["not_at_all"] else "No criterion hangs on this search alone.",
        )))  # fmt: skip


def _why(search: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """How it fails, and what is odd about that."""
    declared = search["declared"]
    promised = declared["type"] and all(declared["parameters"].values())
    odd = ", although its CapabilityStatement declares it" if search["status"] == "not_kept" and promised else ""
    what = f"{search['resource']} ({search['words']})"
    status = "no_token" if "(401)" in search["why"] and not data["server"]["token"] else search["status"]
    return _WHY[status].format(what=what, resource=search["resource"], why=search["why"]) + odd


def _in_part(data: Mapping[str, Any]) -> Iterator[str]:
    by_why: dict[str, list[Mapping[str, Any]]] = {}
    for search in data["searches"]:
        if search["status"] == "in_part":
            by_why.setdefault(search["why"], []).append(search)
    for why, found in by_why.items():
        lost = sorted({c for search in found for c in search["lost"]["not_at_all"]})
        remedy = ("Register the client for everything the server names above; what stays hidden is unknown, never none" if any(w in why for w in _WITHHELD)
                  else "What is there is used; what is not there is unknown, never none")  # fmt: skip
        names = ", ".join(search["name"] for search in found)
        yield f"{names}: {why}. {remedy}." + (f" Until then {', '.join(lost)} cannot be judged unless the chart shows a finding." if lost else "")


def _time(data: Mapping[str, Any]) -> Iterator[str]:
    seconds = data["seconds"]
    if seconds["everything"] > seconds["allowed"]:
        enough = math.ceil(seconds["everything"] * 15) / 10  # half as much again
        yield (f"All searches of a call took {seconds['everything']:.1f} s and fetch_seconds allows {seconds['allowed']:g} s; what comes later is "
               f"unknown on the card. Have the EHR send the prefetch keys, or set fetch_seconds = {enough:g} if the EHR waits so long for a card.")  # fmt: skip


def _chart(data: Mapping[str, Any]) -> Iterator[str]:
    if missed := [f["name"] for f in data["facts"] if f["state"] == "only_by_category"]:
        yield (f"Asked by category the server has {', '.join(missed)} of this patient, asked by code it does not give them, and the service asks by code. "
               "Report this to the vendor; until it is mended, have the EHR send the Observations as prefetch keys.")  # fmt: skip
    if data["units"]:
        told = ", ".join(f"{u['fact']} in “{u['unit']}”" for u in data["units"][:5])
        yield (f"Results that cannot be read for their unit or value: {told}. Have the laboratory's interface send UCUM codes, or ask us "
               "to add the unit.")  # fmt: skip
    mattering = sum(row["would_matter"] for row in data["local_codes"])
    if data["local_codes"]:
        sounding = f" By name, {mattering} may matter to the rules." if mattering else ""
        many = len(data["local_codes"])
        yield (f"{many} local code{'s are' if many > 1 else ' is'} mapped to nothing.{sounding} Fill in the concept of those that matter, "
               "delete the other rows, and name the file as site_codes in the configuration.")  # fmt: skip
    if data["references"]["failed"]:
        yield (f"{data['references']['failed']} of {data['references']['followed']} resources named only by reference (drugs, studies) could not be read: "
               "allow the token to read Medication and ResearchStudy.")  # fmt: skip


def _checklist(data: Mapping[str, Any]) -> Iterator[str]:
    """Only of one that the settings register: a site may do without."""
    told = data["checklist"]
    if told["registered"] and not told["opens"]:
        yield (f"The checklist is registered here and cannot be opened: {told['why']}. Ask the vendor for the addresses to sign in at, and write them as "
               "authorize_url and token_url under [[smart_apps]].")  # fmt: skip
    if told["registered"] and told["records"] is False:
        yield ("The server does not declare that a QuestionnaireResponse can be created, so it may refuse the answers given on the checklist. Ask the vendor to "
               "allow it; until then the page shows them as FHIR JSON, to be kept by other means.")  # fmt: skip


def _no_harm(data: Mapping[str, Any]) -> Iterator[str]:
    """What looks wrong and needs nothing done."""
    instead: dict[str, list[str]] = {}
    for search in data["searches"]:
        if search["fallback"] and search["status"] in ("works", "in_part"):
            instead.setdefault(search["fallback"], []).append(search["name"])
    for by, names in instead.items():
        yield f"{', '.join(names)}: nothing to do. The server does not take the first question, so the service asks by {by}: one more request per call."
    extra = {s["name"]: n for s in data["searches"] if (n := max((a["codes_not_asked_for"] for a in s["asked"]), default=0))}
    if extra:
        yield (f"{', '.join(extra)}: nothing to do, but it costs time. Asked for certain codes, the server also sends others ({sum(extra.values())} "
               "results here); the service sets them aside.")  # fmt: skip
