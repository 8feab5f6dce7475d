"""One colour a feature, the same in every picture.

A fixed table, so that a feature keeps its colour from run to run and page to page.
The first six are Okabe and Ito's; each next colour is the one farthest, in OKLab,
from all before it, for normal sight and for the three simulated dichromacies
(Machado et al. 2009), among colours vivid enough to be seen over a grey photo. Fifty
colours are not told apart by colour alone, so every picture also names the feature.
"""

import numpy as np
from jaxtyping import UInt8

_TABLE = """
0072b2 e69f00 009e73 cc79a7 d55e00 56b4e9 a20846 09f5b3 946efa c1e319
b6329b 036c02 feb7ea 82bb7d 5437c0 c21c0d f87eef 138a11 29d7d7 90108b
ad5f79 fc6a6b 6b8dce dac876 6c56df f8a1b1 2caab3 779c3d 864776 d73254
42be3d 015e8c 9c41c0 875308 d552b8 1888aa afcd25 e08da7 e26ada b382fe
79e2fe 81d2a3 42783e b82856 e4a5de d08239 a260d6 3bdf73 85c3fe ef4b52
ca93d1 673ca0 d84190 d06974 79f171 735a9d 4e98f4 a45d3b a86ca2 1ac4ad
dbaa64 b86f4d 0c5fb5 548b50 54ad6b b3e19b b6a3ff 0682f8 6971c7 93473c
f263bc 8c7b25 fb908d f88650 59c4df da8582 ac066b 9d5ab9 a64f83 994d67
b2a14f ab73c4 617ce1 8fc66f ffa0f7 23e7bc e6b550 909ae1 6b6f19 8c335f
7f387a 299db7 59b590 f25492 1d8f75 918801 e498c3 c469ea a51105 6d4c9e
ded66a df8a03 2c61cf b22183 8ba415 b84d07 117c5a c6266d 924a8d 9fb650
a383db 18a015 59d252 af83c3 be7294 e19471 9c31ab 4baed1 b991fc bb5762
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
