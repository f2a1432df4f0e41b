"""Why an export gave nothing: one plain sentence, without a patient, a token or an address that the server sent."""

from __future__ import annotations


class ExportError(Exception):
    """The export stopped. What was downloaded stays, and the same command continues."""


class ExportOver(ExportError):
    """The server's job has failed or is gone: the next command begins a new one."""


class NoExport(ExportError):
    """This server has no export: its children can be had by search only."""
