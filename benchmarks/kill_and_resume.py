"""Kills a training at random moments, again and again, and says what was lost.

Run: `python -m benchmarks.kill_and_resume --rounds=50`

A round is a process that trains and is killed, by SIGKILL and SIGTERM in turn, at a
random moment between its start and the time a whole run takes; the next process goes
on. After five rounds a run may end, and its parameters and its log are compared byte by
byte with those of a run that nobody killed.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import runpy
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

CONFIG = Path(__file__).with_name("tiny_config.py")
KILLS_IN_A_RUN = 5


@dataclass(frozen=True)
class Place:
    """Where everything lies.

    Attributes:
      root: Folder of the runs.
      photos: Folder of the images.
    """

    root: Path
    photos: Path

    def command(self, name: str) -> list[str]:
        """Returns the command line of one run."""
        return [
            *("launch.dense", f"--config={CONFIG}", f"--workdir={self.root / name}"),
            f"--config.dataset.options.root={self.photos}",
        ]


def train(arguments: list[str], output: str) -> None:
    """Runs the launcher in this process, which is a new one."""
    with open(output, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__")


def start(place: Place, name: str, number: int) -> tuple[BaseProcess, Path]:
    """Starts a process that trains; returns it and the file with its words."""
    output = place.root / f"{name}-{number}.txt"
    output.touch()  # the process may be killed before it opens it
    # The server has imported all modules; what it forks needs no second for that.
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=train, args=(place.command(name), str(output)))
    process.start()
    return process, output


def finish(place: Place, name: str, number: int) -> tuple[float, str]:
    """Trains to the end; returns the seconds it took and what was said."""
    started = time.monotonic()
    process, output = start(place, name, number)
    process.join()
    words = output.read_text()
    if process.exitcode:
        raise RuntimeError(f"{name} ended with {process.exitcode}:\n{words}")
    return time.monotonic() - started, words


def kill(
    place: Place, name: str, number: int, seconds: float, how: signal.Signals
) -> tuple[int, str, int] | None:
    """Kills a training after some seconds.

    Returns:
      Its exit status, its words and its newest checkpoint; None where it had ended.
    """
    process, output = start(place, name, number)
    process.join(seconds)
    if process.exitcode is not None:
        return None
    os.kill(process.pid or 0, how)
    process.join()
    if (place.root / name / "dense" / "done.json").exists():
        return None
    folder = place.root / name / "dense" / "checkpoints"
    steps = [int(path.name) for path in folder.glob("*") if path.name.isdigit()]
    return process.exitcode or 0, output.read_text(), max(steps, default=0)


def broken_promise(how: signal.Signals, status: int, words: str, step: int) -> str:
    """Returns what a killed process did wrong, "" where all was as promised."""
    if how == signal.SIGKILL:
        return "" if status == -how else f"SIGKILL ended with {status}"
    told = re.search(r"the checkpoint of step (\d+) is written", words)
    if status == -how and not words:
        return ""  # before the launcher could listen; there was nothing to lose
    if status != 0:
        return f"SIGTERM ended with {status}: {words[-2000:]}"
    if told and int(told[1]) != step:
        return f"SIGTERM told of step {told[1]}, but the newest is {step}"
    return ""


def resumed_wrongly(words: str, step: int) -> str:
    """Returns what a process that goes on did wrong, "" where all was as promised."""
    if "DAMAGED" in words:
        return "a checkpoint was damaged"
    told = re.search(r"goes on from step (\d+)", words)
    if step and (told is None or int(told[1]) != step):
        return f"there was a checkpoint of step {step}, but it was not taken"
    return ""


def result(place: Place, name: str) -> tuple[dict[str, bytes], list[str]]:
    """Returns the bytes of the trained arrays and the log without its clock."""
    import jax
    import orbax.checkpoint as ocp

    with ocp.StandardCheckpointer() as checkpointer:
        arrays = checkpointer.restore(place.root / name / "dense" / "model")
    leaves = jax.tree_util.tree_leaves_with_path(arrays)
    log = (place.root / name / "log.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in log]
    return (
        {jax.tree_util.keystr(k): np.asarray(v).tobytes() for k, v in leaves},
        [str({k: r[k] for k in r if k not in ("seconds", "time")}) for r in records],
    )


def killed_run(
    place: Place, name: str, kills: list[tuple[float, signal.Signals]]
) -> tuple[int, list[str]]:
    """Takes a run through its kills to its end.

    Returns:
      How many processes were killed before the run was done, and what went wrong.
    """
    done, wrong, step = 0, [], 0
    for number, (seconds, how) in enumerate(kills):
        ended = kill(place, name, number, seconds, how)
        if ended is None:
            break
        status, words, newest = ended
        wrong.append(broken_promise(how, status, words, newest))
        if "goes on from step" in words:
            wrong.append(resumed_wrongly(words, step))
        done, step = done + 1, newest
    if not (place.root / name / "dense" / "done.json").exists():
        wrong.append(resumed_wrongly(finish(place, name, len(kills))[1], step))
    return done, [words for words in wrong if words]


def make_photos(root: Path) -> Path:
    """Writes four classes of noisy squares, twelve training and four test images each.

    Returns:
      The folder.
    """
    from PIL import Image

    values = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for label, name in enumerate(("red", "green", "blue", "grey")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                image = values.integers(0, 90, (16, 16, 3)).astype(np.uint8)
                row, column = values.integers(0, 8, 2)
                channels = slice(None) if label == 3 else label
                image[row : row + 8, column : column + 8, channels] += 150
                Image.fromarray(image).save(folder / f"{number}.png")
    return root


def prepare(root: Path) -> Place:
    """Makes the images and lets new processes share what is imported and compiled."""
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(root / "compiled"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
    modules = ["launch.app", "grain", "orbax.checkpoint", "qpm_jax.phases.dense"]
    multiprocessing.get_context("forkserver").set_forkserver_preload(modules)
    return Place(root, make_photos(root / "photos"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    root = Path(tempfile.mkdtemp(prefix="kill_and_resume_"))
    try:
        place = prepare(root)
        finish(place, "compiling", 0)
        whole, _ = finish(place, "whole", 0)
        expected = result(place, "whole")
        print(f"A run takes {whole:.1f} s, start included.")
        rounds = good = runs = 0
        hows = (signal.SIGKILL, signal.SIGTERM)
        while rounds < options.rounds:
            count = min(KILLS_IN_A_RUN, options.rounds - rounds)
            kills = [
                (chance.uniform(0, whole), hows[(rounds + number) % 2])
                for number in range(count)
            ]
            killed, wrong = killed_run(place, f"run{runs}", kills)
            same = result(place, f"run{runs}") == expected
            wrong += [] if same else ["parameters or log differ"]
            rounds, runs = rounds + killed, runs + 1
            good += 0 if wrong else killed
            print(f"{rounds} rounds: {'; '.join(wrong) or 'nothing lost'}", flush=True)
            shutil.rmtree(root / f"run{runs - 1}")
        print(f"{good} of {rounds} rounds in {runs} runs lost nothing.")
        sys.exit(good != rounds)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
