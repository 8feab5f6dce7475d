"""Images a second of ResNet50's dense training step and passes, JAX beside PyTorch.

Run: `python -m benchmarks.backbone_speed --batch=4` (PyTorch's need the extra parity)

Every arm is a process of its own that compiles first and then takes turns with the
others, so that a busy machine is busy for all of them. All train on the same random
images of 224 px with reduced strides, by cross-entropy, feature diversity loss and SGD,
without augmentation. Utilisation is the step's operations a second over those of
the fastest large matrix product that any arm measured in the arm's precision. They are
counted by hand, for every arm alike: two for each multiply-add of convolutions and
head, three times, for forward pass and both gradients.

Arms: jax, jax-bfloat16 (training in mixed precision), torch, torch-compiled.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from typing import Any

from benchmarks.backbone_speed.figures import HEADER, row, step_operations
from benchmarks.backbone_speed.timed import CLASSES

ARMS = ("jax", "jax-bfloat16", "torch", "torch-compiled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arms", default="jax,torch,torch-compiled")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2, help="in each round")
    parser.add_argument("--arm", choices=ARMS, help="run this one, for the others")
    arguments = parser.parse_args()
    if arguments.arm:
        serve(arguments)
    else:
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """Starts every arm, lets them take turns and prints the table."""
    arms = arguments.arms.split(",")
    # One after another, so that none measures its matrix product beside a compiler.
    children, ready = {}, {}
    for arm in arms:
        children[arm] = _start(arm, arguments)
        ready[arm] = _answer(children[arm])
        children[arm].send_signal(signal.SIGSTOP)
    rounds = [
        {arm: _ask(child) for arm, child in children.items()}
        for _ in range(arguments.rounds)
    ]
    for child in children.values():
        child.send_signal(signal.SIGCONT)
        child.communicate("end\n")
    device = ready[arms[0]]["device"]
    print(f"{device}, batch {arguments.batch}, {arguments.size} px")
    operations = step_operations(arguments.batch, arguments.size, CLASSES)
    base = "torch" if "torch" in arms else arms[0]
    print(HEADER)
    for arm in arms:
        print(row(arm, base, ready, rounds, arguments.batch, operations))


def _start(arm: str, arguments: argparse.Namespace) -> subprocess.Popen[str]:
    settings = [f"--{n}={getattr(arguments, n)}" for n in ("batch", "size", "steps")]
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.backbone_speed", f"--arm={arm}", *settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Arms share a GPU's memory, of which JAX would take three quarters at once.
        env={"XLA_PYTHON_CLIENT_PREALLOCATE": "false", **os.environ},
    )


def _ask(child: subprocess.Popen[str]) -> dict[str, Any]:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    child.send_signal(signal.SIGCONT)
    answer = _answer(child)
    # Threads of an arm that waits may spin, and would slow the others.
    child.send_signal(signal.SIGSTOP)
    return answer


def _answer(child: subprocess.Popen[str]) -> dict[str, Any]:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        raise SystemExit("An arm ended early; its own words stand above.")
    return json.loads(line)


def serve(arguments: argparse.Namespace) -> None:
    """Compiles one arm, then measures a round for every line that comes."""
    if arguments.arm.startswith("jax"):
        from benchmarks.backbone_speed import jax_arm as arm
    else:
        from benchmarks.backbone_speed import torch_arm as arm

    timed = arm.make(arguments.arm, arguments.batch, arguments.size)
    print(json.dumps(timed.facts), flush=True)
    for line in sys.stdin:
        if line.strip() != "go":
            return
        print(json.dumps(timed.round(arguments.steps)), flush=True)


if __name__ == "__main__":
    main()
