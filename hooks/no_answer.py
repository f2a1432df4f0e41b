"""Why a server gave nothing to read: short plain English, without anything the server sent, without an address or a token."""

from __future__ import annotations


class NoAnswer(Exception):
    """The question was refused, or what came back cannot be used. The server itself may be in the best of health."""


class Unwell(NoAnswer):
    """The server, or the way to it, is in trouble: no connection, no answer in time, overloaded, broken."""
