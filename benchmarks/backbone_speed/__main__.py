"""Images a second of ResNet50's dense training step and passes, JAX beside PyTorch.

Run: `python -m benchmarks.backbone_speed --batch=4` (PyTorch's need the extra parity)

Every arm is a process of its own that compiles first and then takes turns with the
others, so that a busy machine is busy for all of them. All train on the same random
images of 224 px with reduced strides, by cross-entropy, feature diversity loss and SGD,
without augmentation. Utilisation counts XLA's operations of the JAX step, in every arm
alike, over the rate of a large float32 matrix product in the same process.

Arms: jax, jax-bfloat16 (training in mixed precision), torch, torch-compiled.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
from typing import Any

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
    """Starts every arm, lets them take turns and prints medians and ratios."""
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
    print(f"{ready[arms[0]]['device']}, batch {arguments.batch}")
    print(
        f"{'arm':16}{'train img/s':>12}{'of torch':>10}{'utilisation':>13}"
        f"{'forward':>9}{'statistics':>12}{'peak GiB':>10}{'compile s':>11}"
    )
    flops = next((ready[arm]["flops"] for arm in arms if ready[arm]["flops"]), 0.0)
    base = "torch" if "torch" in arms else arms[0]
    for arm in arms:
        seconds = statistics.median(r[arm]["train"] for r in rounds)
        ratio = statistics.median(r[base]["train"] / r[arm]["train"] for r in rounds)
        forward = statistics.median(r[arm]["forward"] for r in rounds)
        passes = [r[arm]["statistics"] / r[arm]["forward"] for r in rounds]
        print(
            f"{arm:16}{arguments.batch / seconds:12.2f}{ratio:10.2f}"
            f"{flops / seconds / ready[arm]['peak_flops']:13.2f}"
            f"{arguments.batch / forward:9.2f}{statistics.median(passes):12.2f}"
            f"{rounds[-1][arm]['memory']:10.2f}{ready[arm]['compile']:11.1f}"
        )


def _start(arm: str, arguments: argparse.Namespace) -> subprocess.Popen[str]:
    settings = [f"--{n}={getattr(arguments, n)}" for n in ("batch", "size", "steps")]
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.backbone_speed", f"--arm={arm}", *settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
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
