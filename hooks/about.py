"""What the service discloses about itself, for one trial: the rules as data, and beside them what no rule can say.

Everything that the rules, the mappings or the settings know is taken from them. Only the words in `about_words` are
written by hand, and a setting, a choice or a reason without its sentence there is an error, not a gap on the page.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from itertools import product
from typing import Any

from cds import Protocol
from cds.finding import Why
from hooks.about_attributes import source_attributes
from hooks.protocol_data import protocol_data
from hooks.release import RELEASED

REGISTRY = "https://clinicaltrials.gov/study/"
LISTS = ("not_looked_at", "limits")


def about_data(protocol: Protocol, software_version: str, contact: str | None) -> dict[str, Any]:
    """The page and its JSON: both show exactly this."""
    words = about_words(protocol.id)
    data = protocol_data(protocol, software_version)
    data |= {"registry_record": f"{REGISTRY}{protocol.id}", "released": RELEASED.get(software_version), "releases": dict(RELEASED)}
    for setting in data["settings"]:
        setting |= setting_words(setting, words["settings"][setting["name"]])
    for fact in data["facts"]:
        fact["windows"] = [s["name"] for s in data["settings"] if fact["fact"] in s["limits"]]
    for rung, rule in zip(data["risk"]["rungs"], protocol.risk):
        rung["when"] = when(rule.rule, protocol.risk_known)
    return {
        **data,
        "purpose": words["purpose"],
        "intended_user": words["intended_user"],
        "population": words["population"],
        "boundary": words["boundary"],
        "unknown": {why.value: words["unknown"][why.value] for why in Why},
        "not_looked_at": words["not_looked_at"],
        "validation": words["validation"],
        "limits": words["limits"],
        "source_attributes": source_attributes(data, words),
        "contact": contact or None,
        "contact_words": contact or words["no_contact"],
        "notices": words["notices"]["words"],
    }


def about_words(protocol: str) -> dict[str, Any]:
    """What is written by hand, of this trial and of every one, with the counts filled in and the line breaks undone."""
    every, trial = _read("every_trial"), _read(protocol.lower())
    words = every | trial
    counts = trial["validation"]["counts"]
    for name in LISTS:
        words[name] = [*trial[name]["words"], *every[name]]
    words["validation"] = {
        "counts": counts,
        **{kind: [line.format(**counts) for line in (*trial["validation"][kind], *every["validation"][kind])] for kind in ("done", "not_done")},
    }
    return words


def setting_words(setting: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """A setting in a sentence with its value, the facts whose age it limits, and what its other choices would mean."""
    value = setting["default"]
    listed = ", ".join(told["values"][v] for v in value) if "values" in told else ""
    sentence = told["words"].format(value=value, listed=listed)
    if not setting["choices"]:
        return {"words": sentence, "limits": list(told.get("facts", ())), "otherwise": []}
    meant = {choice: told["choices"][choice] for choice in setting["choices"]}
    return {"words": f"{sentence.removesuffix('.')}: {meant.pop(value)}.", "limits": [], "otherwise": list(meant.values())}


def when(rule: Callable[[Mapping[str, str]], bool], known: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What a rung of the risk ladder asks for, found by running it on every combination of its inputs."""
    combinations = [dict(zip(known, options)) for options in product(*known.values())]
    holds = [c for c in combinations if rule(c)]
    kept = {name: [o for o in options if any(c[name] == o for c in holds)] for name, options in known.items()}
    if len(list(product(*kept.values()))) != len(holds):
        return []  # not a plain list of conditions: the page shows the sentence alone
    return [" or ".join(options[o] for o in kept[name]) for name, options in known.items() if len(kept[name]) < len(options)]


def _read(name: str) -> dict[str, Any]:
    text = files("hooks").joinpath("about_words", f"{name}.toml").read_text(encoding="utf-8")
    return _unbroken(tomllib.loads(text))


def _unbroken(told: Any) -> Any:
    """A sentence that runs over several lines of the file is one line here."""
    if isinstance(told, str):
        return " ".join(told.split())
    if isinstance(told, dict):
        return {key: _unbroken(value) for key, value in told.items()}
    return [_unbroken(value) for value in told] if isinstance(told, list) else told
