"""The detail of a card, section by section: what blocks and what is missing first, with the evidence beside the sentence.

Order and wording follow protocol-reading 5.2 to 5.5. Text that comes from the chart is escaped where it is put in.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds.assessment import Assessment, Judged, Raised, Risk
from cds.finding import Gap, Why
from cds.truth import UNKNOWN
from hooks.markdown import escape
from hooks.words import NOT_MET_TODAY, STATUS, counts, first_line, for_judgement, judged_as_of, missing_facts, unanswered_words, verdict

INTENDED = "For clinicians who look after children with leukaemia. Not checked: consent forms, free places in the trial, free-text notes."
SHORT_QUOTE = 100  # characters of the sentence beside what is favourable; the whole sentence beside what is not
SAID_ABOVE = ("blocker_modifiable",)  # flags that the line of the status says already
LONGEST_LIST = 25  # lines of one section
BREAK = "\\\n  "  # a new line within a list item


def detail(a: Assessment, software_version: str, contact: str | None) -> str:
    judgement = [j for j in a.criteria if for_judgement(j)]
    favourable = [j for j in a.criteria if j.finding.truth is not UNKNOWN and not j.blocks and j.criterion.id != "EXC-06"]
    status = NOT_MET_TODAY if a.modifiable else STATUS[a.overall]
    sections = (
        [first_line(a)],
        [" ".join(filter(None, (f"**{status}.** {counts(a)}.", unanswered_words(a))))],
        _section("What blocks", (_criterion(j) for j in a.blocking if j.criterion.id != "EXC-06")),
        _section("Missing", (_missing(fact, ids, gap, a) for fact, ids, gap in missing_facts(a))),
        _section("Not looked up", (f"- {escape(search)}: {escape(why)}" for search, why in a.not_looked_up)),
        _section("Risk group", _risk(a.risk)),
        _section("Please look at", (_flag(f) for f in a.flags if f.id not in SAID_ABOVE)),
        _section("For your judgement", (f"- **{j.criterion.id}**: {escape(j.finding.words)}" for j in judgement)),
        _section("Found in the chart", (_criterion(j, SHORT_QUOTE) for j in favourable)),
        _section("Data seen and not used", (f"- {escape(i.words)} ({escape(i.reference or 'no reference')})" for i in a.issues)),
        _section("Dates used", (f"- {escape(str(anchor))}" for anchor in a.anchors)),
        *_closing(a, software_version, contact),
    )
    return "\n\n".join("\n".join(section) for section in sections if section)


def _closing(a: Assessment, software_version: str, contact: str | None) -> Iterable[list[str]]:
    yield [f"{judged_as_of(a)} relapse-cds {software_version}."]
    yield [INTENDED]
    yield [f"Whom to ask: {escape(contact)}"] if contact else []


def _section(title: str, lines: Iterable[str]) -> list[str]:
    lines = [line for line in lines if line]
    more = [f"- and {len(lines) - LONGEST_LIST} more, in the assessment"] if len(lines) > LONGEST_LIST else []
    return [f"### {title}", "", *lines[:LONGEST_LIST], *more] if lines else []


def _criterion(judged: Judged, longest: int = 600) -> str:
    """The answer with its evidence, and the document's own sentence beside it."""
    c, f = judged.criterion, judged.finding
    basis = f" ({f.basis.value.replace('_', ' ')})" if f.basis else ""
    return f"- **{c.id} {escape(c.name)}**: {verdict(judged)} – {escape(f.words)}{basis}{BREAK}{_quoted(judged, longest)}"


def _missing(fact: str, ids: list[str], gap: Gap, a: Assessment) -> str:
    """What is missing, for which criteria, and why; where the text itself is unclear, its sentence."""
    line = f"- **{escape(fact)}** ({', '.join(ids)}): {escape(gap.words.removeprefix(f'{fact}: '))}"
    unclear = (j for j in a.criteria if j.criterion.id in ids and gap.reason is Why.SOURCE_AMBIGUOUS)
    return BREAK.join([line, *(_quoted(j, 600) for j in unclear)])


def _quoted(judged: Judged, longest: int) -> str:
    return f"*“{escape(' '.join(judged.criterion.text), longest)}”*"


def _risk(risk: Risk) -> Iterable[str]:
    if risk.status == "suppressed":
        return
    if risk.status == "assigned":
        yield f"- Rule gives **{risk.group}** – investigator to confirm"
    else:
        yield f"- {escape(risk.words)}"
    yield from (f"- {known}: {escape('; '.join(map(str, evidence)))}" for known, evidence in risk.known)
    yield from dict.fromkeys(f"- not known: {escape(gap.words)}" for gap in risk.gaps)


def _flag(flag: Raised) -> str:
    seen = "; ".join(escape(str(e)) for e in flag.evidence)
    return f"- {escape(flag.words)}" + (f" ({seen})" if seen else "")


def order_detail(a: Assessment, breaks: tuple[Judged, ...], software_version: str, contact: str | None) -> str:
    """Which criterion, why, and the document's sentence; then how the child stands today."""
    status, unanswered = NOT_MET_TODAY if a.modifiable else STATUS[a.overall], unanswered_words(a)
    sections = (
        [first_line(a)],
        ["**The child may still take part in the trial; the order would end that.** If the order is right, sign it: this is a reminder."],
        _section("What the order would break", (_would_break(j) for j in breaks)),
        _section("The child today", [f"- {status}", unanswered and f"- {unanswered}"]),
        *_closing(a, software_version, contact),
    )
    return "\n\n".join("\n".join(section) for section in sections if section)


def _would_break(judged: Judged) -> str:
    c = judged.criterion
    orders = escape("; ".join(dict.fromkeys(str(e) for e in judged.finding.evidence)))
    return f"- **{c.id} {escape(c.name)}**: {orders}{BREAK}{_quoted(judged, 600)}"
