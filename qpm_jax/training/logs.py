"""The log of a run: one JSON record a line, TensorBoard files where it is installed.

`log.jsonl` in the work directory is the truth; the event files lie beside it.
Of several hosts the first one writes.
A resumed phase first drops the records behind its checkpoint, so no step stands twice.
"""

import importlib.util
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qpm_jax import files
from qpm_jax.distributed import by_first, is_first

logger = logging.getLogger(__name__)

Record = dict[str, Any]


class Log:
    """Appends records to `log.jsonl` and, if there is one, to a TensorBoard writer."""

    def __init__(self, path: Path, tensorboard: Any | None, started: float) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._started = started
        self._tensorboard = tensorboard

    def write(self, phase: str, step: int, **figures: float | int | str) -> None:
        """Writes one record and hands it to the operating system at once."""
        seconds = round(time.monotonic() - self._started, 2)
        clock = {"seconds": seconds, "time": time.time()}
        record = {"phase": phase, "step": step, **figures, **clock}
        self._file.write(json.dumps(record, default=float) + "\n")
        self._file.flush()
        if self._tensorboard is not None:
            _write_event(self._tensorboard, phase, step, figures)

    def close(self) -> None:
        """Closes both files."""
        self._file.close()
        if self._tensorboard is not None:
            self._tensorboard.close()


@contextmanager
def open_log(workdir: str | Path, started: float | None = None) -> Iterator[Log]:
    """Opens the log of a work directory for appending.

    Args:
      workdir: Where the run lies.
      started: `time.monotonic()` at which its work began, moved back by what earlier
        parts took; None is now.
    """
    started = time.monotonic() if started is None else started
    workdir = Path(workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    first = is_first()
    log = Log(
        workdir / "log.jsonl" if first else Path(os.devnull),
        _tensorboard_writer(workdir / "tensorboard") if first else None,
        started,
    )
    try:
        yield log
    finally:
        log.close()


def read(workdir: str | Path) -> list[Record]:
    """Returns every complete record; a last line cut short by a kill is left out."""
    path = Path(workdir) / "log.jsonl"
    if not path.exists():
        return []
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            logger.warning("%s: line %d is cut short and left out.", path, number)
    return records


def seconds_spent(workdir: str | Path, phase: str) -> float:
    """Returns the seconds a phase had worked at its last record, in all its parts."""
    spent = [r.get("seconds", 0.0) for r in read(workdir) if r.get("phase") == phase]
    return spent[-1] if spent else 0.0


@by_first
def forget_after(workdir: str | Path, phase: str, step: int) -> None:
    """Drops the records of `phase` behind `step`, those a resumed run writes again."""
    path = Path(workdir) / "log.jsonl"
    if not path.exists():
        return
    kept = [r for r in read(workdir) if r.get("phase") != phase or r["step"] <= step]
    files.write_text(path, "".join(json.dumps(r) + "\n" for r in kept))


def _tensorboard_writer(folder: Path) -> Any | None:
    """Returns an event file writer, or None where tensorboard is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    return EventFileWriter(str(folder))


def _write_event(writer: Any, phase: str, step: int, figures: Record) -> None:
    """Writes the numbers of one record as TensorBoard scalars."""
    from tensorboard.compat.proto import event_pb2, summary_pb2

    # Generated at import, so a type checker cannot see what these modules hold.
    make_event: Any = event_pb2
    make_summary: Any = summary_pb2
    values = [
        make_summary.Summary.Value(tag=f"{phase}/{name}", simple_value=float(value))
        for name, value in figures.items()
        if isinstance(value, int | float)
    ]
    summary = make_summary.Summary(value=values)
    event = make_event.Event(wall_time=time.time(), step=step, summary=summary)
    writer.add_event(event)
