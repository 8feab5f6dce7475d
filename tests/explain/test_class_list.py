"""The list of classes: all of them, each beside its nearest."""

import numpy as np

from qpm_jax.explain.class_list import classes_section, nearest_classes


def test_the_nearest_share_most_features_and_similarity_settles_ties(contents):
    similarity = np.zeros((5, 5))
    similarity[2, 4] = 1.0
    nearest = nearest_classes(contents(class_similarity=similarity))
    assert nearest[0, 0] == 1
    assert nearest[2].tolist() == [4, 3]


def test_a_long_list_is_folded_but_whole(contents):
    count = 30
    text = classes_section(
        contents(
            class_names=tuple(f"class {i}" for i in range(count)),
            assignment=np.eye(count),
            selected=np.arange(count),
            examples=None,
            details={},
            class_similarity=None,
            class_attributes=None,
            attribute_names=(),
        )
    )
    assert text.count("<article") == count
    assert text.count(" rest") == count - 18
    assert "Show all 30 classes" in text
