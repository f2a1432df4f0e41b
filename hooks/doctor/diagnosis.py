"""The diagnosis as data, which `--format json` prints and the text is written from. Its shape is stable (`format`: 1):

    server      base, software, fhir_version, capability_statement (read, or why not), token (was one sent?)
    patient     given | found | none
    seconds     allowed (fetch_seconds), first_look, everything: measured as in a hook call
    searches    per search: name, resource, words, required, status, why, seconds, slow, results, pages, fallback,
                declared (type and parameters; null where there is no CapabilityStatement), asked (per question: by,
                status, results, pages, of_other_patients, codes_not_asked_for, said: the server's own words)
                lost (what fails with it: criteria that then need the questionnaire, or are not_at_all; answers that help)
                status: works | in_part | refused | ignores_patient | not_allowed | not_kept | failed | untested
    references  followed, failed: what a result names only by reference
    criteria    per criterion: id, name, judged_from (server | questionnaire | not_at_all), facts and dates that this
                server does not give in full, their searches, answers (linkIds of the Questionnaire that speak of it)
    facts       per fact: fact, name, state (seen | only_by_category | none_seen | not_looked_up), count, searches
    observations_by_category        category, outcome, results: looks of the doctor's own, for codes we do not search for
    issues, units, local_codes      what this patient's chart holds and we cannot use
    checklist   the SMART app: registered (in these settings), opens (does the server say where to sign in?) and else why,
                records (does it declare that it takes answers? null where there is no CapabilityStatement)
    advice      what to do, in sentences; the gravest first
    summary     card (can one be shown at all?), searches (work, in_part, of), criteria (server, questionnaire, not_at_all), words
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from cds import Protocol
from fhir_mappings import read_patient
from hooks.config import Config
from hooks.doctor.advice import BROKEN, advice
from hooks.doctor.criteria import FROM_SERVER, NOT_AT_ALL, WITH_REVIEW, Charts, Judgeable, complete_charts, hurt_by, judgeable
from hooks.doctor.discretion import Discretion
from hooks.doctor.examination import Examination
from hooks.doctor.local_codes import local_codes
from hooks.doctor.patient_chart import facts_seen, issues, unknown_units, with_observations
from hooks.doctor.search_report import Asked, SearchReport, said

FORMAT = 1


def diagnosis(found: Examination, protocol: Protocol, config: Config, today: date, discretion: Discretion, token_sent: bool,
              software_version: str) -> dict[str, Any]:
    facts = read_patient(found.record, today)
    everything = with_observations(found.record, (a for _, a in found.by_category))
    by_category = read_patient(everything, today)
    charts = complete_charts(protocol, today)
    criteria = [_criterion(c) for c in judgeable(protocol, found.answers, charts)]
    data = {
        "format": FORMAT, "software_version": software_version, "protocol": protocol.id,
        "server": {"base": found.base, "software": found.capabilities.software, "fhir_version": found.capabilities.fhir_version,
                   "capability_statement": "read" if found.capabilities.readable else found.capabilities.why, "token": token_sent},
        "patient": found.patient,
        "seconds": {"allowed": config.fetch_seconds, "first_look": round(found.first_look_seconds, 3), "everything": round(found.everything_seconds, 3)},
        "searches": [_search(s, found, config, discretion) | {"lost": _lost(s, found, protocol, charts)} for s in found.searches],
        "references": {"followed": len(found.references), "failed": sum(h.status != 200 for h in found.references)},
        "criteria": criteria,
        "facts": list(facts_seen(found.record, facts, by_category, today)),
        "issues": issues(by_category, discretion),
        "units": unknown_units(everything, by_category, discretion),
        "local_codes": local_codes((*found.record.answers.values(), *(a for _, a in found.by_category)), discretion),
        "checklist": _checklist(found, config),
        "observations_by_category": [{"category": c, "outcome": a.outcome.value, "results": len(a.resources)} for c, a in found.by_category],
    }  # fmt: skip
    summary = _summary(data)
    return {**data, "advice": advice(data | {"summary": summary}, config), "summary": summary}


def _search(report: SearchReport, found: Examination, config: Config, discretion: Discretion) -> dict[str, Any]:
    search = report.search
    untested = search.name == "patient" and found.patient == "none" and report.answer.why == "not found"
    return {
        "name": search.name, "resource": search.resource_type, "words": search.words, "required": search.required,
        "status": "untested" if untested else report.status,
        "why": "nobody to read without --patient" if untested else discretion.words(report.answer.why),
        "seconds": round(report.seconds, 3), "slow": report.seconds > config.fetch_seconds,
        "results": len(report.answer.resources), "pages": sum(h.status == 200 for a in report.asked for h in a.heard),
        "fallback": report.needed, "declared": found.capabilities.declares(search),
        "asked": [_asked(a, discretion) for a in report.asked],
    }  # fmt: skip


def _lost(report: SearchReport, found: Examination, protocol: Protocol, charts: Charts) -> dict[str, list[str]]:
    name = report.search.name
    hurt = () if found.answers[name].complete else hurt_by(name, protocol, found.answers, charts)
    ids = {how: [c.id for c in hurt if c.how == how] for how in (WITH_REVIEW, NOT_AT_ALL)}
    return {**ids, "answers": list(dict.fromkeys(a for c in hurt if c.how == WITH_REVIEW for a in c.answers))}


def _asked(asked: Asked, discretion: Discretion) -> dict[str, Any]:
    last = asked.heard[-1]
    return {"by": asked.by, "status": last.status, "why": last.why, "results": len(asked.resources), "pages": sum(h.status == 200 for h in asked.heard),
            "of_other_patients": asked.of_others, "codes_not_asked_for": asked.not_asked_for, "said": said(asked.heard, discretion)}  # fmt: skip


def _criterion(c: Judgeable) -> dict[str, Any]:
    return {"id": c.id, "name": c.name, "judged_from": c.how, "facts": list(c.facts), "dates": list(c.dates), "searches": list(c.searches),
            "answers": list(c.answers)}  # fmt: skip


def _checklist(found: Examination, config: Config) -> dict[str, Any]:
    app = next((app for app in config.smart_apps if app.fhir_server == found.base), None)
    why = "" if app and app.authorize_url else found.sign_in  # addresses in the settings are not asked for
    records = "QuestionnaireResponse" in found.capabilities.created if found.capabilities.readable else None
    return {"registered": bool(app), "opens": not why, "why": why, "records": records}


def _summary(data: Mapping[str, Any]) -> dict[str, Any]:
    works = sum(s["status"] == "works" for s in data["searches"])
    part = sum(s["status"] == "in_part" for s in data["searches"])
    of, all_criteria = len(data["searches"]), len(data["criteria"])
    counts = {how: sum(c["judged_from"] == how for c in data["criteria"]) for how in (FROM_SERVER, WITH_REVIEW, NOT_AT_ALL)}
    card = not any(s["required"] and s["status"] in BROKEN for s in data["searches"])
    words = (f"{works} of {of} searches work{f', {part} more in part' if part else ''}; {counts[FROM_SERVER]} of {all_criteria} criteria can be "
             f"judged from this server, {counts[WITH_REVIEW]} with the Questionnaire, {counts[NOT_AT_ALL]} not at all.")  # fmt: skip
    return {"card": card, "searches": {"work": works, "in_part": part, "of": of}, "criteria": counts,
            "words": words if card else f"{words} No card can be shown from this server alone."}  # fmt: skip
