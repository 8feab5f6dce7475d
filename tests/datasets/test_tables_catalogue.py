import json

import numpy as np
import pytest

from qpm_jax.datasets import tables


def _write_corpus(folder, sentences):
    content = json.dumps({"name": "toy", "sentences": sentences})
    (folder / "AskUbuntuCorpus.json").write_text(content)


@pytest.fixture
def corpus(tmp_path):
    rows = [("How do I print?", "Setup Printer", True), ("Why?", "None", False)]
    _write_corpus(
        tmp_path,
        [{"text": t, "intent": i, "training": part} for t, i, part in rows],
    )
    return tmp_path


def test_questions_come_with_their_intent_and_the_official_split(corpus):
    table = tables.load("ask_ubuntu", corpus)
    assert table.texts == ("How do I print?", "Why?")
    assert table.class_names == ("None", "Setup Printer")
    assert table.labels.tolist() == [1, 0]
    assert table.official_train.tolist() == [True, False]


def test_a_corpus_of_another_form_is_refused(tmp_path):
    _write_corpus(tmp_path, [{"text": "no intent"}])
    with pytest.raises(ValueError, match=r"not the corpus as published.*Download"):
        tables.load("ask_ubuntu", tmp_path)


def test_a_missing_corpus_says_what_to_download(tmp_path):
    with pytest.raises(ValueError, match=r"no AskUbuntuCorpus.json. Download http"):
        tables.load("ask_ubuntu", tmp_path)


def test_the_real_corpus_has_the_published_counts(shared):
    table = tables.load("ask_ubuntu", shared("data/askubuntu"))
    assert np.bincount(table.labels).tolist() == [47, 8, 23, 27, 57]
    assert np.bincount(table.labels[table.official_train]).tolist() == [
        10,
        3,
        10,
        13,
        17,
    ]


def test_words_of_43_balanced_questions_are_about_the_published_153(shared):
    table = tables.load("ask_ubuntu", shared("data/askubuntu"))
    training, test = tables.balanced_draw(table.labels, 5, 43, 0, table.official_train)
    assert len(test) == 119
    words = tables.bag_of_words(table, training).features.shape[1]
    assert 143 <= words <= 159


def test_digits_need_no_files_and_are_black_and_white():
    table = tables.load("digits")
    assert table.features.shape == (1797, 64)
    assert table.is_binary
    assert table.image_shape == (8, 8)


def test_the_shared_folder_is_where_tables_are_looked_for(corpus, monkeypatch):
    place = corpus / "shared" / "data" / "askubuntu"
    place.mkdir(parents=True)
    (corpus / "AskUbuntuCorpus.json").rename(place / "AskUbuntuCorpus.json")
    monkeypatch.setenv("QPM_JAX_SHARED", str(corpus / "shared"))
    assert len(tables.load("ask_ubuntu").texts) == 2


def test_where_no_shared_folder_is_named_it_lies_beside_the_working_directory(
    corpus, monkeypatch
):
    place = corpus / "shared" / "data" / "askubuntu"
    place.mkdir(parents=True)
    (corpus / "AskUbuntuCorpus.json").rename(place / "AskUbuntuCorpus.json")
    (corpus / "clone").mkdir()
    monkeypatch.chdir(corpus / "clone")
    monkeypatch.delenv("QPM_JAX_SHARED", raising=False)
    assert len(tables.load("ask_ubuntu").texts) == 2
    monkeypatch.chdir(place)
    with pytest.raises(ValueError, match="root is missing"):
        tables.load("ask_ubuntu")


def test_an_unknown_name_is_refused_with_the_nearest():
    assert "mnist" in tables.names()
    with pytest.raises(ValueError, match="Did you mean mnist"):
        tables.load("minst")
