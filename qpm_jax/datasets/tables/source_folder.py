"""Where a table's files lie: the folder given, or one in the shared folder."""

from pathlib import Path

from qpm_jax.datasets.shared_folder import shared_folder


def source_folder(root: str | Path | None, name: str) -> Path | None:
    """Returns the folder that holds a data set's files.

    Args:
        root: what the user gave; None or "" takes data/`name` in the folder that the
            environment variable QPM_JAX_SHARED names (default: ../shared).
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
    folder = shared_folder() / "data" / name
    return folder if folder.is_dir() else None


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
