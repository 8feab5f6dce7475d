"""Keys of a configuration by their dotted names, and what to say of wrong ones."""

import ast
import difflib
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ml_collections import ConfigDict

from qpm_jax.nearest_names import did_you_mean


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


def literal(text: str) -> Any:
    """Reads a flag's text as the Python value it spells.

    Args:
      text: What stands behind the key.

    Returns:
      A number, truth value, None, list or tuple where it reads as one; else the text.
      What holds an underscore, such as the folder 2023_01, is no number.
    """
    named = {"true": True, "false": False, "none": None}
    if text.lower() in named:
        return named[text.lower()]
    if "_" in text and text.replace("_", "").isdecimal():
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def with_values(defaults: ConfigDict, values: dict[str, Any]) -> ConfigDict:
    """Puts values in the place of defaults.

    Args:
      defaults: Every key there is.
      values: Nested; keys that are absent keep their default.

    Returns:
      A copy of the defaults with the values.

    Raises:
      ValueError: A key is unknown or its value not of the default's kind: a number may
        stand for a number, a list of them for such a list.
    """
    known = flatten(defaults)
    for name, value in flatten(values).items():
        if name not in known:
            raise ValueError(unknown_key_message(name, known))
        if not _fits(known[name], value):
            example = known[name]
            example = tuple(example) if isinstance(example, list) else example
            raise ValueError(
                f"config.{name} is {value!r}; it takes values like {example!r}."
            )
    config = defaults.copy_and_resolve_references()
    config.update(values)
    return config


def check_among(name: str, values: Iterable[Any], allowed: tuple[str, ...]) -> None:
    """Refuses values that are not allowed, and offers the nearest that are.

    Args:
      name: The dotted key, without "config.".
      values: What came.
      allowed: What may come.

    Raises:
      ValueError: For the first that is not allowed.
    """
    for value in values:
        if value not in allowed:
            raise ValueError(
                f"config.{name} is {value!r}.{did_you_mean(value, allowed)} There are:"
                f" {', '.join(allowed)}."
            )


def _fits(expected: Any, value: Any) -> bool:
    if not isinstance(expected, list):
        return same_kind(expected, value)
    if not isinstance(value, list) or not value:
        return False
    return all(same_kind(expected[0], item) for item in value)
