"""The demo as a visitor meets it: a real server and a real browser.

Upload, comparison, switches and broken files, with every request of the page watched.
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("gradio") is None, reason="needs the extra demo"),
]
PATIENCE = 180_000  # milliseconds, for machines with other things to do


@pytest.fixture(scope="module")
def address(browser, trained, tmp_path_factory):
    """A running demo; it must end on Ctrl-C without a word, though visitors stay."""
    log = tmp_path_factory.mktemp("demo") / "stderr.txt"
    command = [sys.executable, "-m", "launch.demo", f"--workdir={trained}", "--port=0"]
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        line = process.stdout.readline()
        started = re.fullmatch(r"Demo: (http://\S+) \(Ctrl-C ends it\)\n", line)
        assert started, log.read_text()
        stays = browser.new_context()
        stays.new_page().goto(started.group(1), timeout=PATIENCE)
        yield started.group(1)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=120)
        stays.close()
    assert (process.returncode, rest, log.read_text()) == (0, "", "")


def test_the_page_is_all_there_is_no_public_interface(address):
    with urllib.request.urlopen(f"{address}/gradio_api/info") as answer:
        assert json.load(answer)["named_endpoints"] == {}


def test_sigterm_ends_it_in_order_and_deletes_what_visitors_sent(trained, tmp_path):
    command = [sys.executable, "-m", "launch.demo", f"--workdir={trained}", "--port=0"]
    process = subprocess.Popen(
        [*command, "--examples=0"],
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    process.stdout.readline()
    assert list(tmp_path.glob("qpm_demo_*"))
    process.terminate()
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert not list(tmp_path.glob("qpm_demo_*"))


@pytest.fixture
def page(browser, address):
    """The page in a desktop window; only its own host may be asked for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    asked, errors = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector("#photo input[type=file]", state="attached")
    yield opened
    context.close()
    assert [u for u in asked if not u.startswith((address, "data:", "blob:"))] == []
    assert errors == []


def upload(page, path):
    page.locator("#photo input[type=file]").set_input_files(str(path))


def heading(page):
    return page.locator("#verdict h2").inner_text()


def shown_scores(page):
    """Label to the score shown in bold."""
    rows = page.locator("#switches .score").evaluate_all(
        "rows => rows.map(row => [row.dataset.label, "
        "row.querySelector('.number b').textContent])"
    )
    return {int(label): float(text.replace("−", "-")) for label, text in rows}


def test_a_photo_is_uploaded_compared_and_counted_without_a_feature(page, photos):
    upload(page, photos / "test" / "red" / "0.png")
    page.wait_for_selector("#switches .score")
    assert heading(page) == "red"
    before = shown_scores(page)
    assert len(before) == 4

    page.locator("#against input").click()
    page.locator("#against [role=option]", has_text="grey").click()
    page.wait_for_function(
        "document.querySelector('#contrast .lead').textContent.includes('grey')"
    )
    tiles = page.locator("#contrast .tile").count()
    assert tiles == page.locator("#kept input[type=checkbox]").count()

    value = page.locator("#kept label").first.inner_text().split()[-1]
    page.locator("#kept input[type=checkbox]").first.uncheck()
    page.wait_for_selector("#switches .was")
    after = shown_scores(page)
    changed = {label: before[label] - after[label] for label in before}
    red = max(before, key=before.get)
    assert changed[red] == pytest.approx(float(value.replace("−", "-")), abs=0.011)
    assert "Without 1 feature" in page.locator("#switches .said").inner_text()

    page.locator("#kept input[type=checkbox]").first.check()
    page.wait_for_selector("#switches .was", state="detached")
    assert shown_scores(page) == before


def test_a_broken_file_is_answered_and_the_next_photo_works(page, photos, tmp_path):
    upload(page, photos / "test" / "blue" / "0.png")
    page.wait_for_selector("#switches .score")
    broken = tmp_path / "broken.png"
    broken.write_bytes((photos / "test" / "red" / "0.png").read_bytes()[:60])
    upload(page, broken)
    message = page.locator("#message [role=alert]")
    message.wait_for()
    assert "broken.png" in message.inner_text()
    assert "choose another photo" in message.inner_text()
    assert heading(page) == "blue"
    upload(page, photos / "test" / "green" / "0.png")
    page.wait_for_function(
        "document.querySelector('#verdict h2').textContent === 'green'"
    )
    assert message.count() == 0


def pictures(tmp_path):
    """Names and pictures that need a word, with the word."""
    random = np.random.default_rng(0)
    photo = Image.fromarray(random.integers(0, 256, (40, 40, 3)).astype(np.uint8))
    return {
        "grey.png": (photo.convert("L"), "#verdict .note", "greyscale"),
        "alpha.png": (photo.convert("RGBA"), "#verdict .note", "laid on white"),
        "tiny.png": (photo.resize((2, 2)), "#message", "at least 8 × 8"),
        "huge.png": (Image.new("1", (9000, 9000)), "#message", "Scale it down"),
    }


def test_unusual_uploads_get_a_word_and_the_page_stays_usable(page, photos, tmp_path):
    for name, (picture, where, word) in pictures(tmp_path).items():
        picture.save(tmp_path / name)
        upload(page, tmp_path / name)
        page.locator(where, has_text=word).first.wait_for()
    (tmp_path / "empty.png").touch()
    upload(page, tmp_path / "empty.png")
    page.locator("#message", has_text="empty").wait_for()
    page.locator("#examples button").first.click()
    page.locator("#verdict", has_text="The data set says").wait_for()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_of_the_window(page, photos, width):
    page.set_viewport_size({"width": width, "height": 900})
    upload(page, photos / "test" / "red" / "1.png")
    page.wait_for_selector("#switches .score")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.locator(".qpm *").evaluate_all(
        "parts => parts.filter(part => part.getBoundingClientRect().right > "
        "document.documentElement.clientWidth + 1).map(part => part.outerHTML)"
    )
    assert outside == []


def test_the_server_offers_no_way_around_the_page(address):
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{address}/gradio_api/file=/etc/passwd").close()
