"""What tells the built-in birds apart: parts, attributes and families."""

import numpy as np
import pytest

from qpm_jax.datasets import birds_attributes as attributes


def differences(num_classes):
    codes = attributes.class_codes(num_classes)
    return (codes[:, None] != codes[None]).sum(axis=2)


@pytest.mark.parametrize("num_classes", [2, 50, attributes.MAX_CLASSES])
def test_every_class_has_one_value_of_every_group(num_classes):
    matrix = attributes.class_attributes(num_classes)
    sizes = [len(group.values) for group in attributes.GROUPS]
    assert matrix.shape == (num_classes, sum(sizes))
    assert matrix.dtype == np.float64
    assert set(np.unique(matrix)) == {0.0, 1.0}
    for columns in np.split(matrix, np.cumsum(sizes)[:-1], axis=1):
        assert (columns.sum(axis=1) == 1).all()


def test_no_two_classes_are_equal():
    matrix = attributes.class_attributes(attributes.MAX_CLASSES)
    assert len(np.unique(matrix, axis=0)) == attributes.MAX_CLASSES


def test_class_names_are_distinct():
    assert len(set(attributes.class_names(attributes.MAX_CLASSES))) == 100


def test_attribute_names_read_as_part_and_value():
    names = attributes.attribute_names()
    assert len(set(names)) == len(names) == 49
    assert {"beak: hooked", "wing colour: red", "wing pattern: striped"} <= set(names)


def test_names_and_columns_of_attributes_agree():
    names = attributes.attribute_names()
    codes = attributes.class_codes(50)
    matrix = attributes.class_attributes(50)
    for row, code in zip(matrix, codes, strict=True):
        values = [
            group.values[value]
            for group, value in zip(attributes.GROUPS, code, strict=True)
        ]
        shown = [names[column] for column in np.flatnonzero(row)]
        assert [name.split(": ")[1] for name in shown] == values


def test_fewer_classes_are_the_first_of_more():
    np.testing.assert_array_equal(
        attributes.class_codes(23), attributes.class_codes(100)[:23]
    )


def test_each_class_of_a_family_differs_from_its_type_in_one_or_two_attributes():
    for start in range(0, attributes.MAX_CLASSES, attributes.FAMILY_SIZE):
        from_type = differences(100)[start, start + 1 : start + 5]
        assert set(from_type) == {1, 2}


def test_families_differ_more_than_the_species_of_one():
    family = np.arange(100) // attributes.FAMILY_SIZE
    apart = differences(100)[family[:, None] != family[None]]
    assert apart.min() >= 3


def test_the_25_nearest_pairs_of_the_default_classes_are_exactly_the_single_changes():
    # Structural grounding looks at the 25 most similar pairs: no tie at the border.
    pairs = differences(50)[np.triu_indices(50, 1)]
    assert (pairs == 1).sum() == 25


def test_every_value_is_shared_by_several_classes():
    shared_by = attributes.class_attributes(50).sum(axis=0)
    assert shared_by.min() >= 3
    assert shared_by.max() <= 40
