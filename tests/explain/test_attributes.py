"""Known attributes beside learned features."""

import numpy as np
import pytest

from qpm_jax.explain.attributes import aligned_attributes, readable

ATTRIBUTES = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]], float)


def test_an_attribute_of_just_the_features_classes_is_found_first():
    assignment = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], bool)
    first, second = aligned_attributes(assignment, ATTRIBUTES)
    assert (first[0].attribute, first[0].inside, first[0].outside) == (0, 1.0, 0.0)
    assert second == ()


def test_a_feature_of_no_class_or_of_all_goes_with_nothing():
    assignment = np.array([[0, 1]] * 4, bool)
    assert aligned_attributes(assignment, ATTRIBUTES) == ((), ())


def test_names_of_attributes_are_written_as_people_write_them():
    name = "has_bill_length::about_the_same_as_head"
    assert readable(name) == "bill length: about the same as head"
    assert readable("wing colour: red") == "wing colour: red"


def test_attributes_of_another_number_of_classes_are_refused():
    with pytest.raises(ValueError, match="attributes has shape"):
        aligned_attributes(np.ones((3, 2)), ATTRIBUTES)
