"""AskUbuntu: 162 questions and what they are about, five classes.

The corpus of Braun et al., SIGdial 2017 (CC BY-SA 3.0), with its official split: 53
questions train, 109 test.
"""

import json
from pathlib import Path

import numpy as np

from qpm_jax.datasets.tables.source_folder import first_file, source_folder
from qpm_jax.datasets.tables.table import TextTable

_FILE = "AskUbuntuCorpus.json"
_HOW_TO_GET = (
    f"Download https://github.com/sebischair/NLU-Evaluation-Corpora/raw/master/{_FILE}"
    " into a folder and give it as root."
)


def load(root: str | Path | None = None) -> TextTable:
    """Reads the questions; `bag_of_words` makes features of them.

    Args:
        root: folder with AskUbuntuCorpus.json; None takes data/askubuntu in the folder
            that QPM_JAX_SHARED names.

    Returns:
        162 texts, classes in alphabetical order.

    Raises:
        ValueError: when the file is missing or has another form.
    """
    path = first_file(source_folder(root, "askubuntu"), (_FILE,), _HOW_TO_GET)
    try:
        sentences = json.loads(path.read_text(encoding="utf-8"))["sentences"]
        texts = tuple(str(sentence["text"]) for sentence in sentences)
        intents = [str(sentence["intent"]) for sentence in sentences]
        training = np.array([bool(sentence["training"]) for sentence in sentences])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not the corpus as published ({type(error).__name__}: {error})."
            f" {_HOW_TO_GET}"
        ) from error
    names, labels = np.unique(intents, return_inverse=True)
    return TextTable("ask_ubuntu", texts, labels, tuple(names.tolist()), training)
