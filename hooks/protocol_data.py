"""The rules themselves as data: every criterion with the document's words, our reading, its settings and the data it needs.

`relapse-cds protocol --format json` prints it, `protocol_text.py` tells it to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from inspect import getdoc
from itertools import product
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cds import Protocol
from cds.criterion import Criterion
from cds.protocol import RiskRule
from fhir_mappings.fact_sources import FACTS, codelists_of, codes_by_system, searches_of
from fhir_mappings.questionnaire import GROUPS
from fhir_mappings.sources import SEARCHES
from hooks.protocol_needs import DATES, Needs, needs_of, needs_of_date, needs_of_risk
from hooks.protocol_probes import NOBODY

BLOCKER_MODIFIABLE = ("blocker_modifiable", "Every blocking criterion may change with time or treatment.")
"""Raised by `cds.protocol.assess` itself, whatever the trial."""


def protocol_data(protocol: Protocol, software_version: str) -> dict[str, Any]:
    needs = {c.id: needs_of(c.rule, protocol.policies) for c in protocol.criteria}
    flags = {f.id: needs_of(f.rule, protocol.policies) for f in protocol.flags}
    whole = needs | flags | {"risk": needs_of_risk(protocol), "applies": needs_of(lambda case, _: protocol.applies(case), protocol.policies)}
    dates = {name: needs_of_date(name, protocol.policies) for name in DATES}
    return {
        "protocol": protocol.id,
        "title": protocol.title,
        "text_version": protocol.text_version,
        "software_version": software_version,
        "applies": {"words": (getdoc(protocol.applies) or "").partition("\n")[0], "needs": _asked(whole["applies"])},
        "criteria": [_criterion(c, needs[c.id]) for c in protocol.criteria],
        "risk": {
            "rungs": [_rung(rung, protocol) for rung in protocol.risk],
            "inputs": {name: dict(options) for name, options in protocol.risk_known.items()},
            "needs": _asked(whole["risk"]),
        },
        "flags": [{"id": f.id, "words": f.words, "needs": _asked(flags[f.id])} for f in protocol.flags]
        + [{"id": BLOCKER_MODIFIABLE[0], "words": BLOCKER_MODIFIABLE[1], "needs": _asked(Needs())}],
        "settings": list(_settings(protocol.policies, whole)),
        "dates": [{"name": name, "needs": _asked(needed), "used_by": _users("dates", name, whole)} for name, needed in dates.items()],
        "facts": list(_facts(whole, dates)),
        "chart_review": list(_answers(whole, dates)),
        "searches": [{"name": s.name, "resource": s.resource_type, "words": s.words, "required": s.required, "query": s.template()}
                     for s in SEARCHES],
    }  # fmt: skip


def _criterion(c: Criterion, needs: Needs) -> dict[str, Any]:
    return {"id": c.id, "kind": c.kind, "name": c.name, "text": list(c.text), "reading": c.reading, "blocks_when": c.blocks_when.value,
            "modifiable": c.modifiable, "settings": list(needs.settings), "needs": _asked(needs)}  # fmt: skip


def _asked(needs: Needs) -> dict[str, list[str]]:
    return {kind: list(names) for kind, names in asdict(needs).items() if kind != "settings"}


def _rung(rung: RiskRule, protocol: Protocol) -> dict[str, Any]:
    return {"group": rung.group, "text": list(rung.text), "inputs": inputs_of(rung, protocol.risk_known)}


def inputs_of(rung: RiskRule, known: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The inputs a rung looks at: it is run on every combination of them, since `and` stops at the first that fails."""

    class Noted(dict):
        def __getitem__(self, name: str) -> str:
            read.add(name)
            return super().__getitem__(name)

    read: set[str] = set()
    for options in product(*known.values()):
        rung.rule(Noted(zip(known, options)))
    return [name for name in known if name in read]


def _settings(policies: Any, whole: Mapping[str, Needs]) -> Iterator[dict[str, Any]]:
    """Each with its default, what else it may be where that is a closed choice, and which rules read it."""
    kinds = get_type_hints(type(policies))
    for name in (f.name for f in fields(policies)):
        choices = get_args(kinds[name]) if get_origin(kinds[name]) is Literal else ()
        value = getattr(policies, name)
        yield {"name": name, "default": list(value) if isinstance(value, tuple) else value, "choices": list(choices),
               "used_by": _users("settings", name, whole)}  # fmt: skip


def _facts(whole: Mapping[str, Needs], dates: Mapping[str, Needs]) -> Iterator[dict[str, Any]]:
    searches = searches_of()
    for fact in FACTS:
        if fact == "chart_review":
            continue
        lists = {name: codes_by_system(name) for name in codelists_of(fact)}
        yield {"fact": fact, "name": name_of(fact), "searches": list(searches[fact]),
               "codelists": {name: {system: list(codes) for system, codes in found.items()} for name, found in lists.items()},
               "used_by": _users("facts", fact, whole | dates)}  # fmt: skip


def _answers(whole: Mapping[str, Needs], dates: Mapping[str, Needs]) -> Iterator[dict[str, Any]]:
    for question in (q for _, questions in GROUPS.values() for q in questions):
        used_by = _users("answers", question.link_id, whole | dates)
        yield {"linkId": question.link_id, "type": question.type, "words": question.text, "used_by": used_by}


def _users(kind: str, name: str, whole: Mapping[str, Needs]) -> list[str]:
    return [user for user, needs in whole.items() if name in getattr(needs, kind)]


def name_of(fact: str) -> str:
    """What a person calls a fact: written once, in the vocabulary."""
    blank = getattr(NOBODY, fact)
    gaps: Iterable[Any] = getattr(blank, "gaps", ()) or (blank.gap,)
    return next(iter(gaps)).fact
