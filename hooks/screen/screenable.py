"""Is there anything to screen? Told before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hooks.command_line import CannotDo, fhir_base_of
from hooks.screen.folder import Contents, contents, told
from hooks.screen.spark_source import ADDRESS

if TYPE_CHECKING:
    from hooks.screen.run import Asked


def refuse_what_cannot_be(asked: Asked) -> None:
    """Raise CannotDo; what is at an address of Spark's, Spark tells when it lists it."""
    if is_fhir(asked.source):
        fhir_base_of(asked.source)
        if asked.spark:
            raise CannotDo("--engine spark reads files; screen the FHIR server without it, or have it exported to files first")
    elif not (asked.spark and ADDRESS.match(asked.source)):
        held_in(asked)


def is_fhir(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def held_in(asked: Asked) -> Contents:
    """What the folder holds; never nothing."""
    folder = Path(asked.source)
    if not folder.is_dir():
        raise CannotDo(f"{asked.source}: is neither a folder nor a FHIR base URL")
    if folder.resolve() == asked.out.resolve():
        raise CannotDo(f"{asked.source}: is both SOURCE and --out; give the results a folder of their own")
    held = contents(folder, but=asked.out)
    if not held.ndjson and not held.bundles:
        beside = f"; {told(held.strays, len(held.strays))}" if held.strays else ""
        raise CannotDo(f"{asked.source}: holds no NDJSON files (.ndjson, .ndjson.gz) and no Bundles (.json){beside}")
    return held
