"""Where what was computed from a data set is kept between runs."""

import os
import tempfile
from pathlib import Path


def cache_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """Returns the folder of kept files; it need not exist.

    Args:
        folder: None takes the environment variable QPM_JAX_CACHE, or else
            ~/.cache/qpm_jax.
    """
    chosen = folder or os.environ.get("QPM_JAX_CACHE") or _home_cache()
    return Path(chosen).expanduser()


def _home_cache() -> Path:
    try:
        return Path.home() / ".cache" / "qpm_jax"
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir()) / "qpm_jax"
