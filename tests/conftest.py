"""What every test may use: the shared folder of real data and published outputs."""

import atexit
import fcntl
import os
import re
import shutil
import signal
import tempfile
from pathlib import Path

# Tests must give the same numbers with and without an accelerator in the machine.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Tests compile the same programs again and again, many in processes of their own.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    compiled = tempfile.mkdtemp(prefix="qpm_jax_compiled_")
    atexit.register(shutil.rmtree, compiled, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.2"
# What the tests compute from data sets is not left in the user's own cache.
if "QPM_JAX_CACHE" not in os.environ:
    os.environ["QPM_JAX_CACHE"] = tempfile.mkdtemp(prefix="qpm_jax_kept_")
    atexit.register(shutil.rmtree, os.environ["QPM_JAX_CACHE"], ignore_errors=True)
# A shell that starts the tests in the background has them ignore Ctrl-C, and so would
# every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import numpy as np
import pytest


def pytest_configure(config):
    # xdist would hand out files of many tests first; those that take long have few.
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Puts files of slow tests first: at the end no process waits long for another."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def shared_folder() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared"
    return Path(os.environ.get("QPM_JAX_SHARED", default))


@pytest.fixture(scope="session")
def shared():
    """Returns a function: path inside the shared folder -> Path, or a skip."""

    def find(relative: str) -> Path:
        path = shared_folder() / relative
        if not path.exists():
            pytest.skip(f"needs {relative} in the folder QPM_JAX_SHARED names")
        return path

    return find


@pytest.fixture(scope="session")
def bits_program():
    """Returns a function: objective, rows, their sides -> a program over bits."""
    from qpm_jax.solvers import MixedIntegerProgram

    def make(objective, rows, low, high):
        count = len(objective)
        return MixedIntegerProgram(
            objective=objective,
            rows=np.array(rows, float).reshape(-1, count),
            row_lower=low,
            row_upper=high,
            lower=np.zeros(count),
            upper=np.ones(count),
            integer=np.ones(count, bool),
        )

    return make


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Returns a function: name, how to make a path -> the path, for tests to read.

    Processes that run tests side by side share it: one makes it, the others wait.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder = folder / "made_once"
    folder.mkdir(exist_ok=True)

    def path_of(name, make):
        path, made = folder / name, folder / f"{name}.made"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(path, ignore_errors=True)  # of a process that failed
                make(path)
                made.touch()
        return path

    return path_of


class GoldenCases:
    """One file of published outputs: `cases` and, for a case, its named arrays."""

    def __init__(self, path: Path):
        with np.load(path) as arrays:
            self._arrays = dict(arrays)
        self.cases = [str(case) for case in self._arrays["cases"]]

    def __getitem__(self, case: str) -> dict[str, np.ndarray]:
        prefix = f"{case}__"
        return {
            key.removeprefix(prefix): self._arrays[key]
            for key in self._arrays
            if key.startswith(prefix)
        }


@pytest.fixture(scope="session")
def golden(shared):
    """Returns a function: file stem in golden/ -> GoldenCases, or a skip."""
    return lambda stem: GoldenCases(shared(f"golden/{stem}.npz"))


@pytest.fixture(scope="session")
def original_resnet():
    """Returns a function: name, strides as published -> PyTorch's network, or a skip.

    It is that of the package transformers, whose arrays `torchvision_key` renames.
    """
    pytest.importorskip("torch", reason="needs torch (extra parity)")
    transformers = pytest.importorskip(
        "transformers", reason="needs transformers (extra parity)"
    )

    def make(name, reduced_strides):
        kind, depths, width = {
            "resnet18": ("basic", [2, 2, 2, 2], 64),
            "resnet34": ("basic", [3, 4, 6, 3], 64),
            "resnet50": ("bottleneck", [3, 4, 6, 3], 256),
        }[name]
        config = transformers.ResNetConfig(
            layer_type=kind,
            depths=depths,
            hidden_sizes=[width << stage for stage in range(4)],
            num_labels=5,
        )
        network = transformers.ResNetForImageClassification(config).eval()
        for stage in network.resnet.encoder.stages[2:] if reduced_strides else ():
            for layer in stage.layers[0].modules():
                if hasattr(layer, "stride"):
                    layer.stride = (1, 1)
        return network

    return make


@pytest.fixture(scope="session")
def torchvision_key():
    """Returns a function: transformers' name of a ResNet's array -> torchvision's."""
    patterns = [
        (r"^resnet\.embedder\.embedder\.convolution", "conv1"),
        (r"^resnet\.embedder\.embedder\.normalization", "bn1"),
        (r"^resnet\.encoder\.stages\.(\d)", lambda m: f"layer{int(m[1]) + 1}"),
        (r"layers\.(\d)", r"\1"),
        (r"layer\.(\d)\.convolution", lambda m: f"conv{int(m[1]) + 1}"),
        (r"layer\.(\d)\.normalization", lambda m: f"bn{int(m[1]) + 1}"),
        (r"shortcut\.convolution", "downsample.0"),
        (r"shortcut\.normalization", "downsample.1"),
        (r"^classifier\.1", "fc"),
    ]

    def rename(key):
        for pattern, name in patterns:
            key = re.sub(pattern, name, key)
        return key

    return rename


@pytest.fixture(scope="module")
def browser():
    """Returns a headless Chromium to look at pages with, or a skip.

    Of one module: while it is open no other event loop may run in the process.
    """
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs the package playwright"
    )
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip(f"needs one of {', '.join(names)} on the PATH")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()
