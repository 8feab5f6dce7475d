"""The page: complete, self-contained, safe, and whole where parts are missing."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np

from qpm_jax.explain import Examples, ReportContents, build_report
from qpm_jax.explain.report import headline

VOID = {"meta", "img", "br", "link", "input"}
SECTIONS = [
    "results",
    "details",
    "classes",
    "compare",
    "alike",
    "graph",
    "features",
    "assignment",
    "solver",
    "training",
    "run",
]


class Page(HTMLParser):
    """Collects what a browser would see; stumbles over tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text, self.attributes = [], [], [], []
        self.scripts = []
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
        if "script" in self.open:
            self.scripts.append(data)
        elif "style" not in self.open:
            self.text.append(data)

    def words(self):
        return " ".join(" ".join(self.text).split())

    def values(self, name):
        return [value for _, key, value in self.attributes if key == name]


def sections(text):
    return re.findall(r'<section id="(\w+)"', text)


def bare(**changes):
    parts = {
        "title": "Bare",
        "class_names": ("a", "b"),
        "assignment": np.array([[1, 0], [0, 1]]),
        "selected": np.array([0, 1]),
    }
    return ReportContents(**(parts | changes))


def test_every_section_is_there_and_reachable_from_the_navigation(contents):
    text = build_report(contents())
    assert sections(text) == SECTIONS
    targets = set(Page(text).values("href"))
    assert {f"#{anchor}" for anchor in SECTIONS} <= targets
    identities = Page(text).values("id")
    assert targets <= {f"#{value}" for value in identities}
    assert len(identities) == len(set(identities))


def test_the_page_is_one_well_formed_document_with_the_words_it_should_have(contents):
    text = build_report(contents())
    words = Page(text).words()
    assert text.startswith("<!DOCTYPE html>")
    assert "5 classes, each described by 2 of 6 features." in words
    for part in ("94.1 %", "–", "striped wing", "0.04 %", "nodes", "Describes wren"):
        assert part in words


def test_nothing_is_fetched_from_anywhere(contents):
    text = build_report(contents())
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert re.findall(r"url\((.*?)\)", text) == ["#grey"]
    page = Page(text)
    assert not {"link", "iframe", "img"} & set(page.tags)
    assert all(target.startswith("#") for target in page.values("href"))
    photos = json.loads(page.scripts[0])["pictures"]["photos"]
    assert all(photo.startswith("data:image/jpeg;base64,") for photo in photos)


def test_the_policy_lets_nothing_run_but_the_pages_own_script(contents):
    page = Page(build_report(contents()))
    data, script = page.scripts
    assert page.values("type").count("application/json") == 1
    digest = hashlib.sha256(script.encode()).digest()
    policy = next(v for v in page.values("content") if "default-src" in v)
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert json.loads(data)["classes"][0] == "wren"


def test_text_from_outside_is_shown_and_never_run(contents, evil):
    changes = {"title": evil, "summary": evil, "facts": {evil: evil}}
    text = build_report(contents(**changes))
    assert text.count("<script") == 2
    page = Page(text)
    assert page.words().count("<script>alert") >= 5
    assert evil in json.loads(page.scripts[0])["classes"]


def test_every_picture_place_says_what_is_there(contents):
    text = build_report(contents())
    places = re.findall(r'<span class="view" role="img" aria-label="([^"]+)"', text)
    # A photo a class; the photos of six features, four of which are missing.
    assert len(places) == 5 + 6 * 3 - 4
    assert 'style="--ratio:12/8"' in text


def test_every_input_has_a_label(contents):
    text = build_report(contents())
    labels = set(re.findall(r'<label for="(\w+)"', text))
    assert {"search", "first", "second"} <= labels
    named = re.findall(r'<label class="naming live-only">Name <input', text)
    assert len(named) == text.count("<input") - 1


def test_only_what_is_given_is_shown():
    text = build_report(bare())
    assert sections(text) == [
        "classes",
        "compare",
        "alike",
        "graph",
        "features",
        "assignment",
    ]
    assert 'class="view"' not in text


def test_a_single_class_has_no_pairs():
    text = build_report(
        bare(class_names=("a",), assignment=np.ones((1, 2)), selected=np.arange(2))
    )
    assert sections(text) == ["classes", "features", "assignment"]


def test_the_headline_tells_a_range_where_classes_differ():
    ragged = np.array([[1, 1, 0], [0, 0, 1]])
    text = headline(bare(assignment=ragged, selected=np.arange(3)))
    assert text == "2 classes, each described by 1 to 2 of 3 features."


def test_a_report_of_fifty_classes_stays_small():
    rng = np.random.default_rng(0)
    size, top = 50, 4
    assignment = np.argsort(np.argsort(rng.random((size, size)), axis=1), axis=1) < 5
    examples = Examples(
        images=rng.integers(0, 256, (size, 64, 64, 3), dtype=np.uint8),
        labels=np.arange(size),
        of_class=np.arange(size),
        class_maps=rng.random((size, 8, 8, size)),
        of_feature=rng.integers(0, size, (size, top)),
        feature_maps=rng.random((size, top, 8, 8)),
    )
    text = build_report(
        ReportContents(
            "Large",
            tuple(f"class {i}" for i in range(size)),
            assignment,
            np.arange(size),
            examples=examples,
        )
    )
    assert len(text) < 2**20  # even for noise, the worst a picture can be
