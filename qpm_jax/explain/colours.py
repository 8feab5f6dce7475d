"""One colour a feature, the same in every picture (PAPERS 1.14, contrastive rows).

A fixed table, so that a feature keeps its colour from run to run and page to page.
The first six are Okabe and Ito's; each next colour is the one farthest, in OKLab,
from all before it, for normal sight and for the three simulated dichromacies
(Machado et al. 2009). Colours that far along a list are not told apart by hue alone,
so every picture also carries the feature's number.
"""

import numpy as np
from jaxtyping import UInt8

_TABLE = """
0072b2 e69f00 009e73 cc79a7 d55e00 56b4e9 9b2048 14ebc0 8273f3 bb3b8e
196369 adde63 8ab793 742da5 bf2d1e fd81de a7cff7 5a754b f27361 58c652
f0bfa1 bc5cca 128e0f 595d05 968efd 10cece 6c9bbb 3c52c9 9d984a f5a4bd
a36e7e 614a87 1988c5 a646b4 6c6491 8178a6 d7415b 7ed792 a54668 c1a1fb
cdb267 cd98ae fd918e 808453 a42279 6f63ce d352a3 dcbf20 c582ce 42b2b2
428377 c69080 76475c 7c6b18 924a3f a70122 e5bbe1 51aa68 389edc 5c54a8
a75f49 b07b6c e58313 d8acec 40623d f0596f a4a4d5 1ac4ad 6e9b0f fb7a97
c0a677 0173de dd4e85 df7ded cb6b4e 972b92 af76e0 95ceb4 a27633 73dfdf
acb313 478c92 376e58 a8cf70 d67086 374cb0 905480 70a284 be4e03 337782
88ae50 d960bc 67c2e5 cdd50c 1a8fe5 ec6612 fcbe62 ef91c7 1bbc76 99c382
57988b e8b09f 9a6468 7f67a8 ad1a5d cd448a 74e791 937cbe 486e31 d27b41
dea3a6 a67a99 b28c66 5eac1c 8944bc 916684 a865df c149a6 86412d b59f2d
"""
_PALETTE = np.array([list(bytes.fromhex(code)) for code in _TABLE.split()], np.uint8)

# Rec. 709 luma, enough to choose between dark and light lettering.
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_LIGHT_FROM = 140.0


def palette(num_features: int) -> UInt8[np.ndarray, "n 3"]:
    """Returns the colours of features 0..n-1.

    Colour i does not depend on n. After 120 features the table starts again.

    Args:
        num_features: how many colours, n ≥ 0.

    Returns:
        RGB bytes.

    Raises:
        ValueError: if `num_features` is negative.
    """
    if num_features < 0:
        raise ValueError(f"num_features is {num_features}; give a number from 0 on")
    return _PALETTE[np.arange(num_features) % len(_PALETTE)]


def hex_code(colour: UInt8[np.ndarray, " 3"]) -> str:
    """Returns an RGB colour as CSS writes it, such as `#0072b2`."""
    return "#" + np.asarray(colour, np.uint8).tobytes().hex()


def lettering(colour: UInt8[np.ndarray, " 3"]) -> str:
    """Returns the CSS colour, near-black or white, that reads well on `colour`."""
    return "#14181f" if float(np.asarray(colour) @ _LUMA) > _LIGHT_FROM else "#ffffff"
