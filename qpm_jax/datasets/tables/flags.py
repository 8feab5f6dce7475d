"""Flags of nations and their religion: 178 flags, 43 features, five classes.

The data of PMLB's `flags`: UCI's flag.data, restricted to the five largest religions,
without name, landmass, zone, area, population and language, and with the three colour
columns one-hot. Either file gives the same table.

Seven of the 43 columns count things. How arXiv 2112.00434 made them binary is not
published; here a count is 1 iff it is above the column's median over all 178 flags. For
all but the number of colours, whose median is 3, that is "any at all".
`load_counts` keeps the whole numbers.
"""

import csv
import gzip
import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from qpm_jax.datasets.tables.source_folder import first_file, source_folder
from qpm_jax.datasets.tables.table import Table


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# religions of UCI's coding that are kept
_RELIGIONS = {
    0: "Catholic",
    1: "other Christian",
    2: "Muslim",
    5: "ethnic",
    6: "Marxist",
}
_COLUMNS = _words(
    "bars stripes colors red green blue gold white black orange circles crosses"
    " saltires quarters sunstars crescent triangle icon animate text"
)
_COUNTS = ("bars", "stripes", "colors", "circles", "crosses", "quarters", "sunstars")
_COLOURS = {
    "mainhue": _words("green red blue gold white orange black brown"),
    "topleft": _words("black red green blue white orange gold"),
    "botright": _words("green red white black blue gold orange brown"),
}
FEATURES = (
    *_COLUMNS,
    *(f"{place}_{colour}" for place in _COLOURS for colour in _COLOURS[place]),
)
# columns of UCI's flag.data, in its order
_UCI = _words(
    "name landmass zone area population language religion bars stripes colors red"
    " green blue gold white black orange mainhue circles crosses saltires quarters"
    " sunstars crescent triangle icon animate text topleft botright"
)
_PMLB_FILES = ("flags.tsv", "flags.tsv.gz")
_UCI_FILES = ("flag.data", "uci_flag.data")
_HOW_TO_GET = (
    "Download"
    " https://github.com/EpistasisLab/pmlb/raw/master/datasets/flags/flags.tsv.gz or"
    " https://archive.ics.uci.edu/ml/machine-learning-databases/flags/flag.data into a"
    " folder and give it as root."
)


def load(root: str | Path | None = None) -> Table:
    """Reads the flags, every feature 0 or 1: counts are above their median or not.

    Args:
        root: folder with PMLB's flags.tsv or flags.tsv.gz, or UCI's flag.data; None
            takes data/flags in the folder that QPM_JAX_SHARED names.

    Returns:
        uint8 [178, 43].

    Raises:
        ValueError: when there is no such file or a line cannot be read.
    """
    counts = load_counts(root)
    median = np.median(counts.features, axis=0)
    threshold = np.where(np.isin(FEATURES, _COUNTS), median, 0)
    above = (counts.features > threshold).astype(np.uint8)
    return replace(counts, name="flags", features=above)


def load_counts(root: str | Path | None = None) -> Table:
    """Reads the flags, with seven columns of counts as they are; see `load`.

    Args:
        root: as for `load`.

    Returns:
        int64 [178, 43].
    """
    folder = source_folder(root, "flags")
    path = first_file(folder, (*_PMLB_FILES, *_UCI_FILES), _HOW_TO_GET)
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        rows = _pmlb_rows(text) if path.name in _PMLB_FILES else _uci_rows(text)
        values = np.array([[int(row[name]) for name in FEATURES] for row in rows])
        religion = np.array([int(row["target"]) for row in rows])
    except (LookupError, ValueError, OSError, EOFError) as error:
        raise ValueError(
            f"{path} is not as PMLB or UCI have it ({error}). {_HOW_TO_GET}"
        ) from error
    codes = np.unique(religion)
    if len(codes) != len(_RELIGIONS):
        raise ValueError(
            f"{path} has {len(codes)} religions; it must have {len(_RELIGIONS)}."
            f" {_HOW_TO_GET}"
        )
    return Table(
        name="flags_counts",
        features=values.astype(np.int64),
        labels=np.searchsorted(codes, religion).astype(np.int64),
        class_names=tuple(_RELIGIONS.values()),
        feature_names=FEATURES,
    )


def _pmlb_rows(text: str) -> list[dict[str, str]]:
    """Rows of PMLB's tab-separated file, `target` among its columns."""
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def _uci_rows(text: str) -> list[dict[str, str]]:
    """Rows of UCI's file, with or without a header, as PMLB has them."""
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    if "religion" in ",".join(lines[0]).lower():
        lines = _in_uci_order(lines)
    rows = [dict(zip(_UCI, line, strict=True)) for line in lines]
    kept = [row for row in rows if int(row["religion"]) in _RELIGIONS]
    for row in kept:
        row["target"] = row["religion"]
        for place, colours in _COLOURS.items():
            if row[place] not in colours:
                raise ValueError(f"{row['name']} has the {place} {row[place]!r}")
            row |= {f"{place}_{c}": str(int(row[place] == c)) for c in colours}
    return kept


def _in_uci_order(lines: list[list[str]]) -> list[list[str]]:
    """Takes the header off and puts the columns in UCI's order by their names."""
    other_names = {
        "country": "name",
        "continent": "landmass",
        "colours": "colors",
        "main-hue": "mainhue",
    }
    header = [name.lower().split("(")[0] for name in lines[0]]
    header = [other_names.get(name, name) for name in header]
    order = [header.index(name) for name in _UCI]
    return [[line[place] for place in order] for line in lines[1:]]
