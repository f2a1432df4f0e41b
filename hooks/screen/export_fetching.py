"""All files of an export that is done: a few at a time, each noted when it is here."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from hooks.screen.export_files import Download, Expired, Interrupted, Tags
from hooks.screen.export_manifest import Manifest
from hooks.screen.export_patience import Sleep
from hooks.screen.export_state import ExportState, StateFile
from hooks.screen.export_status import finished
from hooks.screen.export_wire import ExportWire
from hooks.screen.progress import Progress, Told


def fetched(wire: ExportWire, state: ExportState, state_file: StateFile, told: Told, sleep: Sleep | None, at_once: int) -> None:
    """Signed addresses expire, perhaps before all files are here: then the list is asked for again, as long as that helps."""
    while True:
        before = len(state.done)
        manifest = finished(wire, state.status_url, told, sleep or time.sleep)
        state_file.change(state, transaction_time=manifest.transaction_time)
        try:
            _download(wire, manifest, state, state_file, told, sleep, at_once)
            state_file.change(state, complete=True)
            return
        except Expired:
            if len(state.done) == before:
                raise
            told("the addresses of the exported files are no longer good; asked for again")


def _download(wire: ExportWire, manifest: Manifest, state: ExportState, state_file: StateFile, told: Told, sleep: Sleep | None, at_once: int) -> None:
    stop, telling, came = threading.Event(), threading.Lock(), [0]
    files = manifest.by_key()

    def tell(more: int) -> None:
        with telling:
            came[0] += more
            told(Progress("files", len(state.done), len(files), came[0]))

    names = {key: state.name(key, file.kind, file.type) for key, file in files.items()}
    download = Download(wire, stop, sleep or stop.wait, tell)  # a pause ends when somebody gives up

    def one(key: str) -> None:
        tags = Tags(lambda: state.tags.get(key, ""), lambda tag: state_file.tagged(state, key, tag))
        lacks = download.file(files[key], state_file.path.parent / names[key], tags)
        state_file.done(state, key, lacks)
        tell(0)

    pool = ThreadPoolExecutor(at_once, thread_name_prefix="export")
    try:
        running = [pool.submit(one, key) for key in files if key not in state.done]
        done, _ = wait(running, return_when=FIRST_EXCEPTION)
        failed = [error for future in done if (error := future.exception()) and not isinstance(error, Interrupted)]
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)  # at worst until the slowest of them notices that nothing comes
    if failed:
        raise failed[0]
