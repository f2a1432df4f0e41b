"""README.md promises nothing that is not there: its commands and its endpoints exist, and its test command is CI's."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

CHECKOUT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|[\s/])relapse-cds (\w.*)")
ENDPOINT = re.compile(r"(?:\b(GET|POST) |https?://(?:localhost|127\.0\.0\.1)(?::\d+)?|^)(/[a-z][\w./{}<>-]*)")


@pytest.fixture(scope="module")
def readme() -> str:
    page = CHECKOUT / "README.md"
    return page.read_text(encoding="utf-8")


def shell_commands(page: str) -> list[str]:
    """The lines of the page's shell blocks, joined where they end in a backslash, without prompt and comment."""
    lines = "".join(FENCE.findall(page)).replace("\\\n", "").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if line.strip() and not line.startswith("#")]


def code(page: str) -> list[str]:
    return [line for block in CODE.findall(page) for line in "".join(block).replace("\\\n", "").splitlines()]


def test_ci_runs_the_second_command_word_for_word(readme):
    commands = shell_commands(readme)
    assert len(commands) >= 2, "README.md shows how to try it first and how to test it second, each in a ```sh block"
    script = (CHECKOUT / ".ci" / "run").read_text().splitlines()
    assert commands[1] in script, f"this line of README.md is no line of .ci/run: {commands[1]}"


def test_every_command_exists(readme):
    from hooks.cli import main

    mentioned = [found[1] for line in code(readme) if (found := COMMAND.search(line))]
    assert mentioned, "README.md shows no relapse-cds command"
    for words in mentioned:
        name = words.split()[0]
        command = main.get_command(click.Context(main), name)
        assert command, f"README.md shows `relapse-cds {words}`"
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        shown = set(re.findall(r"(?<!\S)\[?(--[a-z][a-z-]*)", words))
        assert shown <= known, f"`relapse-cds {name}` has no {', '.join(sorted(shown - known))}"


def test_every_endpoint_exists(readme):
    from hooks import create_app

    routes = create_app().url_map.bind("localhost")
    mentioned = [found for line in code(readme) for found in ENDPOINT.findall(line)]
    assert mentioned, "README.md shows no endpoint"
    for method, path in mentioned:
        concrete = re.sub(r"\{\w+\}|<\w+>", "nct05827549-patient-view", path)
        try:
            routes.match(concrete, method=method or None)
        except RequestRedirect:
            pass  # it exists, under a slightly different spelling
        except MethodNotAllowed:
            assert not method, f"README.md shows {method} {path}, which is answered to other methods only"
        except NotFound:
            pytest.fail(f"README.md shows {path}, which this service does not have")
