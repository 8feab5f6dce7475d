"""How classes are written as a network's outputs: one-hot, or as a binary code.

The source names a "binary encoding" for Iris and Wine and does not specify it. Here
"one_hot" has an output a class and the multi-class hinge of docs/networks.md (j);
"binary" has ⌈log₂ C⌉ outputs, bit b of class c told by the sign of output b, and a
hinge at ±1 for each. Decoding is one rule for both: the class of the highest score
wins, of equal ones the first. A score is the class's output, or the agreement Σ_b ±o_b
with its code, which is the code read off at threshold 0 wherever that belongs to a
class.
"""

import numpy as np
from jaxtyping import Float, Int

ENCODINGS = ("one_hot", "binary")


def class_codes(num_classes: int, encoding: str) -> Float[np.ndarray, "C O"]:
    """What every output should be for every class.

    Args:
        num_classes: C.
        encoding: "one_hot" or "binary".

    Returns:
        float64 [C, O]: the identity, or codes of ±1, bit 0 first.

    Raises:
        ValueError: for another encoding.
    """
    if encoding == "one_hot":
        return np.eye(num_classes)
    if encoding != "binary":
        raise ValueError(
            f"label_encoding is {encoding!r}; choose one of {', '.join(ENCODINGS)}."
        )
    bits = max(1, int(num_classes - 1).bit_length())
    ones = np.arange(num_classes)[:, None] >> np.arange(bits) & 1
    return 2.0 * ones - 1.0


def output_signs(codes: Float[np.ndarray, "C O"]) -> Float[np.ndarray, "C O"]:
    """On which side every output should be for every class, in either encoding.

    Args:
        codes: [C, O], from `class_codes`.

    Returns:
        float64 [C, O] of ±1.
    """
    return np.where(codes > 0, 1.0, -1.0)


def scores(
    outputs: Float[np.ndarray, "N O"], codes: Float[np.ndarray, "C O"]
) -> Float[np.ndarray, "N C"]:
    """Every class's score; the highest wins, of equal ones the first.

    Args:
        outputs: float64 [N, O].
        codes: [C, O], from `class_codes`.

    Returns:
        float64 [N, C].
    """
    return outputs @ codes.T


def hinge_losses(
    outputs: Float[np.ndarray, "N O"], labels: Int[np.ndarray, " N"], encoding: str
) -> Float[np.ndarray, "N K"]:
    """The parts of every instance's loss: one for "one_hot", one an output else.

    Args:
        outputs: float64 [N, O].
        labels: int64 [N].
        encoding: "one_hot", max(0, 1 + max_{c≠y} o_c − o_y), or "binary",
            max(0, 1 ∓ o_b) for every bit b.

    Returns:
        float64 [N, 1] or [N, O].
    """
    rows = np.arange(len(labels))
    if encoding == "one_hot":
        rivals = outputs.copy()
        rivals[rows, labels] = -np.inf
        return np.maximum(0.0, 1.0 + rivals.max(axis=1) - outputs[rows, labels])[
            :, None
        ]
    bits = labels[:, None] >> np.arange(outputs.shape[1]) & 1
    return np.maximum(0.0, 1.0 - (2.0 * bits - 1.0) * outputs)
