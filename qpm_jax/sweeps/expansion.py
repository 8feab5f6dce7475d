"""From one configuration and axes to named runs: a pure function."""

import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_collections import ConfigDict

from qpm_jax.config import default, from_dict
from qpm_jax.config_keys import flatten
from qpm_jax.sweeps.axes import Axis, check_key

_LONGEST_NAME = 180  # file systems take 255 bytes; files beside it have names too


@dataclass(frozen=True)
class Run:
    """One run of a sweep.

    Attributes:
      name: Its folder, such as `num_features=20,per_class=3,seed=0`.
      values: What the axes set, by dotted key.
      seed: Its seed.
      config: Every setting, those included.
    """

    name: str
    values: dict[str, Any]
    seed: int
    config: ConfigDict

    @property
    def cell(self) -> tuple[Any, ...]:
        """The values alone: the same for all seeds of a cell."""
        return tuple(self.values.values())


def expand(
    config: ConfigDict, axes: Sequence[Axis], seeds: Sequence[int]
) -> tuple[Run, ...]:
    """Returns a run for every point of the grid and every seed, seeds fastest.

    Args:
      config: Settings of all runs; the axes and seeds replace theirs.
      axes: Directions of the grid; none is one cell.
      seeds: At least one.

    Raises:
      ValueError: There is no seed, a key does not exist or comes twice, a value is of
        the wrong kind or comes twice.
    """
    if not seeds:
        raise ValueError("seeds is empty; give at least one, such as 0,1,2.")
    _refuse_repeated("--seeds", seeds)
    keys = [key for axis in axes for key in axis.keys]
    _refuse_repeated("--grid keys", keys)
    known = flatten(default())
    for key in keys:
        check_key(key, known)
    for axis in axes:
        _refuse_repeated(f"--grid={':'.join(axis.keys)}", axis.values)
    return tuple(
        make_run(config, dict(zip(keys, itertools.chain(*cell), strict=True)), seed)
        for cell in itertools.product(*(axis.values for axis in axes))
        for seed in seeds
    )


def make_run(config: ConfigDict, values: Mapping[str, Any], seed: int) -> Run:
    """Returns one run: the settings with the values of its cell and its seed.

    Raises:
      ValueError: A value is of the wrong kind.
    """
    nested = config.to_dict()
    for key, value in values.items():
        *sections, leaf = key.split(".")
        place = nested
        for section in sections:
            place = place[section]
        place[leaf] = value
    nested["seed"] = seed
    return Run(run_name(values, seed), dict(values), seed, from_dict(nested))


def run_name(values: Mapping[str, Any], seed: int) -> str:
    """Returns a folder's name that tells a person what the run is.

    Characters that folders or shells take amiss are replaced; a short digest then keeps
    different runs apart.
    """
    parts = [f"{key}={value}" for key, value in {**values, "seed": seed}.items()]
    plain = ",".join(parts)
    name = ",".join(re.sub(r"[^\w.+=-]", "_", part, flags=re.ASCII) for part in parts)
    if name == plain and len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(plain.encode()).hexdigest()[:8]
    return f"{name[:_LONGEST_NAME]}-{digest}"


def _refuse_repeated(flag: str, items: Sequence[Any]) -> None:
    repeated = [item for place, item in enumerate(items) if item in items[:place]]
    if repeated:
        shown = repeated[0]
        text = ":".join(map(str, shown)) if isinstance(shown, tuple) else shown
        raise ValueError(f"{flag} has {text} twice; give everything once.")
