"""Whether files are still what they were, without reading them."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

_NAMES = ("utf-8", "surrogateescape")  # whatever bytes a file is called


@runtime_checkable
class FileImages(Protocol):
    """Images that lie in files."""

    def files_state(self) -> str | None:
        """Returns a digest that is another one once a file is, None without files."""


def state_of(files: Iterable[str | Path], *facts: Any) -> str:
    """Returns a digest that is another one once any of the files has changed.

    Args:
        files: looked at for their paths, sizes and times of change; some may be absent.
        facts: what else it depends on, each told apart by its `repr`.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(repr(facts).encode(*_NAMES))
    for file in files:
        digest.update(f"\n{file} {_size_and_time(file)}".encode(*_NAMES))
    return digest.hexdigest()


def _size_and_time(file: str | Path) -> str:
    try:
        found = os.stat(file)
    except OSError:
        return "absent"
    return f"{found.st_size} {found.st_mtime_ns}"
