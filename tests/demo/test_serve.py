"""The server's own parts: the port, the missing extra, what it asks of the network."""

import os
import sys

import pytest

from qpm_jax.demo import serve


def test_a_free_port_is_found_and_said():
    with serve.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert serve.address(listener) == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_an_error_that_says_what_to_do():
    with serve.listen("127.0.0.1", 0) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(ValueError, match=f"127.0.0.1:{port} .* another --port"):
            serve.listen("127.0.0.1", port)


def test_an_impossible_port_is_an_error():
    with pytest.raises(ValueError, match=r"Cannot listen on 127\.0\.0\.1:99999"):
        serve.listen("127.0.0.1", 99_999)


NAMES = ("GRADIO_ANALYTICS_ENABLED", "GRADIO_TEMP_DIR", "HF_HUB_OFFLINE")


@pytest.mark.parametrize("folder", [None, "before"])
def test_no_host_is_asked_during_the_demo_and_afterwards_all_is_as_before(
    folder, monkeypatch, tmp_path
):
    pytest.importorskip("gradio", reason="needs the extra demo")
    from huggingface_hub import constants

    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    if folder:
        monkeypatch.setenv("GRADIO_TEMP_DIR", folder)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    before = dict(os.environ)
    with serve.offline(str(tmp_path)):
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)
        assert constants.is_offline_mode()
    assert dict(os.environ) == before
    assert not constants.is_offline_mode()


def test_without_the_extra_the_error_names_it(monkeypatch, tmp_path):
    before = dict(os.environ)
    monkeypatch.setitem(sys.modules, "gradio", None)
    with (
        pytest.raises(ValueError, match=r'pip install "qpm-jax\[demo\]"'),
        serve.offline(str(tmp_path)),
    ):
        pass
    assert dict(os.environ) == before


def test_the_forward_pass_is_compiled_before_the_first_visitor(run):
    serve.warm_up(run)
    assert run.passes == [1]
