"""Named arrays from a file of weights: .npz, .safetensors or PyTorch's own."""

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

SAFETENSORS = ".safetensors"
# Pickles, which only PyTorch reads safely.
TORCH_SUFFIXES = (".pth", ".pt", ".bin")
SUFFIXES = (".npz", SAFETENSORS, *TORCH_SUFFIXES)


def read_arrays(path: str | Path, sha256: str | None = None) -> dict[str, np.ndarray]:
    """Reads all arrays of a file.

    Args:
      path: a .npz or .safetensors file, or one of PyTorch's (.pth, .pt, .bin), for
        which PyTorch must be installed.
      sha256: the file's checksum in hexadecimal digits, or at least its first eight,
        which end the names of torchvision's files; None checks nothing.

    Returns:
      key -> array.

    Raises:
      ValueError: where the file is absent, has another checksum, is cut short or of
        another kind.
    """
    path = Path(path)
    check_file(path)
    if sha256 is not None:
        _check(path, sha256)
    if path.suffix == SAFETENSORS:
        return _read_safetensors(path)
    if path.suffix in TORCH_SUFFIXES:
        return _read_torch(path)
    return _read_npz(path)


def check_file(path: str | Path) -> None:
    """Raises ValueError where there is no such file."""
    if not Path(path).is_file():
        raise ValueError(
            f"path: no file {str(path)!r}; give a file of weights"
            f" ({', '.join(SUFFIXES)}) or an id on the hub (owner/name)"
        )


def checksum(path: str | Path) -> str:
    """Returns the SHA-256 of a file's content as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(path: Path, sha256: str) -> None:
    if len(sha256) < 8:
        raise ValueError(f"sha256: {sha256!r}; allowed are 8 to 64 hexadecimal digits")
    found = checksum(path)
    if not found.startswith(sha256.lower()):
        raise ValueError(
            f"sha256: {str(path)!r} has {found}, expected {sha256}; the file is"
            " damaged or another one: fetch it again"
        )


def _unreadable(path: Path, kind: str, error: Exception) -> ValueError:
    return ValueError(
        f"path: {str(path)!r} is no readable {kind} file ({error}); it may be cut"
        " short: fetch it again"
    )


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        # Opened here: np.load leaves the file open where it fails.
        with path.open("rb") as file:
            archive = np.load(file)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array, not an archive of named ones")
            return {key: archive[key] for key in archive.files}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        AttributeError,
    ) as error:
        raise _unreadable(path, ".npz", error) from error


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    import safetensors.numpy

    try:
        return safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, SAFETENSORS, error) from error


def _read_torch(path: Path) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError as error:
        raise ValueError(
            f"path: {str(path)!r} is a pickle of PyTorch, which is not installed;"
            " install it (pip install torch), or convert the file where it is:"
            " safetensors.torch.save_file(torch.load(path), 'weights.safetensors')"
        ) from error
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
        for key in ("model", "state_dict"):  # checkpoints hold more than the weights
            if isinstance(loaded.get(key), dict):
                loaded = loaded[key]
        return {key: _as_array(tensor) for key, tensor in loaded.items()}
    except Exception as error:  # unpickling fails in ways PyTorch does not list
        raise _unreadable(path, path.suffix, error) from error


def _as_array(tensor: Any) -> np.ndarray:
    floating = tensor.is_floating_point()
    return (tensor.float() if floating else tensor).numpy()
