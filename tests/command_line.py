"""`relapse-cds` as the tests run it: one command in this process, or what it says when it cannot do its work."""

from __future__ import annotations

import structlog
from click.testing import CliRunner

from hooks.cli import main


def run(*arguments, stdin=None):
    """One command in this process; it sets up logs of its own, which later tests must not inherit."""
    logs = structlog.get_config()
    try:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    finally:
        structlog.configure(**logs)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def cannot(result):
    """The one sentence of a command that could not do its work."""
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("relapse-cds: ") and "Traceback" not in line
    return line
