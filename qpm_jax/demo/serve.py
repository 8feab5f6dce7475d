"""Runs the demo on this machine: no other host is asked for anything."""

import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from qpm_jax.demo.examples import run_examples
from qpm_jax.run import Run

if TYPE_CHECKING:
    import fastapi
    import gradio

MOST_BYTES = 50 * 2**20


def serve(
    run: Run,
    host: str,
    port: int,
    examples: int = 8,
    announce: Callable[[str], None] = print,
) -> None:
    """Answers visitors until Ctrl-C.

    Args:
      run: The trained run.
      host: Address to listen on; `127.0.0.1` is this machine only.
      port: Port to listen on; 0 takes any that is free.
      examples: How many images of the test split to offer, where it is at hand; 0
        does not look for the data set.
      announce: Called with one line that names the address, once visitors can come.

    Raises:
      ValueError: Gradio is not installed, or the port cannot be had.
    """
    with (
        tempfile.TemporaryDirectory(prefix="qpm_demo_") as uploads,
        offline(uploads),
    ):
        listener = listen(host, port)
        import uvicorn

        from qpm_jax.demo import layout

        warm_up(run)
        app = application(layout.build(run, run_examples(run, examples)))
        config = uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=1, access_log=False
        )
        server = uvicorn.Server(config)
        # At the end, visitors whose pages are still open are cut off: no error to tell.
        logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
        listener.listen()
        announce(f"Demo: {address(listener)} (Ctrl-C ends it)")
        try:
            with _ends_by_exception():
                server.run(sockets=[listener])
        except KeyboardInterrupt:
            pass  # how it is meant to end
        finally:
            listener.close()


@contextmanager
def _ends_by_exception() -> Iterator[None]:
    """Lets SIGTERM, too, end the demo in order: visitors' files are deleted then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def offline(uploads: str) -> Iterator[None]:
    """Gradio with everything off that would ask another host, and then all as before.

    Args:
      uploads: Folder for the files that visitors upload.

    Raises:
      ValueError: Gradio is not installed.
    """
    ours = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": uploads}
    with _environment(ours):
        try:
            import gradio  # noqa: F401
            from huggingface_hub import constants
        except ImportError as error:
            raise ValueError(
                f"The demo needs Gradio ({error}). Install it with "
                '`pip install "qpm-jax[demo]"`.'
            ) from error
        # Gradio's client of the hub reads its variable once, when it is imported.
        before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
        try:
            yield
        finally:
            constants.HF_HUB_OFFLINE = before


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def application(blocks: "gradio.Blocks") -> "fastapi.FastAPI":
    """Returns the web application of the app: its own fonts, no share link, no API."""
    import fastapi
    import gradio as gr

    css = resources.files("qpm_jax.demo").joinpath("demo.css").read_text("utf-8")
    fonts = ["system-ui", "sans-serif"]
    theme = gr.themes.Default(
        primary_hue="cyan", font=fonts, font_mono=["ui-monospace", "monospace"]
    )
    return gr.mount_gradio_app(
        fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        max_file_size=MOST_BYTES,
        ssr_mode=False,
        theme=theme,
        css=css,
    )


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket bound to the address.

    Raises:
      ValueError: The port is taken, or the address cannot be listened on.
    """
    listener = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        raise ValueError(
            f"Cannot listen on {host}:{port} ({error}). Take another --port (0 finds "
            "a free one) or --host."
        ) from error
    return listener


def address(listener: socket.socket) -> str:
    """Returns the address as a browser takes it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def warm_up(run: Run) -> None:
    """Compiles the forward pass, so that the first visitor does not wait for it."""
    run.look(np.zeros((*run.image_size, 3), np.uint8))
