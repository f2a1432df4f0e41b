"""Write a cohort of invented children as a Bulk-Data-like folder of NDJSON files, with the right answer for each.

    python benchmarks/cohort.py OUT --in-scope 200 --bystanders 200000 --as-of 2025-09-01 --gzip --files-per-type 4 --processes 2

Nobody in it exists. OUT/truth.ndjson holds, for each Patient, what must be concluded and which criteria are certain.
"""

from __future__ import annotations

import time
from datetime import date, datetime
from pathlib import Path

import click
from invented.bystanders import bystander
from invented.children import child
from invented.folder import TRUTH, Cohort
from invented.truth import Truth

__all__ = ["TRUTH", "Cohort", "Truth", "bystander", "child"]

A_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(help=__doc__.split("\n\n")[0])
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--in-scope", default=200, show_default=True, type=click.IntRange(0), help="Children with leukaemia, nearly all relapsed.")
@click.option("--bystanders", default=2000, show_default=True, type=click.IntRange(0), help="Ordinary children.")
@click.option("--seed", default=1, show_default=True, help="The same number gives the same children.")
@click.option("--observations", default=100, show_default=True, type=click.IntRange(0), help="Unrelated results around each leukaemia.")
@click.option("--as-of", type=A_DAY, default=lambda: f"{date.today()}", show_default="today", help="The day on which they are to be judged.")
@click.option("--gzip", "gzipped", is_flag=True, help="Compress the files; truth.ndjson stays as it is.")
@click.option("--files-per-type", default=1, show_default=True, type=click.IntRange(1), help="Files for each resource type.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1), help="More than one write at a time, with the same result.")
def main(out: Path, in_scope: int, bystanders: int, seed: int, observations: int, as_of: datetime, gzipped: bool,
         files_per_type: int, processes: int) -> None:  # fmt: skip
    cohort = Cohort(in_scope, bystanders, seed, as_of.date(), observations, files_per_type, gzipped)
    began = time.monotonic()
    try:
        written = cohort.write(out, processes)
    except OSError as problem:
        raise click.ClickException(str(problem)) from None
    seconds = time.monotonic() - began
    click.echo(f"{len(cohort)} children, {written} resources in {seconds:.1f} s ({written / max(seconds, 0.001):.0f} a second) in {out}")


if __name__ == "__main__":
    main()
