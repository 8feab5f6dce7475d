"""The page: complete, self-contained, safe, and whole where parts are missing."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from qpm_jax.explain import (
    ClassExamples,
    FeatureExamples,
    MetricRow,
    ReportContents,
    build_report,
)
from qpm_jax.explain.report import headline

EVIL = '<script>alert("x")</script> & $title'
CLASSES, FEATURES, TOP = 5, 6, 3
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Collects what a browser would see; stumbles over tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text, self.attributes = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style"} & set(self.open):
            self.text.append(data)

    def words(self):
        return " ".join(" ".join(self.text).split())

    def values(self, name):
        return [value for _, key, value in self.attributes if key == name]


def full(**changes):
    rng = np.random.default_rng(0)
    assignment = np.array(
        [
            [1, 1, 0, 0, 0, 0],
            [1, 0, 1, 0, 0, 0],
            [0, 0, 0, 1, 1, 0],
            [0, 0, 0, 1, 0, 1],
            [0, 0, 0, 0, 1, 1],
        ],
        bool,
    )
    top_labels = rng.integers(0, CLASSES, (FEATURES, TOP))
    top_labels[0, -1] = -1
    top_labels[1] = -1
    contents = {
        "title": "QPM on birds",
        "class_names": ("wren", "lark", "dove", "crane", EVIL),
        "assignment": assignment,
        "selected": np.array([3, 14, 15, 92, 65, 35]),
        "metrics": (
            MetricRow("Accuracy", 0.95, 0.941, better="higher", note="On test."),
            MetricRow("Features", 128, 6, unit="count"),
            MetricRow("Ratio", None, 0.99),
        ),
        "summary": "Trained in no time.",
        "history": [
            {"phase": p, "step": s, "epoch": s, "loss": 1.0 / s, "accuracy": 0.5}
            for p in ("dense", "finetune")
            for s in (1, 2)
        ],
        "class_examples": ClassExamples(
            rng.integers(0, 256, (CLASSES, 8, 8, 3), dtype=np.uint8),
            rng.random((CLASSES, 3, 3, FEATURES)),
            np.ones(CLASSES, bool),
        ),
        "feature_examples": FeatureExamples(
            rng.integers(0, 256, (FEATURES, TOP, 8, 8, 3), dtype=np.uint8),
            rng.random((FEATURES, TOP, 3, 3)),
            top_labels,
        ),
        "class_similarity": np.eye(CLASSES),
        "class_attributes": np.eye(CLASSES),
        "attribute_names": ("red", "green", "blue", "long", EVIL),
        "feature_names": {14: "striped wing"},
        "solver": {"objective": 41.2, "gap": 0.0004, "epsilon": None, "nodes": 7},
        "facts": {"seed": 0, "config": {"dense": {"epochs": 20}}},
    }
    return ReportContents(**(contents | changes))


def sections(text):
    return re.findall(r'<section id="(\w+)"', text)


def test_every_section_is_there_and_reachable_from_the_navigation():
    text = build_report(full())
    expected = [
        "results",
        "training",
        "assignment",
        "alike",
        "features",
        "solver",
        "run",
    ]
    assert sections(text) == expected
    targets = set(Page(text).values("href"))
    assert {f"#{anchor}" for anchor in expected} <= targets
    identities = {f"#{value}" for value in Page(text).values("id")}
    assert targets <= identities


def test_the_page_is_one_well_formed_document_with_the_words_it_should_have():
    text = build_report(full())
    words = Page(text).words()
    assert text.startswith("<!DOCTYPE html>")
    assert "5 classes, each described by 2 of 6 features." in words
    for part in ("94.1 %", "–", "striped wing", "0.04 %", "nodes", "Describes wren"):
        assert part in words


def test_nothing_is_fetched_from_anywhere():
    text = build_report(full())
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text
    page = Page(text)
    assert not {"script", "link", "iframe"} & set(page.tags)
    sources = page.values("src")
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert all(target.startswith("#") for target in page.values("href"))


def test_text_from_outside_is_shown_and_never_run():
    text = build_report(full(title=EVIL, summary=EVIL, facts={EVIL: EVIL}))
    assert "<script" not in text
    assert Page(text).words().count("<script>alert") >= 5


def test_every_picture_has_words_and_a_size():
    page = Page(build_report(full()))
    count = page.tags.count("img")
    assert len(page.values("alt")) == count
    assert all(page.values("alt"))
    # Two pairs without common class, two rows of four; fourteen top images.
    assert count == 2 * 2 * 4 + (FEATURES * TOP - 1 - TOP)


def test_only_what_is_given_is_shown():
    bare = ReportContents(
        "Bare", ("a", "b"), np.array([[1, 0], [0, 1]]), np.array([0, 1])
    )
    text = build_report(bare)
    assert sections(text) == ["assignment", "alike", "features"]
    assert "img" not in Page(text).tags


def test_a_single_class_has_no_pairs():
    text = build_report(
        ReportContents("One", ("a",), np.ones((1, 2)), np.array([0, 1]))
    )
    assert "alike" not in sections(text)


def test_a_class_without_example_leaves_its_pair_without_pictures():
    known = np.array([False, True, True, True, True])
    examples = dataclasses.replace(full().class_examples, known=known)
    page = Page(build_report(full(class_examples=examples, feature_examples=None)))
    assert page.tags.count("img") == 2 * 4


def test_published_values_get_a_column_where_there_are_some():
    assert "Published" not in build_report(full())
    row = MetricRow("Accuracy", 0.9, 0.89, published="85.1 ± 0.3")
    assert "<td>85.1 ± 0.3</td>" in build_report(full(metrics=(row,)))


def test_the_headline_tells_a_range_where_classes_differ():
    contents = ReportContents(
        "", ("a", "b"), np.array([[1, 1, 0], [0, 0, 1]]), np.arange(3)
    )
    assert headline(contents) == "2 classes, each described by 1 to 2 of 3 features."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"assignment": np.ones(3)}, "assignment has shape"),
        ({"class_names": ("a",)}, "class_names has shape"),
        ({"selected": np.arange(2)}, "selected has shape"),
        ({"class_similarity": np.eye(2)}, "class_similarity has shape"),
        ({"attribute_names": ("a",)}, "class_attributes has shape"),
    ],
)
def test_contents_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        full(**changes)


def test_pictures_that_do_not_fit_are_refused():
    contents = full()
    examples, features = contents.class_examples, contents.feature_examples
    for change in (
        {"images": examples.images.astype(float)},
        {"images": examples.images[:2]},
        {"maps": examples.maps[..., :2]},
        {"known": examples.known[:2]},
    ):
        with pytest.raises(ValueError, match="class_examples"):
            full(class_examples=dataclasses.replace(examples, **change))
    for change in (
        {"labels": features.labels[:2]},
        {"labels": features.labels + CLASSES},
        {"images": features.images[:, :1]},
        {"maps": features.maps[:, :1]},
    ):
        with pytest.raises(ValueError, match="feature_examples"):
            full(feature_examples=dataclasses.replace(features, **change))


def test_metric_rows_refuse_unknown_words():
    with pytest.raises(ValueError, match="unit is 'kg'"):
        MetricRow("a", 1, 1, unit="kg")
    with pytest.raises(ValueError, match="better is 'more'"):
        MetricRow("a", 1, 1, better="more")


def test_a_report_of_fifty_classes_stays_small():
    rng = np.random.default_rng(0)
    size, count = 50, 4
    assignment = np.argsort(np.argsort(rng.random((size, size)), axis=1), axis=1) < 5
    noise = rng.integers(0, 256, (size, count, 64, 64, 3), dtype=np.uint8)
    text = build_report(
        ReportContents(
            "Large",
            tuple(f"class {i}" for i in range(size)),
            assignment,
            np.arange(size),
            class_examples=ClassExamples(
                noise[:, 0], rng.random((size, 8, 8, size)), np.ones(size, bool)
            ),
            feature_examples=FeatureExamples(
                noise, rng.random((size, count, 8, 8)), np.zeros((size, count), int)
            ),
        )
    )
    assert len(text) < 3 * 2**20  # even for noise, the worst a picture can be
