"""The report in a real browser: search, comparison, names, keyboard, phone, print."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from qpm_jax.explain import ReportContents, build_report, palette, saliency
from qpm_jax.explain.contrast import class_contrast

pytestmark = pytest.mark.slow

NARROW = {"width": 390, "height": 800}
WIDE = {"width": 1280, "height": 900}


class Opened:
    """A page of the report and what it complained about or asked the network for."""

    def __init__(self, page, address):
        self.page, self.complaints = page, []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)
        page.goto(address)

    def _asked(self, request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.complaints.append(request.url)

    def focused(self):
        return self.page.evaluate("() => document.activeElement.id")

    def run(self, script, *arguments):
        return self.page.evaluate(script, *arguments)


@pytest.fixture
def show(browser, tmp_path):
    """Returns a function: contents -> the opened report; nothing may go wrong in it."""
    opened = []

    def visit(contents, size=WIDE, fragment=""):
        path = tmp_path / "report.html"
        path.write_text(build_report(contents), encoding="utf-8")
        page = browser.new_page(viewport=size)
        opened.append(Opened(page, path.as_uri() + fragment))
        return opened[-1]

    yield visit
    for each in opened:
        each.page.close()
        assert each.complaints == []


def many_classes(count=60):
    """Long names, and one of them without a space to break at."""
    rows = np.array([np.roll(np.arange(12) < 5, i % 12) for i in range(count)])
    names = (
        f"the extraordinarily long-tailed warbler number {i}" for i in range(count)
    )
    return ReportContents(
        "A" + "very" * 20 + "LongTitle",
        ("x" * 70, *list(names)[1:]),
        rows,
        np.arange(12),
        feature_names={0: "w" * 40, 1: "a rather long name of a feature, forty"},
    )


def test_the_search_leaves_the_classes_that_fit_by_name_or_feature(show, contents):
    report = show(contents())
    page = report.page
    page.fill("#search", "DO")
    cards = page.locator("#class-list article:visible h3")
    assert cards.all_inner_texts() == ["dove"]
    assert page.inner_text("#found") == "1 of 5 classes"
    page.fill("#search", "striped")
    assert cards.all_inner_texts() == ["wren"]
    page.fill("#search", "")
    assert cards.count() == 5


def test_any_two_classes_can_be_compared(show, contents):
    page = show(contents()).page
    page.select_option("#first", label="dove")
    page.select_option("#second", label="wren")
    assert page.inner_text("#comparison h3") == "dove and wren"
    parts = page.locator("#comparison .split dd").all_inner_texts()
    assert [part.split() for part in parts] == [
        ["92", "65"],
        ["–"],
        ["3", "striped", "wing"],
    ]
    assert page.inner_text("#compared") == "dove and wren share 0 of their features."
    page.click("#swap")
    assert page.inner_text("#comparison h3") == "wren and dove"
    page.click("#nearest button >> nth=0")
    assert page.inner_text("#comparison h3") == "wren and lark"
    assert "4 test images of wren taken for lark" in page.inner_text("#comparison")


def test_links_to_a_pair_open_it_and_can_be_kept(show, contents):
    report = show(contents(), fragment="#compare=2,4")
    assert report.page.input_value("#first") == "2"
    report.page.click('#pair-list a[data-pair="0,1"]')
    assert report.page.inner_text("#comparison h3") == "wren and lark"
    assert report.page.url.endswith("#compare=0,1")


def test_overlays_are_those_of_the_package(show, contents):
    given = contents()
    page = show(given).page
    page.select_option("#first", "3")
    page.select_option("#second", "4")
    canvas = page.locator("#comparison .photos canvas >> nth=1")
    canvas.scroll_into_view_if_needed()
    code = canvas.evaluate("node => node.toDataURL()").split(",")[1]
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))), float)
    shared = list(class_contrast(given.assignment, 3, 4).shared)
    maps = np.moveaxis(given.examples.class_maps[[3, 4]][..., shared], -1, 1)
    strength = saliency.relative_strength(maps.mean(axis=(2, 3)))
    expected = saliency.saliency_maps(maps, strength, *drawn.shape[:2])[0]
    cover = 255 * 0.7 * expected.max(axis=0)
    np.testing.assert_allclose(drawn[..., 3], cover, atol=4)
    strong = cover > 128
    np.testing.assert_allclose(
        drawn[strong][:, :3], np.tile(palette(6)[shared[0]], (strong.sum(), 1)), atol=3
    )


def test_a_name_typed_on_a_card_is_shown_everywhere_and_saved(show, contents):
    page = show(contents()).page
    page.fill('[data-names="0"]', "red crown;=")
    assert page.inner_text('#class-0 [data-label="0"]') == "red crown"
    assert page.inner_text("#names-state") == "2 of 6 features have a name."
    with page.expect_download() as started:
        page.click("#save-names")
    assert started.value.suggested_filename == "names.json"
    with open(started.value.path()) as file:
        assert json.load(file) == {"3": "red crown", "14": "striped wing"}
    page.fill('[data-names="2"]', "red crown")
    assert page.is_disabled("#save-names")
    assert "Two features are called" in page.inner_text("#names-state")


def test_the_keyboard_reaches_what_the_mouse_reaches(show, contents):
    report = show(contents())
    keyboard = report.page.keyboard
    keyboard.press("Tab")
    assert report.run("() => document.activeElement.className") == "skip"
    keyboard.press("Enter")
    reached = set()
    for _ in range(60):
        keyboard.press("Tab")
        reached.add(report.focused())
        outline = report.run(
            "() => getComputedStyle(document.activeElement).outlineStyle"
        )
        assert outline != "none" or report.run(
            "() => document.activeElement.closest('svg') !== null"
        )
    assert {"search", "first", "second", "swap"} <= reached
    report.page.focus("#second")
    keyboard.press("ArrowDown")
    assert report.page.input_value("#second") != "1"
    report.page.focus('#pair-list a[data-pair="2,3"]')
    keyboard.press("Enter")
    assert report.page.inner_text("#comparison h3") == "dove and crane"
    assert report.focused() == "first"


def test_a_folded_list_opens_by_button_and_by_link(show):
    page = show(many_classes()).page
    last = page.locator("#class-59")
    assert not last.is_visible()
    page.click('.more[aria-controls="class-list"]')
    assert last.is_visible()
    assert page.locator('.more[aria-controls="class-list"]').count() == 0
    again = show(many_classes(), fragment="#class-59").page
    assert again.locator("#class-59").is_visible()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["390", "1280"])
@pytest.mark.parametrize("which", ["small", "long"])
def test_nothing_sticks_out_of_the_page(show, contents, size, which):
    report = show(contents() if which == "small" else many_classes(), size)
    width = report.run("() => document.documentElement.scrollWidth")
    assert width <= size["width"]
    out = report.run(
        """width => [...document.querySelectorAll('main *, header *')]
        .filter(e => !e.closest('.scroll *, .only-heard, option'))
        .filter(e => e.getBoundingClientRect().right > width + 0.5)
        .map(e => e.outerHTML.slice(0, 120))""",
        size["width"],
    )
    assert out == []


def test_no_text_is_cut_inside_its_box(show):
    report = show(many_classes(), NARROW)
    cut = report.run(
        """() => [...document.querySelectorAll('.chip, h1, h2, h3, p, dd, td, button')]
        .filter(e => !e.matches('.only-heard') && e.scrollWidth > e.clientWidth + 1)
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert cut == []


