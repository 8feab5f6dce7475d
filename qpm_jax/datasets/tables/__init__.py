"""Tables for the linear models: MNIST, Flags, AskUbuntu, digits, and draws from them.

The data of Tule, Le, Say, arXiv 2112.00434, Table I, as whole numbers.
"""

from qpm_jax.datasets.tables.catalogue import load, names
from qpm_jax.datasets.tables.draws import balanced_draw, class_sizes, corrupt_labels
from qpm_jax.datasets.tables.table import Table, TextTable, bag_of_words

__all__ = [
    "Table",
    "TextTable",
    "bag_of_words",
    "balanced_draw",
    "class_sizes",
    "corrupt_labels",
    "load",
    "names",
]
