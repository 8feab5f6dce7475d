"""The flag `--seeds`, of the launchers that make several runs."""

import re
from collections.abc import Sequence

from absl import flags

SEEDS = flags.DEFINE_list(
    "seeds", None, "Seeds, such as 0,1,2; default: sweep config.seed, ablation 0,1,2."
)


def chosen(default: Sequence[int]) -> list[int]:
    """Returns the seeds of the command line, or `default` where none are given.

    Raises:
      ValueError: One of them is no whole number from 0 on.
    """
    if SEEDS.value is None:
        return list(default)
    wrong = [text for text in SEEDS.value if not re.fullmatch(r"\d+", text)]
    if wrong:
        raise ValueError(
            f"--seeds has {wrong[0]!r}; seeds are whole numbers from 0 on, such as 0,1."
        )
    return [int(text) for text in SEEDS.value]
