"""The command's screening on Spark: the same results in the same files, on this machine or wherever Spark can write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hooks.command_line import CannotDo
from hooks.screen.found import Found
from hooks.screen.spark_session import SparkFault, spark_session
from hooks.screen.spark_source import ADDRESS
from hooks.screen.spool import whole

if TYPE_CHECKING:
    from hooks.screen.run import Asked
    from hooks.screen.watching import Watcher

TOGETHER = "assessments.parquet"


def run_on_spark(asked: Asked, out: str, master: str | None, watcher: Watcher) -> None:
    """Raise CannotDo when Spark cannot do it. Results for an address are made here first, so that they arrive finished."""
    from hooks.screen.run import run

    try:
        with spark_session(master) as spark, _here(asked.out, out) as folder:
            run(replace(asked, out=folder, spark=spark), watcher)
            if ADDRESS.match(out):
                _send(spark, folder, out)
    except SparkFault as why:
        raise CannotDo(str(why)) from None


def judged_on_spark(asked: Asked, source: str, work: Path, watcher: Watcher, lacking: str = "") -> tuple[Path, Found]:
    """`assessments.ndjson` in a work folder, byte for byte that of the local engine; and the same as Parquet beside the results."""
    from cds.trials import NCT05827549
    from hooks.screen.spark import judged_by_spark

    rows, found = judged_by_spark(asked.spark, source, NCT05827549.id, asked.as_of, asked.config.site_codes, asked.max_errors, watcher, lacking)
    work.mkdir(parents=True, exist_ok=True)
    target = work / "assessments.ndjson"
    with whole(target) as unfinished, open(unfinished, "wb") as file:
        for row in rows.orderBy("bucket", "patient").toLocalIterator():
            file.write(row.assessment.encode() + b"\n")
    rows.unpersist()
    _as_parquet(target, asked.out / TOGETHER)
    return target, found


def _as_parquet(assessments: Path, target: Path) -> None:
    """Not by Spark: the workers of a cluster would write a folder of this machine on their own disks."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hooks.screen.worklist import SCHEMA, row

    def groups() -> Iterator[list[dict[str, Any]]]:
        with open(assessments, encoding="utf-8") as file:
            while lines := file.readlines(GROUP):
                yield [{**row(json.loads(line)), "assessment": line.rstrip("\n")} for line in lines]

    schema = SCHEMA.append(pa.field("assessment", pa.string()))
    with whole(target) as unfinished, pq.ParquetWriter(unfinished, schema, compression="zstd") as table:
        for rows in groups():
            table.write_table(pa.Table.from_pylist(rows, schema=schema))


GROUP = 64 * 1024 * 1024  # characters written at a time


@contextmanager
def _here(folder: Path, out: str) -> Iterator[Path]:
    if not ADDRESS.match(out):
        yield folder
        return
    with TemporaryDirectory(prefix="relapse-cds-") as made:  # of this user only
        yield Path(made)


def _send(spark: Any, folder: Path, out: str) -> None:
    """Every file, the assessments last, as they are published on this machine."""
    from py4j.protocol import Py4JJavaError

    java, settings = spark._jvm, spark._jsc.hadoopConfiguration()
    try:
        target = java.org.apache.hadoop.fs.Path(out)
        system = target.getFileSystem(settings)
        system.mkdirs(target)
        for file in sorted(folder.iterdir(), key=lambda file: file.name == "assessments.ndjson"):
            system.copyFromLocalFile(False, True, java.org.apache.hadoop.fs.Path(f"file://{file}"), java.org.apache.hadoop.fs.Path(target, file.name))
    except Py4JJavaError as error:
        raise SparkFault(f"{out}: Spark cannot write it ({error.java_exception.getClass().getSimpleName()})") from None
