"""Images in a folder or .zip archive, each decoded when it is first asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qpm_jax.datasets.file_state import state_of
from qpm_jax.datasets.image_files import crop, decode_image, decode_stored


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where one image lies and what part of it is wanted.

    Attributes:
        name: path inside the container, as errors call the image.
        box: (left, top, right, bottom) in pixels to cut out, clipped to the image;
            None takes the whole image.
    """

    name: str
    box: tuple[int, int, int, int] | None = None


class KeptImages:
    """A sequence of images that decodes each on first use and keeps it while it fits.

    A copy in another process keeps none, or memory would be needed once a process.

    Args:
        count: how many images there are.
        cache_bytes: how much decoded image data to keep, in bytes; once it is full,
            further images are decoded anew each time.
    """

    def __init__(self, count: int, cache_bytes: int) -> None:
        self._count = count
        self._cache: dict[int, np.ndarray] = {}
        self._free_bytes = cache_bytes

    def decode(self, position: int) -> np.ndarray:
        """Reads an image, uint8 [H,W,3] in its own memory; errors name its file."""
        raise NotImplementedError

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns image `index`, read-only uint8 [H,W,3]; errors name its file."""
        # Python's own error ends a for loop over a sequence
        position = range(len(self))[index]
        image = self._cache.get(position)
        if image is None:
            image = self.decode(position)
            image.setflags(write=False)
            # threads may race here: the budget is then missed by an image or two
            if image.nbytes <= self._free_bytes:
                self._free_bytes -= image.nbytes
                self._cache[position] = image
        return image

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_cache": {}, "_free_bytes": 0}


class LazyImages(KeptImages):
    """Images in a folder or .zip archive.

    Args:
        container: a folder or a .zip archive.
        sources: the images in it, in order.
        cache_bytes: see `KeptImages`.
    """

    def __init__(
        self, container: Path, sources: Sequence[ImageSource], cache_bytes: int = 2**31
    ) -> None:
        super().__init__(len(sources), cache_bytes)
        self.container = container
        self.sources = tuple(sources)
        self._read = container_reader(container)

    def decode(self, position: int) -> np.ndarray:
        """Reads an image from the folder or archive and cuts its box out."""
        source = self.sources[position]
        where = f"{self.container}/{source.name}"
        data = self._read(source.name)
        if source.box is None:
            return decode_image(data, where)
        return crop(decode_stored(data, where), source.box, where)

    def files_state(self) -> str:
        """Returns a digest that is another one once a file, the list or a box is."""
        archived = _is_archive(self.container)
        container = self.container.resolve()
        paths = [container / source.name for source in self.sources]
        return state_of([container] if archived else paths, self.sources)

    def __getstate__(self) -> dict[str, Any]:
        # two lists travel ten times as fast as a million objects
        names = [source.name for source in self.sources]
        boxes = [source.box for source in self.sources]
        return super().__getstate__() | {"_read": None, "sources": (names, boxes)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.sources = tuple(map(ImageSource, *state["sources"]))
        # an open archive cannot move to another process
        self._read = container_reader(self.container)


def container_reader(container: Path) -> Callable[[str], bytes]:
    """Returns the function that reads a file of a folder or .zip archive by its name.

    Raises:
        ValueError: from the returned function, where the file cannot be read.
    """
    if not _is_archive(container):
        return lambda name: _read_bytes(lambda: (container / name).read_bytes(), name)
    import zipfile

    archive = zipfile.ZipFile(container)
    return lambda name: _read_bytes(lambda: archive.read(name), name)


def _is_archive(container: Path) -> bool:
    return container.suffix.lower() == ".zip"


def _read_bytes(read: Callable[[], bytes], name: str) -> bytes:
    try:
        return read()
    except (OSError, KeyError) as error:
        raise ValueError(
            f"image {name} cannot be read ({error}), which the data set lists: restore "
            "it, or load the data set again"
        ) from error
