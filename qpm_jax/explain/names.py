"""Names a person gives to features, kept in `explain/names.json` of a work directory.

The file is one JSON object, a feature's channel in the backbone to its name, such as
`{"17": "striped wing"}`. Edit it by hand or with `write_feature_names`; whatever shows
a feature shows its name from then on.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Int

from qpm_jax import files

LONGEST_NAME = 40
# A prediction as CSV writes its features as `name=value;name=value`.
_SEPARATORS = ";="


def feature_names(workdir: str | Path) -> dict[int, str]:
    """Returns the names that were given, by channel of the backbone.

    Args:
        workdir: a run whose features have been chosen.

    Returns:
        Channel to name, sorted; {} where no names were given.

    Raises:
        ValueError: the file is no JSON object of channels and names, names a feature
            the run does not use, or holds an empty, too long or repeated name.
    """
    path = names_path(workdir)
    if not path.exists():
        return {}
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON ({error}); mend it.") from error
    return _checked(names, _channels(workdir), str(path))


def write_feature_names(workdir: str | Path, names: Mapping[int, str]) -> None:
    """Replaces all names of a run's features.

    Args:
        workdir: a run whose features have been chosen.
        names: channel of the backbone to name; {} takes all names away.

    Raises:
        ValueError: as `feature_names`; nothing is written then.
    """
    checked = _checked(names, _channels(workdir), "names")
    files.write_json(names_path(workdir), {str(k): v for k, v in checked.items()})


def feature_labels(
    channels: Sequence[int] | Int[ArrayLike, " n"], names: Mapping[int, str]
) -> tuple[str, ...]:
    """Returns what to call each feature: its name, or such as `feature 17`."""
    return tuple(
        names.get(channel, f"feature {channel}")
        for channel in np.asarray(channels).tolist()
    )


def names_path(workdir: str | Path) -> Path:
    """Returns where a run's names lie."""
    return Path(workdir) / "explain" / "names.json"


def _channels(workdir: str | Path) -> list[int]:
    # Here, because the phases import this package.
    from qpm_jax.phases.assign import read_assignment

    return read_assignment(Path(workdir).absolute())[0].tolist()


def _checked(names: object, channels: list[int], where: str) -> dict[int, str]:
    if not isinstance(names, Mapping):
        raise ValueError(
            f'{where} holds a {type(names).__name__}; give {{"channel": "name", ...}}'
        )
    checked: dict[int, str] = {}
    for key, name in names.items():
        channel = _channel(key, channels, where)
        checked[channel] = _name(name, channel, where)
    _refuse_repetitions(checked, channels, where)
    return dict(sorted(checked.items()))


def _channel(key: object, channels: list[int], where: str) -> int:
    text = str(key).strip()
    if not text.isdecimal() or int(text) not in channels:
        raise ValueError(
            f"{where} names feature {key}, which this run does not use; its features "
            f"are {', '.join(map(str, channels))}. Change or remove that entry."
        )
    return int(text)


def _name(name: object, channel: int, where: str) -> str:
    # A name that is not printable would break lines and tables.
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ValueError(
            f"{where} calls feature {channel} {name!r}; give a name of 1 to "
            f"{LONGEST_NAME} printable characters on one line, or remove that entry."
        )
    if set(name) & set(_SEPARATORS):
        raise ValueError(
            f"{where} calls feature {channel} {name!r}; give a name without "
            f"{' and '.join(_SEPARATORS)}, which separate names in tables."
        )
    if len(name.strip()) > LONGEST_NAME:
        raise ValueError(
            f"{where} calls feature {channel} {name!r}, {len(name.strip())} characters "
            f"long; give at most {LONGEST_NAME}."
        )
    return name.strip()


def _refuse_repetitions(names: dict[int, str], channels: list[int], where: str) -> None:
    """Raises where two features would be called the same, given or by number."""
    seen: dict[str, int] = {}
    for channel, label in zip(channels, feature_labels(channels, names), strict=True):
        if label in seen:
            raise ValueError(
                f"{where} calls both feature {seen[label]} and feature {channel} "
                f"{label!r}; give each its own name."
            )
        seen[label] = channel
