"""The class graph: one node a class that has neighbours, one line a pair."""

import re
import xml.etree.ElementTree as ET

import numpy as np

from qpm_jax.explain.class_graph import class_neighbours, graph_picture, graph_section

LONELY_DOVE = np.array(
    [
        [1, 1, 0, 0, 0, 0],
        [1, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [1, 0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 1],
    ],
    bool,
)


def test_lines_join_the_classes_one_feature_apart(contents):
    text = graph_picture(contents())
    pairs = set(re.findall(r'data-ends="(\d),(\d)"', text))
    assert pairs == {("0", "1"), ("2", "3"), ("2", "4"), ("3", "4")}
    assert re.findall(r'data-node="(\d)"', text) == ["0", "1", "2", "3", "4"]


def test_the_picture_is_well_formed_and_says_what_tells_the_classes_apart(contents):
    picture = re.search(r"<svg.*</svg>", graph_picture(contents())).group()
    root = ET.fromstring(picture)
    titles = [title.text for title in root.iter("title")]
    assert "Only wren: striped wing; only lark: feature 15" in titles
    assert len(list(root.iter("circle"))) == 8


def test_classes_without_neighbours_are_named_below(contents):
    text = graph_section(contents(assignment=LONELY_DOVE))
    assert "1 class has no neighbour that close:" in text
    assert text.index("no neighbour") < text.index(">dove</a>")
    assert 'data-node="2"' not in text


def test_without_neighbours_there_is_no_graph(contents):
    assignment = np.kron(np.eye(5), np.ones((1, 2)))
    changes = {"assignment": assignment, "selected": np.arange(10), "examples": None}
    assert graph_section(contents(**changes, feature_names={}, details={})) == ""


def test_neighbours_are_mutual():
    adjacent = class_neighbours(np.array([[0, 2]]), 3)
    assert adjacent.tolist() == [
        [False, False, True],
        [False] * 3,
        [True, False, False],
    ]
