"""The NDJSON files below any path that Spark can read, and their lines; the same files, and in the same order, as on one machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from hooks.screen.folder import Stray, strays_of, told
from hooks.screen.lines import SUFFIXES, is_ours
from hooks.screen.spark_session import SparkFault

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:/")
"""How a path begins that is Spark's to read or write, such as `s3a://` or `hdfs://`; any other is one of this machine."""


class SourceFile(NamedTuple):
    """A file by its path below the source, its path in its file system, and its size."""

    name: PurePosixPath
    path: str
    bytes: int


def files_below(spark: SparkSession, source: str) -> tuple[list[SourceFile], list[Stray]]:
    """And what is not read. Raise SparkFault when there are none, or when Spark would silently pass over one of them."""
    found = list(_all_files(spark, source))
    files, strays = sorted(file for file in found if is_ours(file.name)), list(strays_of(file.name for file in found))
    if not files:
        beside = f"; {told(strays, len(strays))}" if strays else ""
        raise SparkFault(f"{source}: holds no NDJSON files (.ndjson, .ndjson.gz){beside}")
    read = {path_of(address) for address in _text(spark, source).inputFiles()}
    for file in files:
        if file.path not in read:
            # It hides names that begin with an underscore, and knows endings in small letters only.
            raise SparkFault(f"{source}: Spark passes over {file.name}; give it, and its folder, a name without a leading _ and in small letters")
    return files, strays


def lines_below(spark: SparkSession, source: str) -> DataFrame:
    """Every line as bytes, with its file and where in the file the part begins that one task reads."""
    return _text(spark, source).selectExpr("cast(value as binary)", "_metadata.file_path", "_metadata.file_block_start")


def path_of(address: str) -> str:
    """Spark spells the address of one file in several ways; the path in it is always the same."""
    return unquote(urlsplit(address).path)


def _text(spark: SparkSession, source: str) -> DataFrame:
    literal = re.sub(r"([\[\]{}*?\\])", r"\\\1", source)
    # Only "\n" ends a line, as in NDJSON: by default a carriage return inside one would as well.
    return spark.read.text(literal, lineSep="\n", recursiveFileLookup=True, pathGlobFilter=f"*{{{','.join(SUFFIXES)}}}")


def _all_files(spark: SparkSession, source: str) -> Iterator[SourceFile]:
    from py4j.protocol import Py4JJavaError

    java, settings = spark._jvm, spark._jsc.hadoopConfiguration()
    try:
        root = java.org.apache.hadoop.fs.Path(source)
        system = root.getFileSystem(settings)
        above = system.makeQualified(root).toUri().getPath()
        found = system.listFiles(root, True)
        while found.hasNext():
            file = found.next()
            path = file.getPath().toUri().getPath()
            yield SourceFile(PurePosixPath(path).relative_to(above), path, file.getLen())
    except Py4JJavaError as error:
        raise SparkFault(f"{source}: Spark cannot list it ({error.java_exception.getClass().getSimpleName()})") from None
