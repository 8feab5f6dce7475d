"""Table II of Tule, Le, Say, arXiv 2112.00434, as data.

One thread of an i5-8250U, one hour a problem. The unit of the gaps is not said; they
are taken for fractions.
"""

from typing import NamedTuple


class PublishedResult(NamedTuple):
    """What the paper reports of one model on one training set.

    Attributes:
        gap: duality gap.
        seconds: to the proof; None where the hour was over.
        reduction: share of zero weights.
    """

    gap: float
    seconds: float | None
    reduction: float


# (table, training size): MIP by Gurobi, PBO by RoundingSat
_TABLE = {
    ("mnist", 20): ((0.0, 3.99, 0.6219), (0.34, None, 0.0348)),
    ("mnist", 60): ((0.0, 304.87, 0.5523), (0.52, None, 0.1128)),
    ("mnist", 100): ((0.00034, None, 0.4972), (0.51, None, 0.1748)),
    ("mnist", 200): ((0.00063, None, 0.4487), (0.85, None, 0.3422)),
    ("mnist", 300): ((0.00068, None, 0.4352), (1.28, None, 0.3198)),
    ("mnist", 500): ((0.00078, None, 0.4047), (9.76, None, 0.1997)),
    ("mnist", 700): ((0.0010, None, 0.3931), (12.60, None, 0.1530)),
    ("mnist", 1000): ((0.00081, None, 0.3733), (140.89, None, 0.0654)),
    ("flags", 10): ((0.0, 0.13, 0.6977), (0.0, 22.00, 0.5348)),
    ("flags", 25): ((0.0, 0.71, 0.4837), (96.25, None, 0.5162)),
    ("flags", 35): ((0.0, 0.58, 0.4140), (72.03, None, 0.4744)),
    ("flags", 50): ((0.0, 2.43, 0.4419), (119.56, None, 0.3767)),
    ("ask_ubuntu", 10): ((0.0, 0.11, 0.6958), (0.0, 13.16, 0.2875)),
    ("ask_ubuntu", 23): ((0.0, 0.35, 0.6817), (0.0, 1192.20, 0.3354)),
    ("ask_ubuntu", 43): ((0.0, 0.83, 0.6588), (251.08, None, 0.3150)),
}


def published(table: str, size: int, model: str) -> PublishedResult | None:
    """Returns a row's figures, or None where the paper has none.

    Args:
        table: name of the data set; "flags_counts" is "flags" there.
        size: training instances.
        model: "mip" or "pbo".
    """
    row = _TABLE.get((table.removesuffix("_counts"), size))
    if row is None or model not in ("mip", "pbo"):
        return None
    return PublishedResult(*row[("mip", "pbo").index(model)])
