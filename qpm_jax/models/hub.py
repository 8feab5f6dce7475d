"""Published weights by their id on the Hugging Face hub, through the hub's own cache.

Needs the package `huggingface_hub` (extra `hub`) unless the file is given by its path.
"""

import re
from pathlib import Path

from qpm_jax.models.weight_files import SUFFIXES, checksum

FILE = "model.safetensors"
_ID = re.compile(r"(?P<repository>\w[\w.-]*/[\w.-]+?)(@(?P<revision>[\w.-]+))?")


def is_hub_id(text: str) -> bool:
    """Whether `text` reads as owner/name or owner/name@revision, not as a file."""
    return _ID.fullmatch(text) is not None and not text.endswith(SUFFIXES)


def fetch(hub_id: str) -> Path:
    """Returns the weights' file in the hub's cache, fetched where it is not there.

    Args:
      hub_id: owner/name, such as "timm/resnet50.tv_in1k", with @revision for another
        state than "main". What is cached is used without asking the hub.

    Raises:
      ValueError: where the package is missing, the hub cannot be reached or has no such
        file (the message says what to put where), or the cached file is damaged.
    """
    found = _ID.fullmatch(hub_id)
    assert found is not None
    repository, revision = found["repository"], found["revision"] or "main"
    try:
        import huggingface_hub
    except ImportError as error:
        raise ValueError(
            f"path_or_hub_id: {hub_id!r} is no file, and to look for it on the hub"
            " huggingface_hub is missing (pip install 'qpm-jax[hub]')."
            f" {_by_hand(repository, revision)}"
        ) from error
    cached = huggingface_hub.try_to_load_from_cache(repository, FILE, revision=revision)
    try:
        path = (
            cached
            if isinstance(cached, str)
            else huggingface_hub.hf_hub_download(repository, FILE, revision=revision)
        )
    except Exception as error:  # the hub's client raises its own, its HTTP library's
        raise ValueError(
            f"path_or_hub_id: {hub_id!r} is no file, and the hub gave none"
            f" ({type(error).__name__}: {error}). {_by_hand(repository, revision)}"
        ) from error
    _check(Path(path))
    return Path(path)


def _by_hand(repository: str, revision: str) -> str:
    return (
        "Without it: download"
        f" https://huggingface.co/{repository}/resolve/{revision}/{FILE}"
        " where there is a network, put the file anywhere and give its path"
        f" (for a run: --config.model.weights=/path/to/{FILE})"
    )


def _check(path: Path) -> None:
    """Compares the file with its checksum, by which the hub's cache names it."""
    expected = path.resolve().name
    if re.fullmatch(r"[0-9a-f]{64}", expected) and checksum(path) != expected:
        raise ValueError(
            f"path_or_hub_id: the cached file {str(path)!r} does not have its checksum"
            f" {expected}; it is damaged: delete {str(path.resolve())!r} and load again"
        )
