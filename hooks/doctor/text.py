"""The diagnosis for a person at a terminal of 80 columns: what works, what can be judged, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hooks.doctor.local_codes import as_csv

STATUS = {
    "works": ("works", "green"), "in_part": ("in part", "yellow"), "refused": ("refused", "red"), "not_kept": ("not kept", "red"),
    "ignores_patient": ("unfiltered", "red"), "not_allowed": ("not allowed", "red"), "failed": ("fails", "red"), "untested": ("not tried", "yellow"),
}  # fmt: skip
COLUMNS = (("search", "left"), ("resource", "left"), ("verdict", "left"), ("hits", "right"), ("pages", "right"), ("s", "right"), ("declared", "left"))
STATES = {"seen": "Seen", "only_by_category": "Seen only by category, missed by the search by code",
          "none_seen": "Searchable; none seen for this patient", "not_looked_up": "Could not be looked up, or only in part"}  # fmt: skip
PATIENT = {"given": "the one named with --patient", "found": "one the server gave; name a test patient with --patient for a better diagnosis",
           "none": "none could be had: the searches were made for an id that nobody has"}  # fmt: skip
JUDGED = {"server": "From this server", "questionnaire": "Only with the Questionnaire (chart review)", "not_at_all": "Not at all"}


def print_diagnosis(data: Mapping[str, Any], console: Console) -> None:
    server = data["server"]
    console.print(f"[bold]{escape(server['base'])}[/]", soft_wrap=True)
    told = ", ".join(filter(None, (server["software"], server["fhir_version"] and f"FHIR {server['fhir_version']}")))
    statement = told or "no product named" if server["capability_statement"] == "read" else f"not read: {server['capability_statement']}"
    _line(console, "CapabilityStatement", statement)
    _line(console, "Patient", PATIENT[data["patient"]])
    _line(console, "Access token", "sent" if server["token"] else "none (set FHIR_TOKEN)")
    _title(console, "Searches, as a hook call makes them")
    console.print(_searches(data["searches"]))
    remarks: dict[str, list[str]] = {}
    for search in data["searches"]:
        for words in _remarks(search):
            remarks.setdefault(words, []).append(search["name"])
    _bullets(console, [f"{', '.join(names)}: {words}" for words, names in remarks.items()])
    seconds = data["seconds"]
    took = f"first look {seconds['first_look']:.2f} s, everything {seconds['everything']:.2f} s; fetch_seconds allows {seconds['allowed']:g} s"
    _line(console, "Time", took)
    _line(console, "Checklist (SMART app)", _checklist(data["checklist"]))
    _title(console, f"The {len(data['criteria'])} criteria: what they can be judged from")
    _criteria(console, data)
    if data["patient"] != "none":
        _title(console, "What the rules need, in this patient's chart")
        _facts(console, data["facts"])
        _unread(console, data)
    _title(console, "What to do")
    _numbered(console, data["advice"] or ["Nothing: everything works."])
    console.print(f"\n[bold]{data['summary']['words']}[/]")


def _checklist(told: Mapping[str, Any]) -> str:
    opens = "can be opened from this server" if told["opens"] else f"cannot be opened from this server: {told['why']}"
    records = {True: "it declares that it takes answers", False: "it does not declare that it takes answers", None: "whether it takes answers is not declared"}
    return f"{'registered' if told['registered'] else 'not registered in the settings'}; {opens}; {records[told['records']]}"


def _searches(searches: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for column, side in COLUMNS:
        table.add_column(column, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for s in searches:
        words, colour = STATUS[s["status"]]
        seconds = f"{s['seconds']:.2f}"
        table.add_row(s["name"], s["resource"], f"[{colour}]{words}[/]", str(s["results"]), str(s["pages"]),
                      f"[yellow]{seconds}[/]" if s["slow"] else seconds, _declared(s["declared"]))  # fmt: skip
    return table


def _declared(declared: Mapping[str, Any]) -> str:
    if declared["type"] is None:
        return "?"
    return "no" if not declared["type"] else "yes" if all(declared["parameters"].values()) else "in part"


def _remarks(search: Mapping[str, Any]) -> Iterator[str]:
    """A line for each question that did not simply work, with the server's own words."""
    for asked in search["asked"] if search["status"] != "untested" else ():
        told = [asked["why"] or (f"answered {asked['status']}" if asked["status"] != 200 else "")]
        if asked["of_other_patients"]:
            told.append(f"{asked['of_other_patients']} of {asked['results']} results are another patient's")
        if asked["codes_not_asked_for"]:
            told.append(f"codes are not filtered: {asked['codes_not_asked_for']} of {asked['results']} results have none of the codes asked for")
        told += [f"the server says “{words}”" for words in asked["said"]]
        if any(told):
            yield f"by {asked['by']}: {'; '.join(filter(None, told))}"
        elif asked["by"] == search["fallback"]:
            yield f"by {asked['by']}: works"
    if search["slow"]:
        yield "slow: one search takes longer than fetch_seconds allows for a whole call"
    if search["status"] in ("in_part", "untested"):
        yield search["why"]
    lacking = [name for name, there in search["declared"]["parameters"].items() if there is False]
    if search["declared"]["type"] and lacking:
        yield f"the CapabilityStatement does not declare the search parameter {', '.join(lacking)}"


