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


def test_without_the_extra_the_error_names_it(monkeypatch, tmp_path):
    for name in ("GRADIO_ANALYTICS_ENABLED", "GRADIO_TEMP_DIR", "HF_HUB_OFFLINE"):
        monkeypatch.setitem(os.environ, name, "")
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(ValueError, match=r'pip install "qpm-jax\[demo\]"'):
        serve.load_gradio(str(tmp_path))
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"


def test_the_forward_pass_is_compiled_before_the_first_visitor(run):
    serve.warm_up(run)
    assert run.passes == [1]
