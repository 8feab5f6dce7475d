"""Which values an option of a data set takes, by the annotations of its `load`.

Options of a command line arrive as what they look like: `no` is text, which would
count as true, and a folder called 2023 is a number.
"""

import os
import types
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Sequence: "a list of numbers",
    types.NoneType: "none",
}


def fitted(
    data_set: str, loader: Callable[..., Any], chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the options as the loader takes them.

    Args:
        data_set: what the message calls it.
        loader: the `load` of its module.
        chosen: options it has, by name.

    Returns:
        The options; whole numbers are text again where text is taken.

    Raises:
        ValueError: a value of another kind than the annotation's.
    """
    annotations = get_type_hints(loader)
    return {
        name: _fitted(f"option {name} of data set {data_set!r}", annotations[name], v)
        for name, v in chosen.items()
    }


def _fitted(what: str, annotation: Any, value: Any) -> Any:
    kinds = _kinds(annotation)
    if any(_is_kind(kind, value) for kind in kinds):
        return value
    if str in kinds and _is_kind(int, value):
        return str(value)
    takes = " or ".join(words for kind, words in _WORDS.items() if kind in kinds)
    raise ValueError(f"{what} is {value!r}; it takes {takes}")


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, without their parameters."""
    united = get_origin(annotation) in (Union, types.UnionType)
    members = get_args(annotation) if united else (annotation,)
    return tuple(get_origin(member) or member for member in members)


def _is_kind(kind: Any, value: Any) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is int:
        return isinstance(value, Integral)
    if kind is float:
        return isinstance(value, Real)
    if kind is Sequence:  # text is one too
        return isinstance(value, list | tuple) and all(
            _is_kind(float, v) for v in value
        )
    if kind in (Path, os.PathLike):
        return isinstance(value, os.PathLike)
    return isinstance(value, kind)
