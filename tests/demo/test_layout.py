"""Events of the page are answered from the state; only a new photo takes a pass."""

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest
from PIL import Image

from qpm_jax.demo.examples import Example

gradio = pytest.importorskip("gradio", reason="needs the extra demo")

from qpm_jax.demo import layout, serve  # noqa: E402
from qpm_jax.explain.markup import signed  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))


@pytest.fixture
def photo(dark, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(dark).save(path)
    return str(path)


def built(run, examples=()):
    """Builds app and server; where no event loop runs, Gradio would leave one open."""

    async def build():
        blocks = layout.build(run, examples)
        return blocks, serve.application(blocks)

    return asyncio.run(build())


def test_an_upload_fills_the_page_by_one_pass(run, photo):
    answer = layout._uploaded(run)(photo)
    session, field, message, verdict, details, against, *_ = answer
    assert field is None
    assert not message.visible
    assert "wren" in verdict
    assert details.visible
    assert [label for _, label in against.choices] == [1, 2, 3, 4]
    assert against.value == session.against == 1
    assert run.passes == [1]


def test_a_broken_file_changes_nothing_but_the_message(run, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG")
    session, field, message, *rest = layout._uploaded(run)(str(path))
    assert field is None
    assert "broken.png" in message.value
    assert message.visible
    assert [session, *rest] == [gradio.skip()] * 7
    assert run.passes == []


def test_another_class_and_switches_need_no_pass(run, photo):
    session = layout._uploaded(run)(photo)[0]
    session, contrast, kept, switches = layout._compared(run)(session, 3)
    assert "tit &lt;b&gt;" in contrast
    assert len(kept.choices) == 7
    assert kept.value == [label for _, label in kept.choices]
    session, switches = layout._kept(run)(session, [1, 2, 3])
    assert session.off == {0, 4, 5, 6}
    assert "Without 4 features" in switches
    kept = layout._compared(run)(session, 1)[2]
    assert kept.value == [1, 2, 3]
    assert run.passes == [1]


def test_switches_are_named_with_what_they_add(run, photo):
    session = layout._uploaded(run)(photo)[0]
    value = signed(session.look.features[0])
    assert layout._switches(run, session).choices[0] == (f"feature 0 {value}", 0)


def test_an_example_tells_its_class(run, dark):
    answer = layout._exemplified(run, [Example(dark, "owl")])
    event = gradio.SelectData(None, {"index": 0, "value": None})
    assert "The data set says: owl." in answer(event)[3]


def test_the_app_loads_nothing_from_elsewhere(run, dark):
    blocks, application = built(run, [Example(dark, "wren"), Example(dark, "lark")])
    assert application.openapi_url is None
    assert blocks.analytics_enabled is False
    assert blocks.footer_links == []
    assert "http" not in blocks.css
    assert not any("http" in sheet for sheet in blocks.theme._stylesheets)


def test_without_examples_the_page_has_no_gallery(run):
    kinds = {type(block) for block in built(run)[0].blocks.values()}
    assert gradio.File in kinds
    assert gradio.Gallery not in kinds


def test_serving_says_the_address_once_and_leaves_no_upload_behind(run, monkeypatch):
    uvicorn = pytest.importorskip("uvicorn")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    kept = []

    def interrupted(server, sockets):
        kept.append(Path(os.environ["GRADIO_TEMP_DIR"]))
        assert kept[0].is_dir()
        assert server.config.access_log is False
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "run", interrupted)
    said, before = [], signal.getsignal(signal.SIGTERM)

    async def serving():  # as in `built`
        serve.serve(run, "127.0.0.1", 0, examples=0, announce=said.append)

    asyncio.run(serving())
    assert len(said) == 1
    assert re.fullmatch(r"Demo: http://127\.0\.0\.1:\d+ \(Ctrl-C ends it\)", said[0])
    assert not kept[0].exists()
    assert signal.getsignal(signal.SIGTERM) == before
