"""A cohort from a FHIR server by Bulk Data export (`$export`): into a folder of NDJSON files, and on where it broke off.

What an interruption leaves behind is told by `export_state`. Whoever stops it by hand (Ctrl-C) wants no export: the server is
told to delete it. A crash, a lost connection or the time limit leave it there, and the same command continues.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hooks.backend_services import TokenSource
from hooks.deadline import Deadline
from hooks.fhir_address import normalised_base
from hooks.no_answer import NoAnswer
from hooks.screen.export_capability import capability
from hooks.screen.export_error import ExportError, ExportOver
from hooks.screen.export_fetching import fetched
from hooks.screen.export_kick_off import kick_off, kick_off_url
from hooks.screen.export_patience import Sleep
from hooks.screen.export_problems import Problems, problems
from hooks.screen.export_state import ExportState, StateFile
from hooks.screen.export_status import deleted
from hooks.screen.export_wire import STALL_SECONDS, ExportWire
from hooks.screen.progress import Told

DAY = 86_400.0
AT_ONCE = 3  # files


@dataclass(frozen=True)
class Exported:
    """Absence from these files proves that there is nothing only if `whole`, and never of an unknown type."""

    folder: Path
    files: tuple[Path, ...]  # the data
    errors: tuple[Path, ...]  # OperationOutcomes about the export
    deleted: tuple[Path, ...]  # Bundles of what was deleted since, if `since` was given
    problems: Problems  # what the server says went wrong
    lacking: tuple[str, ...]  # files that were cut short, and how
    unknown_types: tuple[str, ...]  # asked for, but the server does not keep such records, it says
    transaction_time: str

    @property
    def whole(self) -> bool:
        return not self.lacking and not self.problems.errors


def export_to(folder: Path, base_url: str, access: str | TokenSource | None, *, types: Sequence[str], told: Told, group: str | None = None,
              since: str | None = None, limit_seconds: float = DAY, at_once: int = AT_ONCE, ca_bundle: str | None = None,
              stall_seconds: float = STALL_SECONDS, sleep: Sleep | None = None) -> Exported:
    """Raises NoExport where the server has none, otherwise ExportError. `told` is called by one thread at a time.

    A folder that holds the whole export already is not filled anew: its `transaction_time` tells how old it is.
    """
    base = normalised_base(base_url)
    if base is None:
        raise ExportError("the base URL must be one such as https://ehr.example/fhir")
    state_file = _state_file(folder)
    state = state_file.read(kick_off_url(base, types, group, since))
    if state.complete:
        told(f"exported before, as of {state.transaction_time or 'an unknown time'}; not exported again")
        return _exported(folder, state)
    try:
        wire = ExportWire(base, access, limit=Deadline.after(limit_seconds), ca_bundle=ca_bundle, stall_seconds=stall_seconds)
    except NoAnswer as error:
        raise ExportError(str(error)) from None
    if state.status_url:
        told("continuing the export that was begun before")
        try:
            return _carried_out(wire, state, state_file, told, sleep, at_once)
        except ExportOver:
            told("the FHIR server no longer has the export that was begun before; a new one is begun")
            state = ExportState(state.request)
    begun = kick_off(wire, state.request, told, sleep or time.sleep, of_group=group is not None)
    state_file.change(state, status_url=begun)
    kept = capability(wire).types
    state_file.change(state, unknown_types=sorted(set(types) - kept) if kept else [])
    return _carried_out(wire, state, state_file, told, sleep, at_once)


def _carried_out(wire: ExportWire, state: ExportState, state_file: StateFile, told: Told, sleep: Sleep | None, at_once: int) -> Exported:
    try:
        fetched(wire, state, state_file, told, sleep, at_once)
    except (KeyboardInterrupt, ExportOver):
        deleted(wire, state.status_url)
        state_file.forget(state)
        raise
    if not deleted(wire, state.status_url):
        told("the FHIR server did not delete its copy of the exported files when asked to")
    exported = _exported(state_file.path.parent, state)
    if exported.errors:
        told(str(exported.problems))
    return exported


def _state_file(folder: Path) -> StateFile:
    try:
        for each in (folder, folder / "error", folder / "deleted"):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)  # children's charts
    except OSError as error:
        raise ExportError(f"{folder}: cannot be written ({(error.strerror or 'unknown error').lower()})") from None
    return StateFile(folder)


def _exported(folder: Path, state: ExportState) -> Exported:
    def of(prefix: str) -> tuple[Path, ...]:
        return tuple(sorted(folder / name for name in state.names.values() if name.rpartition("/")[0] == prefix))

    lacking = tuple(f"{state.names[key]}: {words}" for key, words in sorted(state.short.items()))
    return Exported(folder, of(""), of("error"), of("deleted"), problems(of("error")), lacking, tuple(state.unknown_types), state.transaction_time)
