"""The rules as a person reads them: the document's words, our reading, the settings that apply, the data a rule needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from textwrap import TextWrapper
from typing import Any

from fhir_mappings.code_systems import (
    ATC, HCPCS, HIRA_DRUG, HIRA_PROCEDURE, ICD_10, ICD_10_CM, ICD_10_PCS, ICD_O_3, KCD, KOREAN_DRUG, LOINC, NCIT, ORPHANET, OWN, RXNORM, SNOMED,
)  # fmt: skip

WIDTH, LABEL = 110, 12
MOST_CODES = 6  # of one fact; where there are more, the codelists are named
SHORT = {LOINC: "LOINC", SNOMED: "SNOMED CT", ICD_10_CM: "ICD-10-CM", ICD_10: "ICD-10", ICD_O_3: "ICD-O-3", NCIT: "NCIT", RXNORM: "RxNorm",
         ATC: "ATC", HCPCS: "HCPCS", ICD_10_PCS: "ICD-10-PCS", ORPHANET: "Orphanet", KCD: "KCD-8", KOREAN_DRUG: "KD code",
         HIRA_DRUG: "HIRA drug code", HIRA_PROCEDURE: "HIRA procedure code", OWN: "our own code"}  # fmt: skip
KINDS = {"inclusion": "Inclusion criteria: every one must be met", "exclusion": "Exclusion criteria: none may apply"}


def protocol_text(data: Mapping[str, Any]) -> str:
    """From `protocol_data`, so that the text and the data cannot differ."""
    return "\n".join(_lines(data)) + "\n"


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    names = {fact["fact"]: fact["name"] for fact in data["facts"]}
    settings = {setting["name"]: setting for setting in data["settings"]}
    yield from _wrapped(f"{data['protocol']}: {data['title']}")
    yield f"Text version {data['text_version']}, relapse-cds {data['software_version']}"
    yield from _wrapped(
        "Read from the public registry text, which is not the trial protocol. Sentences in “” are the document's own, misprints included."
    )
    yield from _title("Asked first: without it, no criterion is judged and no card is shown")
    yield from _wrapped(data["applies"]["words"])
    yield from _needs(data["applies"]["needs"], names)
    for kind, title in KINDS.items():
        yield from _title(title)
        for criterion in (c for c in data["criteria"] if c["kind"] == kind):
            yield from _criterion(criterion, names, settings)
    yield from _title("Risk group: the first rule that holds")
    for number, rung in enumerate(data["risk"]["rungs"], start=1):
        yield f"\n{number}. {rung['group']}"
        yield from _row("Text", " ".join(f"“{text}”" for text in rung["text"]))
        yield from _row("Looks at", ", ".join(_plain(name) for name in rung["inputs"]))
    yield "\nInputs: while one is open, every group it can still lead to stays possible"
    for name, options in data["risk"]["inputs"].items():
        yield from _wrapped(f"{_plain(name)}: {' or '.join(options.values())}", "  ")
    yield from _needs(data["risk"]["needs"], names)
    yield from _title("Flags: shown beside the results, they change no answer")
    for flag in data["flags"]:
        yield from _wrapped(f"{flag['id']}: {flag['words']}", "  ")
    yield from _title("Settings and their defaults: what the text leaves open")
    for setting in settings.values():
        yield from _wrapped(f"{_setting(setting)}: {', '.join(setting['used_by']) or 'no rule reads it'}", "  ")
    yield from _title("Dates that the rules hang on")
    for day in data["dates"]:
        yield f"\n{day['name']}"
        yield from _needs(day["needs"], names)
    yield from _title("Where the data come from")
    resources = {search["name"]: search["resource"] for search in data["searches"]}
    for fact in data["facts"]:
        places = ", ".join(f"{resources[s]} ({s})" if resources[s] == "Observation" else resources[s] for s in fact["searches"])
        codes = _codes(fact["codelists"])
        yield from _wrapped(f"{fact['name']}: {places}{f' – {codes}' if codes else ''}", "  ")
    yield from _title("Questions of the chart review (relapse-cds questionnaire)")
    for answer in data["chart_review"]:
        yield from _wrapped(f"{answer['linkId']}: {answer['words']}", "  ")


def _criterion(c: Mapping[str, Any], names: Mapping[str, str], settings: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n{c['id']}  {c['name']}{'  (may change with time or treatment)' if c['modifiable'] else ''}"
    for label, sentence in zip(("Text", *[""] * len(c["text"])), c["text"]):
        yield from _row(label, f"“{sentence}”")
    if c["reading"]:
        yield from _row("Reading", c["reading"])
    if c["settings"]:
        yield from _row("Settings", "; ".join(_setting(settings[name]) for name in c["settings"]))
    yield from _needs(c["needs"], names)


def _needs(needs: Mapping[str, list[str]], names: Mapping[str, str]) -> Iterator[str]:
    for label, told in (
        ("Data", [names[fact] for fact in needs["facts"]]),
        ("Chart review", needs["answers"]),
        ("Dates", needs["dates"]),
    ):
        if told:
            yield from _row(label, ", ".join(told))


def _setting(setting: Mapping[str, Any]) -> str:
    value = setting["default"]
    told = " to ".join(map(str, value)) if isinstance(value, list) else str(value)
    others = [str(choice) for choice in setting["choices"] if choice != value]
    return f"{setting['name']} = {told}" + (f" (or {', '.join(others)})" if others else "")


def _codes(codelists: Mapping[str, Mapping[str, list[str]]]) -> str:
    by_system: dict[str, list[str]] = {}
    for found in codelists.values():
        for system, codes in found.items():
            by_system.setdefault(system, []).extend(codes)
    if sum(map(len, by_system.values())) <= MOST_CODES:
        return "; ".join(f"{SHORT.get(system, system)} {', '.join(dict.fromkeys(codes))}" for system, codes in by_system.items())
    sizes = {name: sum(map(len, found.values())) for name, found in codelists.items()}
    return "codelists " + ", ".join(f"{name} ({size} code{'s' if size != 1 else ''})" for name, size in sizes.items())


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("eoi", "EOI").replace("ngs mrd", "NGS-MRD")


def _title(words: str) -> Iterable[str]:
    return ("", "", words, "=" * len(words))


def _row(label: str, words: str) -> list[str]:
    return _fill(words, f"  {label:<{LABEL}}  ", " " * (LABEL + 4))


def _wrapped(words: str, indent: str = "") -> list[str]:
    return _fill(words, indent, indent + "  ")


def _fill(words: str, first: str, others: str) -> list[str]:
    wrapper = TextWrapper(WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False)
    return wrapper.wrap(words)
