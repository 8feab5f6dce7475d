"""Whose arrays are these? The models a state dict fits best."""

from collections.abc import Mapping

import numpy as np
from jax.typing import ArrayLike

from qpm_jax.models.conversion import shapes_in_file
from qpm_jax.models.namings import IN_FILES, carries_weights, sources_for

_LIKELY = 0.3  # share of a model's keys below which its shapes are not looked at


def fits(arrays: Mapping[str, ArrayLike]) -> dict[str, float]:
    """Returns for each model the share of its backbone's arrays that are there.

    Args:
      arrays: key -> array, as a state dict has them.

    Returns:
      name -> share of matching keys and shapes, best first; models with few matching
      keys are left out.
    """
    shares = {}
    for name, namings in IN_FILES.items():
        sources = sources_for(namings, arrays)
        backbone = [source for source in sources if source.path[1] == "backbone"]
        known = sum(source.key in arrays for source in backbone)
        if known < _LIKELY * len(backbone):
            continue
        shapes = shapes_in_file(name, backbone)
        right = sum(np.shape(arrays[k]) == s for k, s in shapes.items() if k in arrays)
        head = {source.key for source in sources} - set(shapes)
        # A deeper network has all of a shallower one's keys: what is left over counts.
        given = sum(carries_weights(key) for key in arrays if key not in head)
        shares[name] = right / max(len(backbone), given)
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def hint(name: str, arrays: Mapping[str, ArrayLike]) -> str:
    """Returns what to say where arrays do not fit the model `name`.

    Args:
      name: the model that was asked for.
      arrays: what was given.

    Returns:
      "" where `name` is itself the best guess, or nothing is near.
    """
    if "linear.selection" in arrays:
        return (
            "; they are a whole QPM, head included: read them with"
            " qpm_jax.export.from_published"
        )
    shares = fits(arrays)
    best = next(iter(shares), name)
    if best == name or shares[best] <= shares.get(name, 0.0):
        return ""
    near = [f"{other} ({share:.0%})" for other, share in list(shares.items())[:3]]
    return f"; nearest are {', '.join(near)} of the arrays"
