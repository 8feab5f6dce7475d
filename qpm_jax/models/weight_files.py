"""Named arrays from a file of weights: .npz, .safetensors or PyTorch's own."""

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

SAFETENSORS = ".safetensors"
# Pickles, which only PyTorch reads safely.
TORCH_SUFFIXES = (".pth", ".pt", ".bin", ".ckpt", ".pth.tar")
SUFFIXES = (".npz", SAFETENSORS, *TORCH_SUFFIXES)
# Where checkpoints hold the weights among other things.
_PLACES = ("model", "state_dict", "model_state_dict")
# What PyTorch's wrappers (DataParallel, compile) put before every name.
_WRAPPERS = ("module.", "_orig_mod.")


def read_arrays(path: str | Path, sha256: str | None = None) -> dict[str, np.ndarray]:
    """Reads all arrays of a file.

    Args:
      path: a .npz or .safetensors file, or one of PyTorch's (`TORCH_SUFFIXES`), for
        which PyTorch must be installed; of a checkpoint the weights alone.
      sha256: the file's checksum in hexadecimal digits, or at least its first eight,
        which end the names of torchvision's files; None checks nothing.

    Returns:
      key -> array, without what a wrapper put before every name.

    Raises:
      ValueError: where the file is absent, has another checksum, is cut short or of
        another kind.
    """
    path = Path(path).expanduser()
    check_file(path)
    if sha256 is not None:
        _check(path, sha256)
    if path.name.endswith(TORCH_SUFFIXES):
        return _unwrapped(_read_torch(path))
    read = _read_safetensors if path.suffix == SAFETENSORS else _read_npz
    return _unwrapped(read(path))


def check_file(path: str | Path) -> None:
    """Raises ValueError where there is no such file, or its kind is not read."""
    if not Path(path).expanduser().is_file():
        raise ValueError(
            f"path: no file {str(path)!r}; give a file of weights"
            f" ({', '.join(SUFFIXES)}) or an id on the hub (owner/name)"
        )
    if not str(path).endswith(SUFFIXES):
        raise ValueError(
            f"path: {str(path)!r} is of a kind that is not read; its name must end in"
            f" one of {', '.join(SUFFIXES)}"
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
    except Exception as error:  # unpickling fails in ways PyTorch does not list
        raise _unreadable(path, path.suffix, error) from error
    for place in _PLACES:
        if isinstance(loaded, dict) and isinstance(loaded.get(place), dict):
            loaded = loaded[place]
    tensors = loaded if isinstance(loaded, dict) else {}
    others = [key for key, value in tensors.items() if not torch.is_tensor(value)]
    if others or not tensors:
        found = f"entries {others[:5]}" if others else f"a {type(loaded).__name__}"
        raise ValueError(
            f"path: {str(path)!r} is no state dict, nor has it one under"
            f" {', '.join(_PLACES)}: it holds {found} that are no tensors; save the"
            " state dict alone, torch.save(model.state_dict(), path)"
        )
    return {key: _as_array(tensor) for key, tensor in tensors.items()}


def _unwrapped(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    for prefix in _WRAPPERS * 2:  # in either order
        if all(key.startswith(prefix) for key in arrays):
            arrays = {key.removeprefix(prefix): a for key, a in arrays.items()}
    return arrays


def _as_array(tensor: Any) -> np.ndarray:
    floating = tensor.is_floating_point()
    return (tensor.float() if floating else tensor).numpy()
