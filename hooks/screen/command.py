"""The command `relapse-cds screen`: its options, what a person sees while it works, and what is written at the end."""

from __future__ import annotations

import gc
import os
from datetime import datetime
from pathlib import Path

import click

from hooks.command_line import CannotDo, configured
from hooks.screen.workers import load_beside


@click.command()
@click.argument("source")
@click.option("--out", type=click.Path(file_okay=False), required=True, help="Folder for the results; made if missing.")
@click.option("--previous", type=click.Path(path_type=Path), help="Results of an earlier screening, to tell what changed.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Judge as of this day (default: today).")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings: time zone, the site's codes, our own access.")
@click.option("--processes", type=click.IntRange(1, 256), default=os.cpu_count() or 1, show_default=True, help="At the same time.")
@click.option("--max-errors", type=click.IntRange(0), help="Give up when more lines than this are broken (default: never).")
@click.option("--record-link", help="Address of a child's record in your EHR, with {id}; linked from the report.")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True, help="This machine, or Apache Spark.")
@click.option("--master", help="Spark's master, such as spark://host:7077 (default: Spark's own settings, else local[*]).")
@click.option("--quiet", is_flag=True, help="Nothing but errors.")
def screen(source: str, out: str, previous: Path | None, as_of: datetime | None, config_file: Path | None, processes: int,
           max_errors: int | None, record_link: str | None, engine: str, master: str | None, quiet: bool) -> None:
    """Judge a whole cohort: who fits, who nearly fits, and what is missing for each.

    \b
    relapse-cds screen exports/2025-09-01 --out screened/2025-09-01
    relapse-cds screen exports/2025-09-02 --out screened/2025-09-02 --previous screened/2025-09-01

    SOURCE is a folder of Bulk Data NDJSON files (plain or .gz, in any order), a folder of Bundles, or a FHIR base URL.
    Judged is every patient with a diagnosis of acute lymphoblastic leukaemia or of a relative; all others are passed over.

    \b
    assessments.ndjson   one line for each child in scope, as of `assess --format json`
    worklist.csv         one row for each child; also as worklist.parquet
    report.html          the cohort at a glance: one file, nothing is loaded from elsewhere
    summary.json         the counts, and what of the source could not be read
    changes.json         with --previous: newly in scope, newly fitting, no longer fitting, and which fact changed;
                         the report draws it

    Interrupted? Start the same command again: it goes on where it stopped.

    With --engine spark, SOURCE and --out may be any address that Spark reads and writes, such as s3a://bucket/export, and
    assessments.parquet is written as well. It begins anew when interrupted, and leaves --processes to Spark.
    """
    if master and engine != "spark":
        raise click.UsageError("--master is for --engine spark")
    before = os.umask(0o077)  # what is written is about patients: this user's only, until this user says otherwise
    try:
        if engine == "local":
            load_beside(processes)  # before anything that takes time to load here
        gc.disable()  # of what is loaded nothing becomes garbage
        from hooks.screen.run import Asked, run
        from hooks.screen.spark_run import run_on_spark
        from hooks.screen.watching import watched

        gc.enable()
        config = configured(config_file)
        day = as_of.date() if as_of else config.today()
        with watched(quiet) as progress:
            if day > config.today():
                progress.say(f"{day} is still to come: judged is what is known today, as if nothing were added until then.")
            asked = Asked(source, Path(out), previous, day, config, processes, max_errors, record_link)
            if engine == "spark":
                run_on_spark(asked, out, master, progress)
            else:
                run(asked, progress)
            progress.say(f"The results are in {out}: begin with report.html.")
    except KeyboardInterrupt:
        again = "it begins anew" if engine == "spark" else "it goes on where it stopped"
        raise CannotDo(f"interrupted; start the same command again, and {again}") from None
    finally:
        os.umask(before)
