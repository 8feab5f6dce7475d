"""`--config.dataset.options.NAME=VALUE`, whichever options the data set has.

A config file names only the options it changes, so these flags cannot be checked
against it; `datasets.load` knows and checks them.
"""

from typing import Any

from qpm_jax.config_keys import literal

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
        options[name] = literal(text)
    return others, options
