import json

import pytest

from qpm_jax import models
from qpm_jax.models.resnet_small import ResNetSmall
from qpm_jax.phases import ablation, setting
from qpm_jax.phases import workdir as folders

pytestmark = pytest.mark.slow


def small_network(name, num_classes, **options):
    """In the place of `resnet_small`, with as many features: quick to compile."""
    del name
    backbone = ResNetSmall((8, 192), (8, 8), (1, 1), (2, 2))
    return models.Classifier(backbone, num_classes, options["dropout"])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One seed on the smallest digits, as short as training can be, and small."""
    from qpm_jax.config import default

    config = default()
    config.dataset.name = "digits"
    config.image_size = 8
    config.num_features = 8
    config.per_class = 3
    config.batch_size = 128
    config.dense.epochs = config.finetune.epochs = 1
    config.dense.learning_rate = config.dense.head_learning_rate = 0.05
    config.assign.time_limit = 1.0
    workdir = tmp_path_factory.mktemp("ablation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setting.models, "create", small_network)
        return workdir, ablation.run(config, workdir, seeds=[3])


def test_every_row_has_a_result_a_seed(results):
    _, rows = results
    assert set(rows) == {"dense", *ablation.VARIANTS}
    assert all(len(metrics) == 1 for metrics in rows.values())


def test_variants_differ_in_what_they_leave_out(results):
    workdir, _ = results
    for name, changes in ablation.VARIANTS.items():
        config = folders.read_config(workdir / "seed3" / name)
        assert config.seed == 3
        for key, value in changes.items():
            section, leaf = key.split(".")
            assert config[section][leaf] == value


def test_variants_with_the_same_dense_model_share_it(results):
    workdir, _ = results
    done = [
        folders.facts(workdir / "seed3" / name, "dense")["finished"]
        for name in ablation.VARIANTS
    ]
    full, without_diversity, *shared = done
    assert shared == [full, full]
    assert without_diversity != full
    facts = folders.facts(workdir / "seed3" / "without_redundancy", "assign")
    assert facts["penalised_pairs"] == 0


def test_the_table_is_written_for_people_and_programs(results):
    workdir, rows = results
    table = (workdir / "table.md").read_text()
    assert "without the diversity loss" in table
    assert "±" in table
    stored = json.loads((workdir / "table.json").read_text())
    assert stored["seeds"] == [3]
    assert stored["qpm"] == rows["qpm"]


def test_no_seeds_are_refused(tmp_path):
    from qpm_jax.config import default

    with pytest.raises(ValueError, match="seeds is empty"):
        ablation.run(default(), tmp_path, [])


def test_an_undefined_metric_is_a_dash_in_the_table():
    row = dict.fromkeys(
        ("accuracy", "sid_at_5", "class_independence", "contrastiveness"), 0.5
    )
    row |= {"structural_grounding": None, "correlation": 0.1}
    assert "| – |" in ablation.table({"qpm": [row, row]})
