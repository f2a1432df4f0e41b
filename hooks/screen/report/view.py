"""The counts as the page tells them: in which order, in which words, and what each number shows when it is pressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from cds import Protocol
from hooks.markdown import plain
from hooks.protocol_data import BLOCKER_MODIFIABLE
from hooks.screen.report.child import BLOCKED, CANNOT_TELL, FOUND_NOTHING, NOT_OF_A_CHILD, NOT_TODAY, UNCLEAR
from hooks.screen.report.columns import Columns
from hooks.screen.report.flow import flow
from hooks.screen.report.since import OUT, Since
from hooks.screen.report.source import Kind, missing_kinds, unread
from hooks.screen.report.tally import Tally
from hooks.words import FIRST_LINE, NOT_MET_TODAY, STATUS

WORDS = {
    FOUND_NOTHING: STATUS["eligible_pending_clinician_review"],
    CANNOT_TELL: STATUS["insufficient_data"],
    NOT_TODAY: NOT_MET_TODAY,
    BLOCKED: STATUS["not_eligible"],
}
NOT_IN_SCOPE = "Not in scope"
SHAPES = {FOUND_NOTHING: "●", CANNOT_TELL: "◐", NOT_TODAY: "◇", BLOCKED: "✕", OUT: "○"}
WHY = {  # why a fact is missing, after a number of children
    "missing": "none on record", "stale": "too old", "pending": "not final", "conflict": "contradicting", "unit": "no usable unit or value",
    "wrong_instrument": "another method", "imprecise": "not exact enough", "out_of_table": "no limit for this child",
    "not_looked_up": "could not be looked up", "source_ambiguous": "text unclear: ask the study team",
}  # fmt: skip
NEEDS = {"lineage": "lineage", "relapse_site": "relapse site", "off_treatment_date": "off-treatment date",
         "eoi_ngs_mrd": "end-of-induction NGS-MRD", "eoi_marrow": "end-of-induction marrow"}  # fmt: skip
LISTED = 40  # kinds of issues; the rest is counted
SITES_OPEN = 12  # sites shown at once, the rest unfolds
FACTS_BY_SITE = 8


def view(tally: Tally, columns: Columns, summary: Mapping[str, Any], protocol: Protocol, software_version: str,
         since: Since | None = None) -> dict[str, Any]:
    names = {c.id: c.name for c in protocol.criteria}
    letters = {fact: columns.facts.letter(fact) for fact in columns.facts.words}
    facts = [fact for fact in columns.facts.words if tally.missing[fact]]
    lost = unread(summary, columns.ids)
    return {
        "protocol": protocol,
        "first_line": FIRST_LINE.format(version=_day(protocol.text_version)),
        "told": _told(summary, tally.children, lost),
        "told_of_run": _of_run(summary, software_version),
        "tally": tally,
        "statuses": [{"letter": s, "shape": SHAPES[s], "words": words, "short": words.split(" – ")[0], "n": tally.status[s]}
                     for s, words in WORDS.items()],
        "near_total": sum(tally.near.values()),
        "near_later": tally.near_status[NOT_TODAY],
        "most_missing": max(facts, key=lambda fact: tally.missing[fact]) if facts else None,
        "flow": flow(tally, summary, protocol),
        "since": since.view(tally.status, WHY, protocol) | {"day": _day(since.day)} if since else None,
        "short": {s: words.split(" – ")[0] for s, words in WORDS.items()} | {OUT: NOT_IN_SCOPE},
        "shapes": SHAPES,
        "near": [{"fact": fact, "letter": letters[fact], "n": tally.near[fact], "ids": [id for id in names if id in tally.settles[fact]]}
                 for fact in columns.facts.words if tally.near[fact]],
        "criteria": list(zip(protocol.criteria, tally.criteria, strict=True)),
        "missing": sorted((_missing(fact, tally, letters) for fact in facts), key=lambda row: -row["n"]),
        "unclear": sorted((plain(fact), n) for (fact, reason), n in tally.why.items() if reason == UNCLEAR),
        "site_facts": sorted(facts, key=lambda fact: -tally.missing[fact])[:FACTS_BY_SITE],
        "sites": sorted(((columns.sites.get(site, -1), plain(site), counts) for site, counts in tally.sites.items()),
                        key=lambda row: -row[2].still_open),
        "sites_open": SITES_OPEN,
        "letters": letters,
        "risk": _risk(tally, columns.risks.words),
        "needs": [(NEEDS.get(need, need), n) for need, n in tally.risk_needs.most_common()],
        "flags": _flags(tally, columns, protocol),
        "issues": [(plain(kind), plain(words), n, tally.issue_children[kind, words], plain(tally.issue_example[kind, words]))
                   for (kind, words), n in tally.issues.most_common(LISTED)],
        "issues_more": (max(len(tally.issues) - LISTED, 0), sum(tally.issues.values()) + tally.other_issues),
        "unread": lost,
        "cut_off": summary.get("cut_off") or 0,
        "lacking": plain(str(summary.get("lacking") or "")),
        "missing_kinds": missing_kinds(summary),
        "not_looked_up": [(plain(search), n) for search, n in tally.not_looked_up.most_common()],
        "risks": list(enumerate(columns.risks.words)),
        "script": {"criteria": list(names.items()), "inclusions": sum(c.kind == "inclusion" for c in protocol.criteria),
                   "sentences": [[" ".join(text.split()) for text in c.text] for c in protocol.criteria], "statuses": WORDS | {OUT: NOT_IN_SCOPE},
                   "shapes": SHAPES, "why": WHY, "flagWords": _flag_words(protocol)},
    }  # fmt: skip


def _told(summary: Mapping[str, Any], in_scope: int, lost: Iterable[Kind]) -> list[tuple[str, str]]:
    """What a reader has to know before the figures, as far as it was told."""
    said = (("Judged as of", _day(summary.get("as_of"))), ("Source", summary.get("source")), ("Patients read", _count(summary, "patients_seen")),
            ("Children in scope", f"{in_scope:,}"), *((kind.name, f"{kind.n:,}") for kind in lost))  # fmt: skip
    return [(name, plain(str(words))) for name, words in said if words]


def _of_run(summary: Mapping[str, Any], software_version: str) -> list[tuple[str, str]]:
    seconds = summary.get("seconds")
    said = (("Begun", _moment(summary.get("started"))), ("Took", f"{seconds:,.0f} s" if isinstance(seconds, (int, float)) else None),
            ("Files", _count(summary, "files")), ("Resources read", _count(summary, "resources_read")), ("Unreadable lines", _count(summary, "lines_broken")),
            ("A child’s site is", summary.get("site_of")), ("Software", f"relapse-cds {summary.get('software_version') or software_version}"))  # fmt: skip
    return [(name, plain(str(words))) for name, words in said if words]


def _count(summary: Mapping[str, Any], key: str) -> str | None:
    return f"{summary[key]:,}" if isinstance(summary.get(key), int) else None


def _day(told: Any) -> str:
    try:
        day = date.fromisoformat(str(told)[:10])
    except ValueError:
        return ""
    return f"{day.day} {day:%b %Y}"


def _moment(told: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(told))
    except ValueError:
        return ""
    return f"{_day(told)}, {moment:%H:%M} {moment:%Z}".strip()


def _missing(fact: str, tally: Tally, letters: Mapping[str, str]) -> dict[str, Any]:
    reasons = sorted(((words, n) for reason, words in WHY.items() if (n := tally.why[fact, reason])), key=lambda row: -row[1])
    return {"fact": fact, "letter": letters[fact], "n": tally.missing[fact], "all": tally.missing_all[fact], "near": tally.near[fact],
            "reasons": reasons}  # fmt: skip


def _risk(tally: Tally, words: Iterable[str]) -> list[dict[str, Any]]:
    """Groups that are given first, then those still open; not the children for whom none is given."""
    rows = [{"words": w, "index": i, "found": tally.risk[w, FOUND_NOTHING], "n": sum(tally.risk[w, s] for s in (FOUND_NOTHING, CANNOT_TELL)),
             "given": w in ("SR", "HR", "VHR")} for i, w in enumerate(words) if w != "not given"]  # fmt: skip
    order = {"SR": 0, "HR": 1, "VHR": 2}
    return sorted(rows, key=lambda row: (order.get(str(row["words"]), 3), len(str(row["words"])), row["words"]))


def _flag_words(protocol: Protocol) -> dict[str, str]:
    return {flag.id: flag.words for flag in protocol.flags} | dict([BLOCKER_MODIFIABLE])


def _flags(tally: Tally, columns: Columns, protocol: Protocol) -> list[dict[str, Any]]:
    words = _flag_words(protocol)
    return [{"words": plain(words.get(id, id)), "n": n, "letter": None if id in NOT_OF_A_CHILD else columns.flags.letter(id)}
            for id, n in tally.flags.most_common()]  # fmt: skip
