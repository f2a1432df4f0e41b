"""What an export left in its folder, so that the same command continues after an interruption: `export.json`.

It holds the address of the job and which files are here; no token, and no address of a file, which can be a key by itself.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hooks.screen.export_error import ExportError

NAME = "export.json"


@dataclass
class ExportState:
    """`names`: what each file of the manifest (by its key) is called here; `tags`: the ETag of a file of which a part is here."""

    request: str  # the kick-off request: another one must not continue this export
    status_url: str = ""
    names: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)  # files that are here but lack something, and what
    transaction_time: str = ""
    unknown_types: list[str] = field(default_factory=list)
    complete: bool = False

    def name(self, key: str, kind: str, type: str) -> str:
        """The same name for the same file, whatever order the server lists them in this time."""
        if key not in self.names:
            folder = "" if kind == "output" else f"{kind}/"
            taken = sum(name.startswith(f"{folder}{type}.") for name in self.names.values())
            self.names[key] = f"{folder}{type}.{taken + 1}.ndjson"
        return self.names[key]


class StateFile:
    """Written anew, whole, at every change, by several threads."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = threading.Lock()

    def read(self, request: str) -> ExportState:
        """What was left, or a clean sheet. Raises ExportError if the folder belongs to something else."""
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            state = ExportState(**told)
        except FileNotFoundError:
            if any(self.path.parent.glob("*.ndjson")):
                raise ExportError(f"{self.path.parent}: holds NDJSON files of another origin; give an empty folder") from None
            return ExportState(request)
        except (OSError, ValueError, TypeError):
            raise ExportError(f"{self.path}: cannot be read; give an empty folder") from None
        if state.request != request:
            raise ExportError(f"{self.path.parent}: holds another export; give the command that began it, or an empty folder")
        if any(".." in name or name.startswith("/") for name in state.names.values()):
            raise ExportError(f"{self.path}: cannot be read; give an empty folder")
        return state

    def change(self, state: ExportState, **changes: Any) -> None:
        with self._lock:
            for name, value in changes.items():
                setattr(state, name, value)
            self._write(state)

    def done(self, state: ExportState, key: str, short: str) -> None:
        with self._lock:
            state.done.append(key)
            state.tags.pop(key, None)
            if short:
                state.short[key] = short
            self._write(state)

    def tagged(self, state: ExportState, key: str, tag: str) -> None:
        with self._lock:
            state.tags[key] = tag
            self._write(state)

    def forget(self, state: ExportState) -> None:
        """The job is gone: neither its notes nor its files, a snapshot that nothing will complete, are of use."""
        with self._lock:
            for name in state.names.values():
                for file in (self.path.parent / name, self.path.parent / f"{name}.part"):
                    file.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def _write(self, state: ExportState) -> None:
        fresh = self.path.with_suffix(".json.new")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(asdict(state), file, indent=1)
            os.replace(fresh, self.path)
        except OSError as error:
            raise ExportError(f"{self.path}: cannot be written ({(error.strerror or 'unknown error').lower()})") from None
