"""What a screening could not read of its source, as the page tells it: lines, files, ids that are several people's, and kinds of
records of which there are none. The first of each are named; `summary.json` names more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hooks.markdown import visible
from hooks.screen.report.columns import shown_id

SHOWN = 40  # rows of a kind
PLACES = 5  # named in a row


@dataclass(frozen=True, slots=True)
class Row:
    words: str
    n: int
    places: tuple[str, ...]  # the first of them
    more: int  # places
    child: int | None = None  # where in the cohort


@dataclass(frozen=True, slots=True)
class Kind:
    """`n` are all there are; of the rows the first, and how many `more` stand for no row."""

    name: str  # where there is room for two or three words
    words: str
    n: int
    rows: Sequence[Row]
    more: int


def unread(summary: Mapping[str, Any], ids: Sequence[str]) -> list[Kind]:
    """Only what there is; `ids`: the children of the cohort, as they are shown."""
    lines = [(told["why"], f"{told['file']}, line {told['line']}") for told in summary.get("broken_lines") or ()]
    files = [(told["why"], told["name"]) for told in summary.get("not_read") or ()]
    kinds = (
        _kind("Unreadable lines", ("line that", "lines that"), "could not be read", summary.get("lines_broken"), _by_reason(lines)),
        _kind("Files not read", ("file that was", "files that were"), "not read", summary.get("files_not_read"), _by_reason(files)),
        _people(summary.get("mixed") or {}, ids),
    )
    return [kind for kind in kinds if kind.n]


def missing_kinds(summary: Mapping[str, Any]) -> list[str]:
    return [visible(kind) for kind in summary.get("missing_kinds") or ()]


def _kind(name: str, one_or_more: tuple[str, str], words: str, n: Any, rows: Sequence[Row]) -> Kind:
    n = n if isinstance(n, int) else sum(row.n for row in rows)
    return Kind(name, f"{one_or_more[n != 1]} {words}", n, rows[:SHOWN], max(n - sum(row.n for row in rows[:SHOWN]), 0))


def _by_reason(told: Iterable[tuple[str, str]]) -> list[Row]:
    places = defaultdict[str, list[str]](list)
    for why, place in told:
        places[why].append(place)
    return [_row(visible(why), len(found), found) for why, found in places.items()]


def _people(mixed: Mapping[str, Sequence[Mapping[str, Any]]], ids: Sequence[str]) -> Kind:
    """One row for each id: how many Patients there are of it, and in which files."""
    place_of = {id: place for place, id in enumerate(ids)} if mixed else {}
    rows = [_row(id := shown_id(patient), len(places), list(dict.fromkeys(place["file"] for place in places)), place_of.get(id))
            for patient, places in list(mixed.items())[:SHOWN]]  # fmt: skip
    id_is, these = ("id that is", "this id") if len(mixed) == 1 else ("ids that are", "these ids")
    return Kind("Ids of several people", f"{id_is} not one person’s: nobody of {these} was judged", len(mixed), rows, len(mixed) - len(rows))


def _row(words: str, n: int, places: Sequence[str], child: int | None = None) -> Row:
    return Row(words, n, tuple(map(visible, places[:PLACES])), max(len(places) - PLACES, 0), child)
