"""Imports point inwards: hooks -> fhir_mappings -> cds. cds is standard library only, and has no clock and no voice.

Read from the syntax trees, so that an import inside a function counts too.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
MAY_IMPORT = {"cds": {"cds"}, "fhir_mappings": {"cds", "fhir_mappings"}, "hooks": {"cds", "fhir_mappings", "hooks"}}
OURS = set(MAY_IMPORT)
FILES = [(package, file) for package in MAY_IMPORT for file in sorted((CHECKOUT / package).rglob("*.py"))]

CLOCKS = {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp"}
NO_CLOCK_NO_WORLD = {"time", "asyncio", "socket", "ssl", "urllib", "http", "ftplib", "smtplib", "subprocess", "threading", "multiprocessing",
                     "os", "io", "pathlib", "shutil", "tempfile", "logging", "random", "secrets", "uuid", "locale", "ctypes", "sqlite3"}  # fmt: skip
VOICES = {"print", "open", "input", "exec", "eval", "__import__", "breakpoint", "compile"}


def imported(tree: ast.AST, package: str) -> set[str]:
    """The top-level names of everything imported anywhere in a file."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(package if node.level else node.module.split(".")[0])
    return names


def spoken(tree: ast.AST) -> set[str]:
    """What cds may not do: read a clock, print, open a file, reach the network, or get at either by a detour."""
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in CLOCKS}
    found |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in VOICES}
    return found | imported(tree, "cds") & (NO_CLOCK_NO_WORLD | {"importlib"})


def tree_of(file: Path) -> ast.AST:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def test_there_is_something_to_look_at():
    assert {package for package, _ in FILES} == OURS
    assert (CHECKOUT / "cds" / "trials" / "nct05827549" / "risk.py") in [file for _, file in FILES]


@pytest.mark.parametrize("package, file", FILES, ids=lambda x: x.relative_to(CHECKOUT).as_posix() if isinstance(x, Path) else "")
def test_imports_point_inwards(package, file):
    assert imported(tree_of(file), package) & OURS <= MAY_IMPORT[package]


@pytest.mark.parametrize("file", [file for package, file in FILES if package == "cds"], ids=lambda file: file.relative_to(CHECKOUT).as_posix())
def test_cds_is_standard_library_without_clock_or_voice(file):
    tree = tree_of(file)
    assert imported(tree, "cds") - {"cds"} <= set(sys.stdlib_module_names)
    assert spoken(tree) == set()


@pytest.mark.parametrize("file", [file for package, file in FILES if package == "fhir_mappings"], ids=lambda file: file.relative_to(CHECKOUT).as_posix())
def test_mappings_have_no_clock_either(file):
    tree = tree_of(file)
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}}
    assert not found and not imported(tree, "fhir_mappings") & {"time", "requests", "fhirclient", "flask", "socket", "urllib"}


@pytest.mark.parametrize(
    "code", ["import time", "from datetime import date\ndate.today()", "import datetime\ndatetime.datetime.now()", "def f():\n    import socket",
             "print('x')", "open('x')", "from urllib.request import urlopen", "f = print", "import importlib"],
)  # fmt: skip
def test_the_look_sees(code):
    assert spoken(ast.parse(code))


@pytest.mark.parametrize("code", ["import hooks.cards", "from hooks import cards", "def f():\n    from hooks.x import y"])
def test_an_import_outwards_is_seen(code):
    assert imported(ast.parse(code), "cds") - MAY_IMPORT["cds"] == {"hooks"}
    assert imported(ast.parse("from . import truth"), "cds") == {"cds"}
