import gzip

import numpy as np
import pytest

from qpm_jax.datasets import tables
from qpm_jax.datasets.tables import flags

UCI_ROWS = [
    # name, six columns that are dropped (religion among them), bars … botright
    "Alpha,5,1,648,16,10,2,0,3,5,1,1,0,1,1,1,0,green,0,0,0,0,1,0,0,1,0,0,black,green",
    "Beta,3,1,29,3,6,6,0,0,3,1,0,0,1,0,1,0,red,0,0,0,0,1,0,0,0,1,0,red,red",
    "Gamma,4,1,2388,20,8,0,2,0,3,1,1,0,0,1,0,0,white,0,0,0,0,1,1,0,0,0,0,green,white",
    "Delta,4,1,2388,20,8,1,0,9,2,1,1,0,0,1,0,0,white,0,0,0,0,1,1,0,0,0,0,green,white",
    "Eps,4,1,2388,20,8,5,0,0,1,1,1,0,0,1,0,0,blue,2,0,0,0,7,1,0,0,0,0,gold,brown",
    "Buddhist,4,1,8,20,8,3,2,0,3,1,1,0,0,1,0,0,red,0,0,0,0,1,1,0,0,0,0,green,white",
]
HEADER = (
    "Country,Continent,Zone,Area(km),Population(millions),Language,Religion,Bars,"
    "Stripes,Colours,Red,Green,Blue,Gold,White,Black,Orange,Main-hue,Circles,Crosses,"
    "Saltires,Quarters,Sunstars,Crescent,Triangle,Icon,Animate,Text,Topleft,Botright"
)


@pytest.fixture
def uci(tmp_path):
    (tmp_path / "flag.data").write_text("\n".join(UCI_ROWS) + "\n")
    return tmp_path


def _pmlb_lines(table, targets):
    lines = [["target", *table.feature_names]]
    lines += [[t, *r] for t, r in zip(targets, table.features.tolist(), strict=True)]
    return "\n".join("\t".join(map(str, line)) for line in lines) + "\n"


def test_the_original_file_gives_the_five_largest_religions(uci):
    table = tables.load("flags_counts", uci)
    assert table.labels.tolist() == [2, 4, 0, 1, 3]
    assert table.class_names[2] == "Muslim"
    row = dict(zip(table.feature_names, table.features[0].tolist(), strict=True))
    assert (row["stripes"], row["colors"], row["gold"], row["orange"]) == (3, 5, 1, 0)
    assert (row["mainhue_green"], row["mainhue_red"], row["topleft_black"]) == (1, 0, 1)
    assert row["botright_green"] == 1


def test_columns_go_by_their_names_where_there_is_a_header(uci, tmp_path):
    before = tables.load("flags_counts", uci)
    order = np.random.default_rng(0).permutation(24) + 6  # religion stays the seventh
    order = [*range(6), 6, *order[order != 6]]
    lines = [line.split(",") for line in (HEADER, *UCI_ROWS)]
    (tmp_path / "flag.data").write_text(
        "\n".join(",".join(line[place] for place in order) for line in lines)
    )
    assert np.array_equal(tables.load("flags_counts", uci).features, before.features)


@pytest.mark.parametrize("targets", [[2, 6, 0, 1, 5], [2, 4, 0, 1, 3]])
@pytest.mark.parametrize("packed", [False, True])
def test_the_pmlb_file_gives_the_same_however_its_target_is_coded(uci, packed, targets):
    before = tables.load("flags_counts", uci)
    content = _pmlb_lines(before, targets).encode()
    name = "flags.tsv.gz" if packed else "flags.tsv"
    (uci / "flag.data").unlink()
    (uci / name).write_bytes(gzip.compress(content) if packed else content)
    after = tables.load("flags_counts", uci)
    assert np.array_equal(after.features, before.features)
    assert np.array_equal(after.labels, before.labels)


def test_counts_become_one_above_their_median_and_other_columns_stay(uci):
    counts, binary = tables.load("flags_counts", uci), tables.load("flags", uci)
    assert binary.is_binary
    column = counts.feature_names.index
    assert counts.features[:, column("colors")].tolist() == [5, 3, 3, 2, 1]
    assert binary.features[:, column("colors")].tolist() == [1, 0, 0, 0, 0]
    assert binary.features[:, column("sunstars")].tolist() == [0, 0, 0, 0, 1]
    assert binary.features[:, column("red")].tolist() == [1] * 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n".join(UCI_ROWS[:3]), "has 3 religions"),
        (UCI_ROWS[0].replace("green", "teal"), "mainhue 'teal'"),
        (UCI_ROWS[0] + ",1", "not as PMLB or UCI"),
        ("a,b", "not as PMLB or UCI"),
        ("", "not as PMLB or UCI"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, text, message):
    (tmp_path / "flag.data").write_text(text)
    with pytest.raises(ValueError, match=message):
        tables.load("flags", tmp_path)


def test_without_files_the_error_says_what_to_download(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"no flags.tsv or .*Download"):
        tables.load("flags", tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        tables.load("flags", tmp_path / "nowhere")
    monkeypatch.setenv("QPM_JAX_SHARED", str(tmp_path))
    with pytest.raises(ValueError, match=r"root is missing. Download"):
        tables.load("flags")


def test_the_real_flags_are_those_of_the_paper_from_either_file(shared, tmp_path):
    table = tables.load("flags_counts", shared("data/flags"))
    assert table.features.shape == (178, 43)
    assert np.bincount(table.labels).tolist() == [40, 60, 36, 27, 15]
    binary = ((table.features == 0) | (table.features == 1)).all(axis=0)
    assert binary.sum() == 36
    uci = shared("data/flags/uci_flag.data").read_text()
    (tmp_path / "flag.data").write_text(uci)
    other = flags.load_counts(tmp_path)
    assert np.array_equal(other.features, table.features)
    assert np.array_equal(other.labels, table.labels)
