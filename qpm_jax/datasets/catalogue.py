"""Every data set by its name: `names()` and `load(name, **options)`."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from qpm_jax.datasets.dataset import Dataset
from qpm_jax.datasets.option_kinds import fitted
from qpm_jax.nearest_names import did_you_mean

# name: the module whose `load` reads it (imported when asked for), preset options
_ENTRIES: dict[str, tuple[str, Mapping[str, Any]]] = {
    "birds": ("qpm_jax.datasets.birds", {}),
    "cub": ("qpm_jax.datasets.cub", {}),
    "cub50": ("qpm_jax.datasets.cub", {"classes": 50}),
    "digits": ("qpm_jax.datasets.digits", {}),
    "fgvc_aircraft": ("qpm_jax.datasets.fgvc_aircraft", {}),
    "folder": ("qpm_jax.datasets.image_folder", {}),
    "imagenet": ("qpm_jax.datasets.imagenet", {}),
    "stanford_cars": ("qpm_jax.datasets.stanford_cars", {}),
    "traveling_birds": ("qpm_jax.datasets.traveling_birds", {}),
}

# What tensorflow-datasets calls some of them.
_ELSEWHERE = {
    "caltech_birds2011": "cub",
    "cars196": "stanford_cars",
    "imagenet2012": "imagenet",
}


def names() -> tuple[str, ...]:
    """Returns the names that `load` knows, in alphabetical order."""
    return tuple(sorted(_ENTRIES))


def options(name: str) -> Mapping[str, Any]:
    """Returns the options `load(name)` takes with their defaults.

    An option without a default has `inspect.Parameter.empty`.

    Raises:
        ValueError: an unknown name.
    """
    loader, presets = _entry(name)
    parameters = inspect.signature(loader).parameters.values()
    defaults = {p.name: presets.get(p.name, p.default) for p in parameters}
    return MappingProxyType(defaults)


def load(name: str, **chosen: Any) -> Dataset:
    """Loads a data set.

    Args:
        name: one of `names()`.
        **chosen: options of that data set, see `options(name)` and the `load` of its
            module.

    Returns:
        The data set.

    Raises:
        ValueError: an unknown name (the nearest are named), an unknown or a missing
            option (the allowed ones are named), a value of another kind than the
            option's, or what the data set itself refuses.
    """
    loader, presets = _entry(name)
    allowed = options(name)
    unknown = sorted(set(chosen) - set(allowed))
    if unknown:
        raise ValueError(
            f"data set {name!r} has no option {', '.join(unknown)}; allowed: "
            f"{', '.join(allowed)}"
        )
    required = [o for o, v in allowed.items() if v is inspect.Parameter.empty]
    missing = [option for option in required if option not in chosen]
    if missing:
        raise ValueError(
            f"data set {name!r} needs the option {', '.join(missing)}; give "
            f"load({name!r}, {missing[0]}=...), or on the command line "
            f"--config.dataset.options.{missing[0]}=..."
        )
    dataset = loader(**{**presets, **fitted(name, loader, chosen)})
    return replace(dataset, name=name)  # several names may share a loader


def _entry(name: str) -> tuple[Callable[..., Dataset], Mapping[str, Any]]:
    if name not in _ENTRIES:
        hint = did_you_mean(name, names())
        if name in _ELSEWHERE:
            hint = f" It is called {_ELSEWHERE[name]} here."
        raise ValueError(
            f"unknown data set {name!r}.{hint} There are: {', '.join(names())}"
        )
    module, presets = _ENTRIES[name]
    return importlib.import_module(module).load, presets
