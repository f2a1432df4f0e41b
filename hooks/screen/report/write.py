"""Write the report: read the assessments once, count, and put everything into one file that needs nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import urlsplit

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cds import Protocol
from cds.trials import NCT05827549
from hooks.protocol_data import BLOCKER_MODIFIABLE
from hooks.screen.comparison import Comparison
from hooks.screen.report.child import SAID_TWICE, child_of
from hooks.screen.report.columns import Columns
from hooks.screen.report.detail import Details
from hooks.screen.report.since import Since
from hooks.screen.report.tally import CriterionCounts, Tally
from hooks.screen.report.view import view
from hooks.version import SOFTWARE_VERSION

SCRIPTS = ("data.js", "matrix.js", "list.js", "panel.js", "report.js")
SHEETS = ("../../static/colours.css", "report.css", "parts.css", "since.css", "list.css")
HARMLESS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def read_assessments(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of `assessments.ndjson`, one at a time."""
    with path.open("rb") as lines:
        for line in lines:
            if line.strip():
                yield msgspec.json.decode(line)


def write_report(
    assessments: Iterable[Mapping[str, Any]],
    summary: Mapping[str, Any],
    path: Path,
    names: Mapping[str, str] | None = None,
    *,
    link: str | None = None,
    compared: Comparison | None = None,
    protocol: Protocol = NCT05827549,
) -> None:
    """The report of these children at `path`, whole or not at all.

    `summary`: what was read and when; each key may be absent. `summary["sites"]` and `names` go by the assessment's
    `patient` or by the bare id. `link` leads to a child's record, such as `https://ehr.example/chart/{id}`.
    `compared`: these assessments beside those of an earlier screening.
    """
    _refuse_unusable(link)
    gap_names = {gap: fact.fact for fact in protocol.open_facts for gap in fact.gaps}
    repeated = frozenset(i for i, c in enumerate(protocol.criteria) if c.id in SAID_TWICE)
    tally = Tally([CriterionCounts() for _ in protocol.criteria], repeated)
    flags = [*(flag.id for flag in protocol.flags), BLOCKER_MODIFIABLE[0]]
    columns = Columns((fact.fact for fact in protocol.open_facts), flags, with_names=bool(names))
    details, since = Details(protocol), Since(compared, link) if compared else None
    sites = summary.get("sites") or {}
    for assessment in assessments:
        child = child_of(assessment, gap_names, protocol)
        if child is None:
            tally.not_about += 1
            continue
        site = _of(sites, child.patient, "not told") if sites else None
        tally.add(child, site)
        columns.add(child, site, _of(names or {}, child.patient, ""))
        details.add(assessment)
        if since:
            since.add(child)
    page = page_template().stream(
        view(tally, columns, summary, protocol, SOFTWARE_VERSION, since), with_names=bool(names), with_sites=bool(sites),
        sheets=[Markup(_text(name)) for name in SHEETS], scripts=[Markup(_text(name)) for name in SCRIPTS],
        cohort=_embedded(columns.embedded() | {"link": link} | (since.embedded() if since else {})), details=_embedded(details.embedded()),
    )  # fmt: skip
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8", errors="replace") as file:
        try:
            page.dump(file)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _refuse_unusable(link: str | None) -> None:
    """Checked here, so that the page never holds an address that does something else than lead to a record."""
    if link is None:
        return
    address = urlsplit(link)
    if address.scheme != "https" or not address.hostname or "{id}" not in link or "{" in address.netloc or any(c.isspace() for c in link):
        raise ValueError("the link must be an https address with {id} in it, such as https://ehr.example/chart/{id}")


def _of(told: Mapping[str, str], patient: str, otherwise: str) -> str:
    return told.get(patient) or told.get(patient.removeprefix("Patient/")) or otherwise


def _embedded(data: Any) -> Markup:
    """JSON that cannot end its script element, whatever words are in it."""
    return Markup(msgspec.json.encode(data).decode("utf-8").translate(HARMLESS))


@cache
def page_template() -> Any:
    """Made when it is first needed, or before, by whoever has the time."""
    pages = Environment(loader=PackageLoader("hooks.screen.report", "."), autoescape=True, undefined=StrictUndefined,
                        trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    pages.filters["number"] = lambda n: f"{n:,}"
    return pages.get_template("report.html")


def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
