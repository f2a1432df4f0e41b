"""What is wrong with a setting, told to whoever wrote it: which key, and what is allowed. Never the value, which may be a secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
PATTERNS = {r"^[a-z0-9][a-z0-9-]{0,39}$": "must begin with a small letter or a digit and hold only these and hyphens, at most 40"}
TABLES = ("clients", "backend_services", "smart_apps", "keys")
WORDS = {  # by the kinds that pydantic tells apart; a kind that is not here is told in pydantic's own words
    "missing": "is missing, and must be given",
    "string_type": "must be text, in quotation marks",
    "path_type": "must be text, in quotation marks: the path of a file",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "tuple_type": "must be a list, in square brackets",
    "dict_type": "must be a table of keys with their values",
    "model_type": "must be a table of keys with their values",
    "literal_error": "must be {expected}",
}


def first_fault(invalid: ValidationError, known: Mapping[str, Iterable[str]]) -> str:
    """The first error, in one sentence. `known` are the keys that there are: at the top under "", else by table."""
    error = invalid.errors(include_url=False, include_input=False)[0]
    at = error["loc"]
    words = _words(error, at)
    if error["type"] == "extra_forbidden":
        table = str(at[0]) if len(at) > 1 else ""
        words = f"there is no such key; known keys are {', '.join(known.get(table, known['']))}"
    return f"{_place(at)}: {words}"


def _place(at: tuple[int | str, ...]) -> str:
    return ", ".join(ordinal(part) if isinstance(part, int) else part for part in at) or "the file"


def ordinal(index: int) -> str:
    return f"{ORDINALS[index]} entry" if index < len(ORDINALS) else f"entry {index + 1}"


def _words(error: Mapping[str, Any], at: tuple[int | str, ...]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "tuple_type" and at[-1] in TABLES:
        heading = ".".join(str(part) for part in at if isinstance(part, str))
        return f"must be a list of tables, each of which begins with [[{heading}]]"
    if kind == "string_pattern_mismatch" and context["pattern"] in PATTERNS:
        return PATTERNS[context["pattern"]]
    if kind in WORDS:
        numbers = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
        return WORDS[kind].format(**numbers)
    return str(error["msg"]).removeprefix("Value error, ")
