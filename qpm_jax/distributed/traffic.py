"""What a compiled program sends between devices, counted from its HLO text.

A program of one mesh axis has few kinds of communication. Their result's bytes are in
the text; what a device then sends at least, whatever the network, is that of the ring
algorithms (Patarasuk and Yuan 2009, doi 10.1016/j.jpdc.2008.09.002).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_BYTES = {
    **dict.fromkeys(("pred", "s8", "u8"), 1),
    **dict.fromkeys(("s16", "u16", "f16", "bf16"), 2),
    **dict.fromkeys(("s32", "u32", "f32"), 4),
    **dict.fromkeys(("s64", "u64", "f64"), 8),
}

# Bytes a device sends, by bytes of the result and number of devices.
_SENT: dict[str, Callable[[float, int], float]] = {
    "all-reduce": lambda size, n: 2 * size * (n - 1) / n,
    "all-gather": lambda size, n: size * (n - 1) / n,
    "reduce-scatter": lambda size, n: size * (n - 1),
    "all-to-all": lambda size, n: size * (n - 1) / n,
    "collective-permute": lambda size, n: size,
}

_OPERATION = re.compile(
    rf"= (?P<shapes>\(.*?\)|\S+) (?P<kind>{'|'.join(_SENT)})(?P<start>-start)?\("
)
_SHAPE = re.compile(r"\b(?P<type>[a-z]+\d*)\[(?P<sizes>[\d,]*)\]")


@dataclass(frozen=True)
class Traffic:
    """All operations of one kind in a program.

    Attributes:
      operations: How many stand in it; one inside a loop counts once.
      result_bytes: Sum of their results' bytes on one device.
      sent_bytes: What a device sends at least.
    """

    operations: int
    result_bytes: int
    sent_bytes: float


def traffic(hlo: str, num_devices: int) -> dict[str, Traffic]:
    """Returns the communication of a program, by kind of operation.

    Args:
      hlo: `jax.jit(...).lower(...).compile().as_text()`.
      num_devices: Devices that take part in every operation.
    """
    sizes: dict[str, list[int]] = {}
    for found in _OPERATION.finditer(hlo):
        parts = [_bytes(shape) for shape in _SHAPE.finditer(found["shapes"])]
        if found["start"] and found["kind"] == "all-gather":
            parts = parts[len(parts) // 2 :]  # it lists what goes in first
        sizes.setdefault(found["kind"], []).append(sum(parts))
    return {
        kind: Traffic(
            len(all_sizes), sum(all_sizes), _SENT[kind](sum(all_sizes), num_devices)
        )
        for kind, all_sizes in sorted(sizes.items())
    }


def _bytes(shape: re.Match[str]) -> int:
    count = 1
    for size in filter(None, shape["sizes"].split(",")):
        count *= int(size)
    return count * _BYTES.get(shape["type"], 0)
