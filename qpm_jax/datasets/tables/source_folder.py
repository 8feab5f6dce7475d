"""Where a table's files lie: the folder given, or the one QPM_JAX_SHARED names."""

import os
from pathlib import Path


def source_folder(root: str | Path | None, name: str) -> Path | None:
    """Returns the folder that holds a data set's files.

    Args:
        root: what the user gave; None or "" takes data/`name` in the folder that the
            environment variable QPM_JAX_SHARED names.
        name: of the data set's own folder.

    Returns:
        The folder, or None where none was given and there is none.

    Raises:
        ValueError: when the folder that was given does not exist.
    """
    if root:
        folder = Path(root).expanduser()
        if not folder.is_dir():
            raise ValueError(f"root is {str(root)!r}; there is no such folder.")
        return folder
    shared = os.environ.get("QPM_JAX_SHARED")
    folder = Path(shared or ".") / "data" / name
    return folder if shared and folder.is_dir() else None


def first_file(folder: Path | None, names: tuple[str, ...], how_to_get: str) -> Path:
    """Returns the first of some files that is in a folder.

    Args:
        folder: where to look; None where no folder is known.
        names: file names, the first choice first.
        how_to_get: a sentence that says where to download what.

    Returns:
        Its path.

    Raises:
        ValueError: when none of them is there; it says what to download.
    """
    if folder is None:
        raise ValueError(f"root is missing. {how_to_get}")
    found = next((path for name in names if (path := folder / name).is_file()), None)
    if found is None:
        raise ValueError(
            f"root is {str(folder)!r}, but it has no {' or '.join(names)}. {how_to_get}"
        )
    return found
