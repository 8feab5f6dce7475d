"""What tells the built-in birds apart: parts, their attributes, and the classes.

A species is one value for each of 13 attribute groups. Species come in families of
five: the first is the family's type, the others change one or two groups of it, so
that the nearest pairs of classes differ in a single part attribute, while families
differ in at least seven groups. In the spirit of FunnyBirds (Hesse et al., 2023):
the attributes are the whole truth about a class.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

PARTS = ("beak", "crown", "eye", "wing", "tail", "feet")
MAX_CLASSES = 100
FAMILY_SIZE = 5


class AttributeGroup(NamedTuple):
    """One way in which a part varies: a species has exactly one of the values."""

    part: str
    kind: str
    values: tuple[str, ...]


GROUPS = (
    AttributeGroup("beak", "shape", ("dagger", "cone", "hooked", "spoon")),
    AttributeGroup("beak", "colour", ("yellow", "red", "black", "blue")),
    AttributeGroup("crown", "shape", ("spiked", "plumed", "capped", "fanned")),
    AttributeGroup("crown", "colour", ("red", "yellow", "green", "blue", "black")),
    AttributeGroup("eye", "colour", ("white", "red", "yellow", "blue")),
    AttributeGroup("eye", "pattern", ("plain", "masked")),
    AttributeGroup("wing", "colour", ("red", "yellow", "green", "blue", "purple")),
    AttributeGroup("wing", "pattern", ("plain", "striped", "spotted", "tipped")),
    AttributeGroup("tail", "shape", ("forked", "fanned", "racket", "square")),
    AttributeGroup("tail", "colour", ("red", "yellow", "green", "blue", "black")),
    AttributeGroup("tail", "pattern", ("plain", "banded")),
    AttributeGroup("feet", "shape", ("clawed", "webbed")),
    AttributeGroup("feet", "colour", ("yellow", "red", "black", "blue")),
)
_SIZES = np.array([len(group.values) for group in GROUPS])

# Family f has value a·f + b·⌊f/4⌋ + c·⌊f/5⌋ (mod size) in each group. The numbers
# were searched so that any two of the 20 families differ in at least 7 groups.
_STEPS = np.array([3, 14, 1, 12, 15, 10, 8, 13, 15, 16, 2, 2, 1])
_STEPS_OF_FOUR = np.array([2, 9, 8, 11, 10, 11, 14, 17, 3, 7, 14, 11, 19])
_STEPS_OF_FIVE = np.array([10, 10, 15, 8, 6, 15, 10, 15, 8, 12, 13, 5, 0])

# The order in which families use groups to tell their species apart.
_DISTINGUISHING = (6, 8, 1, 2, 7, 9, 12, 3, 0, 4, 10, 5, 11)
# Which of a family's distinguishing groups each species changes. Families alternate
# between two and three single changes: 25 nearest pairs among the first 50 classes.
_CHANGES = (
    ((), (0,), (1,), (2, 3), (4, 5)),
    ((), (0,), (1,), (2,), (3, 4)),
)
_EPITHETS = ("common", "northern", "island", "mountain", "lesser")
_FAMILY_STEMS = ("pip", "mar", "tun", "bel")
_FAMILY_KINDS = ("finch", "wren", "dove", "lark", "crane")


def attribute_names() -> tuple[str, ...]:
    """Names of all attribute values, as "beak: hooked" or "wing colour: red"."""
    return tuple(
        f"{group.part}: {value}"
        if group.kind == "shape"
        else f"{group.part} {group.kind}: {value}"
        for group in GROUPS
        for value in group.values
    )


def class_names(num_classes: int) -> tuple[str, ...]:
    """Names of the first species, as "island tunwren"."""
    families = [
        stem + _FAMILY_KINDS[(kind + shift) % len(_FAMILY_KINDS)]
        for kind in range(len(_FAMILY_KINDS))
        for shift, stem in enumerate(_FAMILY_STEMS)
    ]
    names = [f"{epithet} {family}" for family in families for epithet in _EPITHETS]
    return tuple(names[:num_classes])


def class_codes(num_classes: int) -> Int[np.ndarray, "C groups"]:
    """Which value each class has in each attribute group.

    A class has the same code however many classes there are.

    Args:
        num_classes: how many species, at most 100.

    Returns:
        Indices into each group's values, int64 [C, groups].
    """
    codes = np.empty((num_classes, len(GROUPS)), np.int64)
    for index in range(num_classes):
        family, species = divmod(index, FAMILY_SIZE)
        changes = _CHANGES[family % len(_CHANGES)][species]
        changed = [_DISTINGUISHING[(3 * family + i) % len(GROUPS)] for i in changes]
        code = _STEPS * family + _STEPS_OF_FOUR * (family // 4)
        code += _STEPS_OF_FIVE * (family // 5)
        code[changed] += 1
        codes[index] = code % _SIZES
    return codes


def class_attributes(num_classes: int) -> Float[np.ndarray, "C A"]:
    """The class-attribute matrix: one 1 in every group of a row.

    Args:
        num_classes: how many species, at most 100.

    Returns:
        0 or 1, float64 [C, A]; columns as in `attribute_names`.
    """
    columns = class_codes(num_classes) + np.concatenate([[0], np.cumsum(_SIZES)[:-1]])
    attributes = np.zeros((num_classes, _SIZES.sum()))
    np.put_along_axis(attributes, columns, 1.0, axis=1)
    return attributes
