"""Whether the photos that a set's lists name are there."""

from collections.abc import Sequence
from pathlib import Path


def check_listed(
    folder: Path, paths: Sequence[str], listed_by: str, source: str
) -> None:
    """Raises ValueError where a photo of the lists is missing; the first is named.

    Args:
        folder: what the paths are below.
        paths: the photos looked for.
        listed_by: what names them, for the error.
        source: what to unpack again, for the error.
    """
    missing = [path for path in paths if not (folder / path).is_file()]
    if missing:
        raise ValueError(
            f"{folder} lacks {len(missing)} of the {len(paths)} photos that "
            f"{listed_by} names, such as {missing[0]}; unpack {source} again"
        )
