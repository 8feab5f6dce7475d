"""Photos on disk and a way to start the launchers as a user does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CONFIG = Path(__file__).with_name("tiny_config.py")


@pytest.fixture(scope="session")
def photos(made_once):
    """Four classes of noisy squares, twelve training and four test images each."""
    return made_once("photos", _draw)


def _draw(root):
    random = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for label, name in enumerate(("red", "green", "blue", "grey")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                image = random.integers(0, 90, (16, 16, 3)).astype(np.uint8)
                row, column = random.integers(0, 8, 2)
                channels = slice(None) if label == 3 else label
                image[row : row + 8, column : column + 8, channels] += 150
                Image.fromarray(image).save(folder / f"{number}.png")


@pytest.fixture(scope="session")
def command(photos):
    """Returns a function: launcher, work directory, flags -> the command to run."""

    def build(launcher, workdir, *flags):
        return [
            *(sys.executable, "-m", f"launch.{launcher}"),
            *(f"--config={CONFIG}", f"--workdir={workdir}"),
            *(f"--config.dataset.options.root={photos}", *flags),
        ]

    return build


@pytest.fixture(scope="session")
def refusal(command):
    """Returns a function: as `command` -> what the launcher says, which is refused."""

    def read(launcher, workdir, *flags):
        done = subprocess.run(
            command(launcher, workdir, *flags),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    return read


@pytest.fixture(scope="session")
def trained(made_once, command):
    """A run that one uninterrupted process took through every phase."""

    def make(workdir):
        # Nobody kills it: more checkpoints than a run usually has would only take time.
        run = command("pipeline", workdir, "--config.checkpoint_seconds=30")
        done = subprocess.run(run, check=True, capture_output=True, text=True)
        (workdir / "stdout.txt").write_text(done.stdout)

    return made_once("trained", make)
