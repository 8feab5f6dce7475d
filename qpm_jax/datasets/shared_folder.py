"""Where data sets and weights lie that no one has named a folder for."""

import os
from pathlib import Path


def shared_folder() -> Path:
    """Returns the folder that QPM_JAX_SHARED names, else ../shared; it may be absent.

    Data sets are in its data/, under their own names.
    """
    return Path(os.environ.get("QPM_JAX_SHARED") or "../shared")
