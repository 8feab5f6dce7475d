"""Image classifiers that a person can read, in JAX.

The parts are sub-packages, imported on first use: `datasets`, `models`, `losses`,
`statistics`, `assignment`, `solvers`, `regression`, `networks`, `metrics`, `training`,
`phases`, `explain`, `demo`. `load(workdir)` opens a trained run; `QPMClassifier` is the
binary head alone, as a scikit-learn estimator.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

from qpm_jax.version import __version__

if TYPE_CHECKING:
    from qpm_jax.classifier import QPMClassifier
    from qpm_jax.run import Run, load

_SUBPACKAGES = frozenset(
    {
        "assignment",
        "checkpoints",
        "datasets",
        "demo",
        "explain",
        "export",
        "losses",
        "metrics",
        "models",
        "networks",
        "phases",
        "regression",
        "solvers",
        "statistics",
        "training",
    }
)
# Where the names live that are not sub-packages.
_MODULES = {"QPMClassifier": "classifier", "Run": "run", "load": "run"}

__all__ = ["QPMClassifier", "Run", "__version__", "load"]


def __getattr__(name: str) -> ModuleType | Any:
    """Imports what is asked for on first use, so that the import stays light."""
    if name in _SUBPACKAGES:
        return importlib.import_module(f"qpm_jax.{name}")
    if name in _MODULES:
        return getattr(importlib.import_module(f"qpm_jax.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'qpm_jax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_SUBPACKAGES | set(_MODULES) | set(globals()))