def _criteria(console: Console, data: Mapping[str, Any]) -> None:
    names = {f["fact"]: f["name"] for f in data["facts"]}
    for how, words in JUDGED.items():
        found = [c for c in data["criteria"] if c["judged_from"] == how]
        console.print(f"[bold]{words}[/]: {len(found)}")
        groups: dict[str, list[str]] = {}
        for c in found:
            lacks = ", ".join((*(names[f] for f in c["facts"]), *c["dates"]))
            why = {"server": "", "questionnaire": f"answer {', '.join(c['answers'])}", "not_at_all": f"{lacks} ({', '.join(c['searches'])})"}[how]
            groups.setdefault(why, []).append(c["id"] if how == "server" else f"{c['id']} {c['name']}")
        _bullets(console, [", ".join(told) + (f": {why}" if why else "") for why, told in groups.items()])


def _facts(console: Console, facts: Iterable[Mapping[str, Any]]) -> None:
    for state, words in STATES.items():
        told = [f["name"] + (f" ({f['count']})" if f["count"] > 1 else "") for f in facts if f["state"] == state]
        if told:
            _line(console, words, ", ".join(told))


def _unread(console: Console, data: Mapping[str, Any]) -> None:
    if looks := data["observations_by_category"]:
        told = [f"{o['results']} of the category {o['category'].replace(',', ', ')} ({o['outcome']})" for o in looks]
        _line(console, "Observations looked at for local codes", "; ".join(told))
    if data["issues"]:
        _title(console, "Data seen and not used, or not as coded")
        _bullets(console, [f"{i['count']} × {i['words']}" for i in data["issues"]])
    if data["units"]:
        _title(console, "Results whose unit or value cannot be read")
        _bullets(console, [f"{u['count']} × {u['fact']}: “{u['unit']}”" for u in data["units"]])
    if rows := data["local_codes"]:
        _title(console, "Local codes that are mapped to nothing, as rows of the site's CSV")
        console.print(escape(as_csv(rows)), soft_wrap=True, highlight=False, style="dim")


def _title(console: Console, words: str) -> None:
    console.print(f"\n[bold underline]{escape(words)}[/]")


def _line(console: Console, label: str, words: str) -> None:
    console.print(f"[bold]{label}:[/] {escape(words)}", highlight=False)


def _bullets(console: Console, lines: Iterable[str]) -> None:
    _listed(console, [("•", line) for line in lines])


def _numbered(console: Console, lines: Iterable[str]) -> None:
    _listed(console, [(f"{n}.", line) for n, line in enumerate(lines, start=1)])


def _listed(console: Console, lines: Iterable[tuple[str, str]]) -> None:
    for mark, line in lines:
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_row(f"  {mark}", escape(line))
        console.print(table)
