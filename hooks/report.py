"""The assessment of one child for a terminal: every criterion under its sentence, with what the chart says of it."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cds.assessment import Assessment, Judged
from hooks.markdown import plain
from hooks.words import NOT_APPLICABLE, NOT_MET_TODAY, STATUS, first_line, judged_as_of, unanswered_words, verdict

COLOURS = {"not known": "yellow", "met": "green", "not met": "red", "exclusion applies": "red", "exclusion does not apply": "green"}


def print_assessment(a: Assessment, software_version: str, console: Console) -> None:
    status = NOT_APPLICABLE if a.overall == "not_applicable" else STATUS[a.overall]
    console.print(f"[bold]{a.protocol}[/]  {escape(plain(a.patient))}, as of {a.as_of}")
    console.print(f"[bold]{NOT_MET_TODAY if a.modifiable else status}[/]")
    if unanswered := unanswered_words(a):
        console.print(unanswered.replace("**", ""), highlight=False)
    if a.criteria:
        console.print(judged_as_of(a), highlight=False)
        console.print(first_line(a), style="dim")
        console.print(_criteria(a))
        console.print(f"[bold]Risk group:[/] {escape(_risk(a))}")
    for title, lines in (
        ("Please look at", [flag.words for flag in a.flags]),
        ("Data seen and not used", [f"{i.reference or 'no reference'}: {i.words}" for i in a.issues]),
        ("Not looked up", [f"{search}: {words}" for search, words in a.not_looked_up]),
    ):
        if lines:
            console.print(f"[bold]{title}[/]")
            for line in lines:
                console.print(f"  - {escape(plain(line))}")
    console.print(f"relapse-cds {software_version}, text version {a.text_version}", style="dim")


def _criteria(a: Assessment) -> Table:
    table = Table(show_lines=True, expand=True)
    table.add_column("criterion", ratio=2)
    table.add_column("answer", ratio=1)
    table.add_column("what the chart says", ratio=3)
    for judged in a.criteria:
        table.add_row(_sentence(judged), _verdict(judged), _reasons(judged))
    return table


def _sentence(judged: Judged) -> str:
    c = judged.criterion
    return f"[bold]{c.id}[/] {escape(c.name)}\n[dim]“{escape(' '.join(c.text))}”[/]"


def _verdict(judged: Judged) -> str:
    words = verdict(judged)
    reason = judged.finding.reason
    return f"[{COLOURS[words]}]{words}[/]" + (f"\n({reason.value.replace('_', ' ')})" if reason else "")


def _reasons(judged: Judged) -> str:
    f = judged.finding
    where = ", ".join(dict.fromkeys(e.reference for e in f.evidence if e.reference))
    basis = f" ({f.basis.value.replace('_', ' ')})" if f.basis else ""
    return escape(plain(f.words, 600)) + basis + (f"\n[dim]{escape(plain(where))}[/]" if where else "")


def _risk(a: Assessment) -> str:
    if a.risk.status == "suppressed":
        return "not given while a criterion blocks"
    return f"rule gives {a.risk.group} – investigator to confirm" if a.risk.group else a.risk.words
