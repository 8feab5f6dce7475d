"""Keys of a configuration by their dotted names, and what to say of wrong ones."""

import difflib
from collections.abc import Collection, Iterator
from typing import Any

from ml_collections import ConfigDict


def flatten(config: ConfigDict | dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns every leaf by its dotted name, such as `dense.epochs`."""
    return dict(_leaves(config, prefix))


def _leaves(
    config: ConfigDict | dict[str, Any], prefix: str
) -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, ConfigDict | dict):
            yield from _leaves(value, f"{name}.")
        else:
            yield name, list(value) if isinstance(value, tuple) else value


def unknown_key_message(name: str, known: Collection[str]) -> str:
    """Says that a key does not exist and offers the nearest that do.

    Args:
      name: The dotted key that came, without "config.".
      known: All keys.
    """
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    last = name.rsplit(".", 1)[-1]
    near += [key for key in known if key.rsplit(".", 1)[-1] == last and key not in near]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"config.{name} does not exist.{hint} All keys: {', '.join(known)}."


def same_kind(expected: Any, value: Any) -> bool:
    """Whether a value may stand where the default stands: an int may be a float."""
    if isinstance(expected, bool) or isinstance(value, bool):
        return isinstance(expected, bool) and isinstance(value, bool)
    if isinstance(expected, float):
        return isinstance(value, int | float)
    return isinstance(value, type(expected))
