"""A cohort screened on Apache Spark: the passes of the local engine, with its own functions, over any path Spark can read.

The ids of the children in scope are held by every worker, as every process of the local engine does; their records are
spread by child and sorted, so that a worker holds one child at a time.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_mappings.site_codes import site_codes_text
from hooks.screen import folder, spark_tasks
from hooks.screen.cohort import Progress
from hooks.screen.found import ENDS_EARLY, Found, Remarks, TooManyErrors, add_remarks, added_up, refuse_too_many
from hooks.screen.remarks import Told
from hooks.screen.spark_session import spark_session
from hooks.screen.spark_source import SourceFile, files_below, lines_below
from hooks.screen.worklist import COLUMNS, COUNTS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HITS = "patient string, stage int, file int, part long, place long, line binary"
IN_ORDER = ("patient", "stage", "file", "part", "place")
JUDGED = ", ".join([
    "bucket int", "assessment string", "site string", "remarks string",
    *(f"{name} {'boolean' if name == 'modifiable' else 'int' if name in COUNTS else 'string'}" for name in COLUMNS),
])  # fmt: skip


def screen_with_spark(source: str, out: str | Path, trial: str, as_of: date, *, master: str | None = None,
                      session: SparkSession | None = None, site_codes: Path | None = None) -> Found:
    """For programs: judge the cohort into `assessments.parquet` below `out`, which Spark writes; raise SparkFault if it cannot.

    One row for each child: the columns of the work list, and `assessment`, the JSON of `assess --format json`.
    """
    with spark_session(master, session) as spark:
        rows, found = judged_by_spark(spark, source, trial, as_of, site_codes)
        rows.drop("bucket", "site", "remarks").write.mode("overwrite").parquet(f"{str(out).rstrip('/')}/assessments.parquet")
        rows.unpersist()
    return found


def judged_by_spark(spark: SparkSession, source: str, trial: str, as_of: date, site_codes: Path | None = None,
                    max_errors: int | None = None, progress: Progress | None = None, lacking: str = "") -> tuple[DataFrame, Found]:
    """All children as rows of JUDGED in no order, kept by Spark until `unpersist`."""
    codes = site_codes_text(site_codes) if site_codes else ""
    files, strays = files_below(spark, source)
    lacking = lacking or folder.lacking(strays, [file.name for file in files])
    _say(progress, "Looking for leukaemia")
    numbers = {file.path: number for number, file in enumerate(files)}
    lines = lines_below(spark, source).rdd
    seen = lines.mapPartitions(partial(spark_tasks.look, site_codes=codes)).collect()
    seen.sort(key=lambda one: (numbers[one[0]], one[1]))
    read = Counter[str]()
    for path, _, what in seen:
        read[path] += what.bytes
    for path, _, what in seen:  # Spark's lines come without their line breaks: where a file has one byte less, it does not end in one
        what.open = files[numbers[path]].bytes == read[path] - 1
    found, patients = added_up((files[numbers[path]].name.as_posix(), what) for path, _, what in seen)
    found.files, found.bytes, found.children = len(files), sum(file.bytes for file in files), len(patients)
    found.files_not_read, found.not_read = len(strays), [stray._asdict() for stray in strays[: folder.NAMED]]
    refuse_too_many(found, max_errors)
    found.lacking = lacking
    lacking = lacking or (ENDS_EARLY if found.cut_off else "")
    hits, kept = _hits(spark, lines, patients, numbers, progress)
    _say(progress, "Judging")
    judge = partial(spark_tasks.judged, trial=trial, as_of=as_of, site_codes=codes, lacking=lacking)
    by_child = hits.repartition("patient").sortWithinPartitions(*IN_ORDER)
    rows = spark.createDataFrame(by_child.rdd.mapPartitions(judge), JUDGED, verifySchema=False).persist()
    noted = rows.where("site != '' or remarks != ''").select("patient", "site", "remarks").collect()  # now, while the hits are kept
    kept.unpersist()
    found.sites = {row.patient.removeprefix("Patient/"): row.site for row in noted if row.site}
    pieces = {(path, part): number for number, (path, part, _) in enumerate(seen)}
    remarks = _located(spark, lines, [row.remarks for row in noted if row.remarks], files, pieces, progress)
    add_remarks(found, [(files[numbers[path]].name.as_posix(), what.lines) for path, _, what in seen], remarks)
    try:
        refuse_too_many(found, max_errors)
    except TooManyErrors:
        rows.unpersist()
        raise
    return rows, found


def _located(spark: SparkSession, lines: Any, remarks: Iterable[str], files: list[SourceFile], pieces: Mapping[tuple[str, int], int],
             progress: Progress | None) -> Remarks:
    """Of single lines: the number of the piece, of the line in it, and what is told."""
    wanted: dict[tuple[str, int], dict[str, Told]] = defaultdict(dict)
    for of_child in remarks:
        for file, part, digest, *words in json.loads(of_child):
            wanted[files[file].path, part][digest] = Told(*words)
    found: dict[int, list[tuple[int, Told]]] = defaultdict(list)
    if wanted:
        _say(progress, "Locating lines")
        locate = partial(spark_tasks.locate, wanted=spark.sparkContext.broadcast(dict(wanted)))
        for path, part, line, told in lines.mapPartitions(locate).collect():
            found[pieces[path, part]].append((line, told))
    return found


def _hits(spark: SparkSession, lines: Any, patients: set[str], numbers: dict[str, int], progress: Progress | None) -> tuple[DataFrame, DataFrame]:
    """The lines about each child, and at least one row for every child, who may have no line at all; and what Spark keeps of them."""
    context = spark.sparkContext
    everyone = spark.createDataFrame([(patient, 0, 0, 0, 0, None) for patient in sorted(patients)], HITS)
    if not patients:
        return everyone, everyone
    _say(progress, "Collecting their records")
    number = context.broadcast(numbers)
    wanted = context.broadcast(frozenset(patient.encode() for patient in patients))
    about = lines.mapPartitions(partial(spark_tasks.about, wanted=wanted, numbers=number))
    hits = everyone.union(spark.createDataFrame(about, HITS, verifySchema=False)).persist()
    whose: dict[bytes, set[str]] = defaultdict(set)
    for id, patient in hits.rdd.mapPartitions(spark_tasks.named).collect():
        whose[id].add(patient)
    if not whose:
        return hits, hits
    _say(progress, "Following references")
    named = context.broadcast({id: tuple(sorted(of)) for id, of in whose.items()})
    more = lines.mapPartitions(partial(spark_tasks.with_id, wanted=named, numbers=number))
    return hits.union(spark.createDataFrame(more, HITS, verifySchema=False)), hits


def _say(progress: Progress | None, words: str) -> None:
    if progress:
        progress.stage(words, 1)
