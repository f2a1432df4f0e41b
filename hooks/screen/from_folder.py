"""A cohort from a folder: NDJSON files, or Bundles that are made into one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cds.trials import NCT05827549
from hooks.command_line import CannotDo
from hooks.screen.bundles import unpack
from hooks.screen.cohort import WORK, Screening, screen
from hooks.screen.folder import NAMED
from hooks.screen.found import Found, refuse_too_many
from hooks.screen.screenable import held_in
from hooks.screen.spark_run import judged_on_spark
from hooks.screen.spark_source import files_below
from hooks.screen.tasks import MOST_BROKEN
from hooks.screen.watching import Watcher

if TYPE_CHECKING:
    from hooks.screen.run import Asked


def from_folder(asked: Asked, folder: Path, watcher: Watcher) -> tuple[Path, Found]:
    """Raise CannotDo when there is nothing to read."""
    held = held_in(asked)
    if held.ndjson:
        assessments, found = _judged(asked, folder, held.ndjson, asked.out / WORK, held.lacking, watcher)
    else:
        assessments, found = _of_bundles(asked, folder, held.bundles, held.lacking, watcher)
    found.files_not_read, found.not_read = len(held.strays), [stray._asdict() for stray in held.strays[:NAMED]]
    return assessments, found


def _of_bundles(asked: Asked, folder: Path, bundles: tuple[Path, ...], lacking: str, watcher: Watcher) -> tuple[Path, Found]:
    place = asked.out / WORK / "bundles"
    shutil.rmtree(asked.out / WORK, ignore_errors=True)
    place.mkdir(parents=True)
    watcher.say("Unpacking Bundles …")
    unpacked = unpack(folder, bundles, place / "bundles.ndjson")
    assessments, found = _judged(asked, place, (place / "bundles.ndjson",), asked.out / WORK / "judging", lacking or unpacked.lacking, watcher)
    found.files, found.broken = len(bundles), found.broken + len(unpacked.broken)
    found.broken_lines = [*unpacked.broken, *({**line, **unpacked.place_of(line["line"])} for line in found.broken_lines)][:MOST_BROKEN]
    found.mixed = {id: [unpacked.place_of(place["line"]) for place in places] for id, places in found.mixed.items()}
    refuse_too_many(found, asked.max_errors)
    return assessments, found


def _judged(asked: Asked, folder: Path, files: tuple[Path, ...], work: Path, lacking: str, watcher: Watcher) -> tuple[Path, Found]:
    if asked.spark:
        address = f"file://{folder.resolve()}"
        ours = {path.relative_to(folder).as_posix() for path in files}
        if more := sorted(name for file in files_below(asked.spark, address)[0] if (name := file.name.as_posix()) not in ours):
            raise CannotDo(f"{asked.source}: Spark would read {more[0]} as well; let no link lead back into the folder, and keep results out of it")
        return judged_on_spark(asked, address, work, watcher, lacking)
    screening = Screening(folder, files, work, NCT05827549, asked.as_of, asked.processes, asked.config.site_codes, asked.max_errors, lacking)
    return screen(screening, watcher)
