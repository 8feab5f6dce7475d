"""`--config.dataset.options.NAME=VALUE`, whichever options the data set has.

A config file names only the options it changes, so these flags cannot be checked
against it; `datasets.load` knows and checks them.
"""

import ast
from typing import Any

PREFIX = "config.dataset.options."


def split(arguments: list[str]) -> tuple[list[str], dict[str, Any]]:
    """Returns the other arguments, and the options by name.

    Raises:
      ValueError: An option has no value.
    """
    others: list[str] = []
    options: dict[str, Any] = {}
    waiting = iter(arguments)
    for argument in waiting:
        if not (argument.startswith("-") and argument.lstrip("-").startswith(PREFIX)):
            others.append(argument)
            continue
        name, equals, value = argument.lstrip("-").removeprefix(PREFIX).partition("=")
        text = value if equals else next(waiting, None)
        if text is None or not name:
            raise ValueError(f"{argument} has no value; give {argument}=VALUE.")
        options[name] = _value(text)
    return others, options


def _value(text: str) -> Any:
    """A number, truth value, None or tuple where it reads as one; else the text."""
    named = {"true": True, "false": False, "none": None}
    if text.lower() in named:
        return named[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