def test_names_in_the_graph_fit_their_frames(show, contents):
    report = show(contents(class_names=("mmmmm", "wwww www", "iiiii", "Crane", "d")))
    spare = report.run(
        """() => [...document.querySelectorAll('.graph [data-node]')].map(node =>
        node.querySelector('rect').getBBox().width
        - node.querySelector('text').getBBox().width)"""
    )
    assert len(spare) == 5
    assert min(spare) >= 4


def test_on_paper_everything_is_unfolded_and_nothing_asks_to_be_clicked(show):
    page = show(many_classes()).page
    page.emulate_media(media="print")
    assert page.locator("#class-59").is_visible()
    assert page.locator("#pair-list tr >> nth=-1").is_visible()
    assert page.inner_text("#feature-1 h3").startswith("Feature 1 a rather long name")
    for control in ("nav", ".more", "#search", "#swap", "#save-names"):
        assert not page.locator(control).first.is_visible()


def test_the_photos_are_grey_below_the_maps_and_coloured_alone(show, contents):
    page = show(contents()).page
    page.locator("#comparison").scroll_into_view_if_needed()
    filters = page.locator("#comparison .photos >> nth=0").evaluate(
        "node => [...node.querySelectorAll('img')].map(i => getComputedStyle(i).filter)"
    )
    assert filters[0] == "none"
    assert all("grey" in each for each in filters[1:])
    assert len(filters) == 4
