"""Files that are written whole or not at all.

Every writer fills a temporary file beside its target and renames it into place: a run
that is killed, or a disk that is full, leaves the old file or none, never half a file.
"""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """Opens a file that takes the place of `path` once it is written to its end.

    Its folder is made where needed. Whatever ends the block early leaves `path` as it
    was and nothing beside it.

    Raises:
      OSError: The disk is full or the folder cannot be written; `path` is unchanged.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp's 0600 would hide results from a team
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes `content` to `path` in one step; see `replacing`."""
    with replacing(path) as file:
        file.write(content)


def write_text(path: str | Path, text: str) -> None:
    """Writes `text` as UTF-8 in one step; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """Writes `value` as indented JSON in one step; NumPy values become plain ones."""
    write_text(path, json.dumps(value, indent=2, default=_plain) + "\n")


def read_json(path: str | Path) -> Any:
    """Reads a JSON file.

    Raises:
      ValueError: The file is absent, or not JSON, for instance cut short by another
        program.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError as error:
        raise ValueError(_absent(path)) from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is not valid JSON ({error}); delete it and run its phase again."
        ) from error


def write_arrays(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes named arrays as one compressed .npz in one step."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_bytes(path, buffer.getvalue())


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Reads every array of a .npz file.

    Raises:
      ValueError: The file is absent or damaged.
    """
    import zipfile

    try:
        # Opened here, so that a damaged file is closed again.
        with (
            Path(path).open("rb") as file,
            np.load(file, allow_pickle=False) as arrays,
        ):
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError as error:
        raise ValueError(_absent(path)) from error
    except (zipfile.BadZipFile, EOFError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); delete it and run its phase again."
        ) from error


def _absent(path: str | Path) -> str:
    return (
        f"{path} is missing; delete done.json beside it, if it is there, and run its "
        "phase again."
    )


def _plain(value: Any) -> Any:
    """Turns NumPy scalars and arrays into what JSON knows."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
