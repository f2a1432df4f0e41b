"""A Spark session to work in: one that is there already, one on a cluster, or one on this machine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOG_SETTINGS = Path(__file__).with_name("spark_log4j2.properties")
_UNREAD = re.compile(r"reading file (\S+?)\.?\s")
_ALONE = {
    "spark.ui.enabled": "false",  # its pages show paths and need no login
    "spark.ui.showConsoleProgress": "false",  # we show our own
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",  # nothing to reach from other machines
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={LOG_SETTINGS}",  # by default it warns of every start
}


class SparkFault(Exception):
    """Why Spark cannot do it, in one sentence."""


@contextmanager
def spark_session(master: str | None = None, session: SparkSession | None = None) -> Iterator[SparkSession]:
    """What is found running is left running; what is started here is stopped at the end.

    Without a master it is that of `spark-submit` or of Spark's own settings, and `local[*]` where these name none.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkFault("Spark is not installed: pip install 'pyspark>=4,<5'") from None
    if running := session or SparkSession.getActiveSession():
        with _told():
            yield running
        return
    if not _java():
        raise SparkFault("Spark needs Java, which is not installed: install Java 17 or later, or set JAVA_HOME")
    started = _started(SparkSession.builder.appName("relapse-cds screen"), master)
    try:
        with _told():
            yield started
    finally:
        started.stop()


def _started(builder: SparkSession.Builder, master: str | None) -> SparkSession:
    if master:
        builder = builder.master(master)
    if (master or "local").startswith("local") and "PYSPARK_GATEWAY_PORT" not in os.environ:  # else spark-submit has decided
        # Spark would take the first `python3` of the PATH, in which none of this need be installed.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        for name, value in _ALONE.items():
            builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # whatever a cluster may answer
        raise SparkFault(f"Spark does not start ({type(error).__name__}): look at the master {master or 'of its settings'}") from error


def _java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return bool(shutil.which(str(Path(home, "bin", "java")) if home else "java"))


@contextmanager
def _told() -> Iterator[None]:
    """A file that cannot be read ends the whole run on Spark; it is told by its name."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        if named := _UNREAD.search(str(error)):
            raise SparkFault(f"{unquote(named[1])}: cannot be read to its end, so nothing was judged") from None
        raise
