"""What a sweep varies: `num_features=20,30,50` read into keys and values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qpm_jax.config import default
from qpm_jax.config_keys import flatten, literal, unknown_key_message

OPTIONS = "dataset.options."


@dataclass(frozen=True)
class Axis:
    """One direction of a grid.

    Attributes:
      keys: Dotted keys of the configuration that change together, one as a rule.
      values: For each point of the axis the value of each key.
    """

    keys: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]


def parse_axis(text: str) -> Axis:
    """Reads one `--grid`.

    Args:
      text: `KEY=VALUE,VALUE,...`, or `KEY:KEY=VALUE:VALUE,...` for keys that change
        together, such as `num_features:per_class=20:3,50:5`.

    Raises:
      ValueError: It has another form, a key does not exist, or a value is not of the
        key's kind.
    """
    left, equals, right = text.partition("=")
    if not equals or not left or not right:
        raise ValueError(
            f"--grid={text} is no axis; give --grid=KEY=VALUE,VALUE,..., such as "
            "--grid=num_features=20,30,50."
        )
    keys = tuple(left.split(":"))
    known = flatten(default())
    for key in keys:
        check_key(key, known)
    points = [
        # A single key may have values with colons, such as a path.
        tuple(point.split(":")) if len(keys) > 1 else (point,)
        for point in right.split(",")
    ]
    for point in points:
        if len(point) != len(keys):
            raise ValueError(
                f"--grid={text}: {':'.join(point)} has {len(point)} values for "
                f"{len(keys)} keys; give one each, such as {left}="
                f"{':'.join(str(known.get(key, 'VALUE')) for key in keys)}."
            )
    values = tuple(
        tuple(_value(key, part, known) for key, part in zip(keys, point, strict=True))
        for point in points
    )
    return Axis(keys, values)


def check_key(key: str, known: Mapping[str, Any]) -> None:
    """Raises ValueError unless a sweep may vary `key`; names those it may.

    Args:
      key: A dotted key.
      known: Every key there is.
    """
    if key == "seed":
        raise ValueError("--grid does not take the seed; give --seeds=0,1,2.")
    if key not in known and not key.startswith(OPTIONS):
        raise ValueError(unknown_key_message(key, list(known)))


def _value(key: str, text: str, known: Mapping[str, Any]) -> Any:
    """Reads a value as what the key's default is."""
    if key not in known:
        return literal(text)
    expected = known[key]
    if isinstance(expected, str):
        return text
    value = literal(text)
    if isinstance(expected, bool) == isinstance(value, bool):
        if isinstance(value, type(expected)):
            return value
        if isinstance(expected, float) and isinstance(value, int):
            return float(value)
    raise ValueError(
        f"--grid has {key}={text}; it takes {type(expected).__name__}, such as "
        f"{expected!r}."
    )
