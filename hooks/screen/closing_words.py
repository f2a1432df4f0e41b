"""What a person reads at the end of a screening: the counts, and whatever makes them less than the whole truth."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from hooks.screen.comparison import KINDS
from hooks.screen.folder import Stray, told
from hooks.screen.watching import Watcher
from hooks.words import NOT_MET_TODAY, STATUS


def tell(summary: dict[str, Any], watcher: Watcher) -> None:
    table = Table(title=f"{summary['children']} children with a leukaemia diagnosis, as of {summary['as_of']}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    words = {**STATUS, "not_applicable": "Outside the trial: no relapse of this kind of leukaemia on record"}
    for status in ("eligible_pending_clinician_review", "insufficient_data", "not_eligible", "not_applicable"):
        table.add_row(words[status], str(summary["overall"].get(status, 0)))
        if status == "not_eligible":
            table.add_row(f"  of these: {NOT_MET_TODAY.lower()}", str(summary["modifiable"]))
    for kind in KINDS if "changes" in summary else ():
        table.add_row(kind.replace("_", " ").capitalize(), str(summary["changes"].get(kind, 0)))
    table.add_row("Files read", str(summary["files"]))
    table.add_row("Lines that could not be read", str(summary["broken"]))
    watcher.show(table)
    for broken in summary["broken_lines"][:5]:
        watcher.say(f"  {broken['file']}, line {broken['line']}: {broken['why']}")
    if cut := summary["cut_off"]:
        watcher.say(f"{f'{cut} files end' if cut > 1 else '1 file ends'} before {'their' if cut > 1 else 'its'} time, so nothing counts as absent for any child: what is lost may be about it.")
    if lacking := summary["lacking"]:
        watcher.say(f"{lacking[0].upper()}{lacking[1:]}, so nothing counts as absent for any child: what is lost may be about it.")
    if strays := told([Stray(**stray) for stray in summary["not_read"]], summary["files_not_read"]):
        watcher.say(f"{strays}.")
    if summary["mixed"]:
        watcher.say(_of_several(summary["mixed"]))
    if summary["missing_kinds"]:
        watcher.say(f"The source holds no {', '.join(summary['missing_kinds'])}{'' if cut or lacking else ': taken as none recorded'}. Were they exported?")


def _of_several(mixed: dict[str, list[dict[str, Any]]]) -> str:
    files = [" and ".join(dict.fromkeys(place["file"] for place in places)) for places in mixed.values()]
    ids, these = (f"{len(files)} ids are", "these ids") if len(files) > 1 else ("1 id is", "this id")
    named = "; ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")
    return f"{ids} not one person's, so nobody of {these} was judged: {named}. Screen what is of different hospitals apart."
