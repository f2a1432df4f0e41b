"""A cohort as a folder of NDJSON files, as a Bulk Data export leaves it: several files a type, one child all over them.

The cohort is cut into blocks of children. Each process writes the lines of its own blocks to parts, which are then joined in
order: the files are the same for any number of processes, and nothing but the lines of one block is held in memory.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import IO, Any

import msgspec

from invented.bystanders import bystander
from invented.children import child
from invented.truth import NOT_APPLICABLE, Truth

BLOCK = 256  # children
TRUTH = "truth.ndjson"
encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Cohort:
    in_scope: int
    bystanders: int
    seed: int
    as_of: date
    observations: int = 100
    files_per_type: int = 1
    gzipped: bool = False

    def __len__(self) -> int:
        return self.in_scope + self.bystanders

    def children(self, first: int, last: int) -> Iterator[tuple[list[dict[str, Any]], Truth]]:
        """The children at these places: those with leukaemia spread evenly among the ordinary ones."""
        for place in range(first, min(last, len(self))):
            told = place * self.in_scope // len(self)
            if (place + 1) * self.in_scope // len(self) > told:
                yield child(self.seed, told, self.as_of, self.observations)
            else:
                yield bystander(self.seed, place - told, self.as_of), Truth(NOT_APPLICABLE)

    def write(self, folder: Path, processes: int = 1) -> int:
        """Everything into a folder that is empty or not there yet; gives the number of resources."""
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty")
        blocks = -(-len(self) // BLOCK)
        cuts = [blocks * n // processes for n in range(processes + 1)]
        shares = [(n, cuts[n], cuts[n + 1]) for n in range(processes)]
        if processes == 1:
            written = _write_blocks(self, folder, *shares[0])
        else:
            with ProcessPoolExecutor(processes) as pool:
                written = sum(pool.map(_write_blocks, *zip(*((self, folder, *share) for share in shares))))
        _join(folder)
        return written


def _write_blocks(cohort: Cohort, folder: Path, part: int, first: int, last: int) -> int:
    written = 0
    with ExitStack() as open_files:
        files: dict[str, IO[bytes]] = {}
        for block in range(first, last):
            lines = _lines(cohort, block)
            for name, these in lines.items():
                if name not in files:
                    files[name] = _open(folder / f"{name}.part{part:03d}", name.endswith(".gz"), open_files)
                Random(f"{cohort.seed}/{block}/{name.removesuffix('.gz')}").shuffle(these)  # no child's lines stand together
                files[name].write(b"\n".join(these) + b"\n")
                written += len(these) if name != TRUTH else 0
    return written


def _lines(cohort: Cohort, block: int) -> dict[str, list[bytes]]:
    """The lines of one block of children, by the file they belong in."""
    lines: dict[str, list[bytes]] = {}
    ending = ".ndjson.gz" if cohort.gzipped else ".ndjson"
    numbered = [f".{number:04d}{ending}" for number in range(1, cohort.files_per_type + 1)]
    turn = block
    for resources, truth in cohort.children(block * BLOCK, (block + 1) * BLOCK):
        for resource in resources:
            turn += 1
            name = resource["resourceType"] + numbered[turn % len(numbered)]
            if name in lines:
                lines[name].append(encode(resource))
            else:
                lines[name] = [encode(resource)]
        patient = {"patient": f"Patient/{resources[0]['id']}"}
        lines.setdefault(TRUTH, []).append(encode(patient | truth.as_json()))
    return lines


def _open(path: Path, gzipped: bool, closing: ExitStack) -> IO[bytes]:
    plain = closing.enter_context(path.open("wb"))
    # Without name and time in the header, so that the same cohort gives the same bytes.
    return closing.enter_context(gzip.GzipFile("", "wb", compresslevel=1, fileobj=plain, mtime=0)) if gzipped else plain


def _join(folder: Path) -> None:
    """Parts one after the other: lines follow lines, and several gzip streams in a row are one gzip file."""
    for part in sorted(folder.glob("*.part*")):
        whole = part.with_suffix("")
        if not whole.exists():
            part.rename(whole)
            continue
        with whole.open("ab") as end, part.open("rb") as more:
            shutil.copyfileobj(more, end, 1 << 20)
        part.unlink()
