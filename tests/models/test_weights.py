import csv
import io
import itertools
import zipfile

import jax
import numpy as np
import pytest

from qpm_jax import models

# (in, out, expansion, stride, kernel) of every block, written out by hand.
LITE_BLOCKS = [
    (32, 16, 1, 3),
    (16, 24, 6, 3),
    (24, 24, 6, 3),
    (24, 40, 6, 5),
    (40, 40, 6, 5),
    (40, 80, 6, 3),
    (80, 80, 6, 3),
    (80, 80, 6, 3),
    (80, 112, 6, 5),
    (112, 112, 6, 5),
    (112, 112, 6, 5),
    (112, 192, 6, 5),
    (192, 192, 6, 5),
    (192, 192, 6, 5),
    (192, 192, 6, 5),
    (192, 320, 6, 3),
]
MOBILENET_CHANNELS = [32, 16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96]
MOBILENET_CHANNELS += [160, 160, 160, 320]


def torch_shapes(num_classes):
    shapes = {
        "_conv_stem.weight": (32, 3, 3, 3),
        "_conv_head.weight": (1280, 320, 1, 1),
    }
    norms = {"_bn0": 32, "_bn1": 1280}
    for number, (width, out, expansion, size) in enumerate(LITE_BLOCKS):
        key, inner = f"_blocks.{number}", width * expansion
        if expansion > 1:
            shapes[f"{key}._expand_conv.weight"] = (inner, width, 1, 1)
            norms[f"{key}._bn0"] = inner
        shapes[f"{key}._depthwise_conv.weight"] = (inner, 1, size, size)
        shapes[f"{key}._project_conv.weight"] = (out, inner, 1, 1)
        norms |= {f"{key}._bn1": inner, f"{key}._bn2": out}
    for key, width in norms.items():
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{key}.{part}"] = (width,)
        shapes[f"{key}.num_batches_tracked"] = ()
    return shapes | {"_fc.weight": (num_classes, 1280), "_fc.bias": (num_classes,)}


def folded_shapes(num_classes):
    shapes = {"stem/w": (3, 3, 3, 32), "head/w": (1, 1, 320, 1280)}
    pairs = itertools.pairwise(MOBILENET_CHANNELS)
    for number, (width, out) in enumerate(pairs):
        inner = width if number == 0 else 6 * width
        if number:
            shapes[f"block{number:02d}/expand/w"] = (1, 1, width, inner)
        shapes[f"block{number:02d}/depthwise/w"] = (3, 3, 1, inner)
        shapes[f"block{number:02d}/project/w"] = (1, 1, inner, out)
    shapes["logits/w"] = (1280, num_classes)
    biases = {
        key[:-1] + "b": (max(shape[-2:]) if "depthwise" in key else shape[-1],)
        for key, shape in shapes.items()
    }
    return shapes | biases


def random_arrays(shapes):
    rng = np.random.default_rng(0)
    return {
        key: np.abs(0.1 * rng.standard_normal(shape, np.float32))
        for key, shape in shapes.items()
    }


@pytest.fixture(scope="module")
def torch_state():
    return random_arrays(torch_shapes(num_classes=3))


@pytest.fixture(scope="module")
def folded_arrays():
    return random_arrays(folded_shapes(num_classes=4))


def shapes_of(tree):
    return jax.tree.map(np.shape, tree)


def initial_shapes(name, num_classes):
    module = models.create(name, num_classes)
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), np.float32)
    variables = jax.eval_shape(module.init, jax.random.key(0), image)
    return jax.tree.map(lambda leaf: leaf.shape, variables)


def test_a_torch_state_dict_fills_every_variable(torch_state):
    assert len(torch_state) == 296
    variables = models.from_torch_state_dict("efficientnet_lite0", torch_state)
    assert shapes_of(variables) == initial_shapes("efficientnet_lite0", 3)
    params = variables["params"]["backbone"]
    np.testing.assert_array_equal(
        params["stem"]["kernel"],
        torch_state["_conv_stem.weight"].transpose(2, 3, 1, 0),
    )
    np.testing.assert_array_equal(
        params["block03"]["depthwise"]["kernel"][1, 4],
        torch_state["_blocks.3._depthwise_conv.weight"][:, 0, 1, 4],
    )
    np.testing.assert_array_equal(
        variables["batch_stats"]["backbone"]["block00"]["project_norm"]["var"],
        torch_state["_blocks.0._bn2.running_var"],
    )
    np.testing.assert_array_equal(
        variables["params"]["head"]["kernel"], torch_state["_fc.weight"].T
    )


def in_timm_names(state):
    """EfficientNet-Lite0's arrays as timm calls them: blocks counted by stages."""
    first, others = ["conv_dw", "conv_pw"], ["conv_pw", "conv_dw", "conv_pwl"]
    renamed = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head"}
    renamed |= {"_bn1": "bn2", "_fc": "classifier"}
    numbers = itertools.count()
    for stage, repeats in enumerate((1, 2, 2, 3, 3, 4, 1)):
        for index in range(repeats):
            old, new = f"_blocks.{next(numbers)}", f"blocks.{stage}.{index}"
            names = first if stage == 0 else others
            old_parts = ["depthwise", "project"] if stage == 0 else PARTS
            for number, (name, part) in enumerate(zip(names, old_parts, strict=True)):
                renamed[f"{old}._{part}_conv"] = f"{new}.{name}"
                bn = number + 1 if stage == 0 else number
                renamed[f"{old}._bn{bn}"] = f"{new}.bn{number + 1}"
    keys = {key: key.rsplit(".", 1) for key in state}
    return {f"{renamed[k]}.{leaf}": state[key] for key, (k, leaf) in keys.items()}


PARTS = ["expand", "depthwise", "project"]


def test_lite0_is_read_in_the_names_of_its_port_in_timm(torch_state):
    arrays = in_timm_names(torch_state)
    assert "blocks.5.3.bn2.running_var" in arrays
    jax.tree.map(
        np.testing.assert_array_equal,
        models.from_torch_state_dict("efficientnet_lite0", arrays),
        models.from_torch_state_dict("efficientnet_lite0", torch_state),
    )


def test_lite0_of_another_padding_and_epsilon_is_refused():
    # It has the very same names and shapes, so that only its id tells.
    with pytest.raises(
        ValueError, match=r"another network.*timm/tf_efficientnet_lite0"
    ):
        models.load_weights("efficientnet_lite0", "timm/efficientnet_lite0.ra_in1k")


def test_a_file_of_folded_arrays_fills_every_variable(folded_arrays, tmp_path):
    np.savez(tmp_path / "weights.npz", **folded_arrays)
    variables = models.load_weights("mobilenet_v2_tf", tmp_path / "weights.npz")
    assert shapes_of(variables) == initial_shapes("mobilenet_v2_tf", 4)
    np.testing.assert_array_equal(
        variables["params"]["backbone"]["block05"]["depthwise"]["kernel"],
        folded_arrays["block05/depthwise/w"][:, :, 0],
    )
    np.testing.assert_array_equal(
        variables["params"]["head"]["bias"], folded_arrays["logits/b"]
    )


def test_everything_that_does_not_fit_is_listed_at_once(torch_state):
    broken = dict(torch_state, extra=np.zeros(2))
    del broken["_bn1.bias"]
    broken["_conv_stem.weight"] = np.zeros((32, 3, 5, 5))
    with pytest.raises(ValueError, match="do not fit") as caught:
        models.from_torch_state_dict("efficientnet_lite0", broken)
    message = str(caught.value)
    assert "missing: _bn1.bias (1280,)" in message
    assert "misshaped: _conv_stem.weight (32, 3, 5, 5), expected (32, 3, 3, 3)" in (
        message
    )
    assert "unknown: extra" in message
    assert message.count("\n") == 3


def test_a_backbone_alone_is_read_without_a_head(folded_arrays, tmp_path):
    kept = {key: array for key, array in folded_arrays.items() if "logits" not in key}
    np.savez(tmp_path / "headless.npz", **kept)
    variables = models.load_weights("mobilenet_v2_tf", tmp_path / "headless.npz")
    assert set(variables["params"]) == {"backbone"}


@pytest.mark.parametrize(
    ("absent", "shape"), [("logits/w", "(1280, 4)"), ("logits/b", "(4,)")]
)
def test_half_a_head_is_reported(folded_arrays, tmp_path, absent, shape):
    kept = {key: array for key, array in folded_arrays.items() if key != absent}
    np.savez(tmp_path / "half.npz", **kept)
    with pytest.raises(ValueError, match="do not fit") as caught:
        models.load_weights("mobilenet_v2_tf", tmp_path / "half.npz")
    assert f"missing: {absent} {shape}" in str(caught.value)
    assert str(caught.value).count("\n") == 1


def test_a_head_without_its_bias_is_reported_in_pytorchs_axes_too(torch_state):
    kept = {key: array for key, array in torch_state.items() if key != "_fc.bias"}
    with pytest.raises(ValueError, match=r"missing: _fc\.bias \(3,\)$") as caught:
        models.from_torch_state_dict("efficientnet_lite0", kept)
    assert str(caught.value).count("\n") == 1


def test_a_truncated_file_is_named(tmp_path):
    whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
    np.savez(whole, values=np.arange(1000.0))
    for length in (3000, 100, 0):
        cut.write_bytes(whole.read_bytes()[:length])
        with pytest.raises(ValueError, match=r"cut\.npz' is no readable \.npz file"):
            models.load_weights("mobilenet_v2_tf", cut)


def test_a_file_of_another_kind_is_named(tmp_path):
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    (tmp_path / "text.npz").write_text("not an archive")
    for name in ("one.npz", "text.npz"):
        with pytest.raises(ValueError, match=f"{name}' is no readable"):
            models.load_weights("mobilenet_v2_tf", tmp_path / name)
    with pytest.raises(ValueError, match=r"no file '.*absent"):
        models.load_weights("mobilenet_v2_tf", tmp_path / "absent.npz")


def test_models_without_published_weights_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no published weights for 'resnet_small'"):
        models.load_weights("resnet_small", tmp_path)
    with pytest.raises(ValueError, match=r"no PyTorch names .* 'mobilenet_v2_tf'"):
        models.from_torch_state_dict("mobilenet_v2_tf", {})
    with pytest.raises(ValueError, match="Did you mean mobilenet_v2_tf"):
        models.load_weights("mobilenet_v2_tff", tmp_path)


def test_transfer_keeps_the_backbone_and_takes_the_new_head(torch_state):
    loaded = models.from_torch_state_dict("efficientnet_lite0", torch_state)
    head = {"kernel": np.zeros((1280, 7)), "bias": np.zeros(7)}
    new = {
        "params": {"backbone": loaded["params"]["backbone"], "head": head},
        "batch_stats": jax.tree.map(np.zeros_like, loaded["batch_stats"]),
    }
    moved = models.transfer(new, loaded)
    assert moved["params"]["head"] is head
    assert moved["params"]["backbone"] is loaded["params"]["backbone"]
    assert moved["batch_stats"] is loaded["batch_stats"]


def test_transfer_keeps_a_head_of_as_many_classes():
    def variables(value):
        head = {"kernel": np.full((2, 3), value), "bias": np.full(3, value)}
        return {"params": {"backbone": {"scale": np.ones(1)}, "head": head}}

    moved = models.transfer(variables(0.0), variables(1.0))
    np.testing.assert_array_equal(moved["params"]["head"]["bias"], np.ones(3))


def test_transfer_refuses_another_backbone():
    new = {"params": {"backbone": {"a": np.ones(1), "b": np.ones(2)}, "head": {}}}
    loaded = {"params": {"backbone": {"a": np.ones(3)}, "head": {}}}
    with pytest.raises(ValueError, match="not the backbone") as caught:
        models.transfer(new, loaded)
    assert "['a']: (3,) loaded, (1,) needed" in str(caught.value)
    assert "['b']: absent loaded, (2,) needed" in str(caught.value)


def photos(shared, count):
    """The first `count` ImageNet photos, normalised, and their published answers."""
    image_module = pytest.importorskip("PIL.Image")
    folder = shared("data/imagenet_samples")
    with (folder / "index.csv").open() as file:
        rows = list(csv.DictReader(file))[:count]
    with zipfile.ZipFile(folder / "imagenet_100x224.zip") as archive:
        by_name = {path.split("/")[-1]: path for path in archive.namelist()}
        images = [
            np.asarray(
                image_module.open(
                    io.BytesIO(archive.read(by_name[row["file"]]))
                ).convert("RGB")
            )
            for row in rows
        ]
    found = models.specification("efficientnet_lite0")
    scaled = (np.stack(images) / 255 - np.array(found.mean)) / np.array(found.std)
    return scaled, [int(row["pred_efficientnet_lite0"]) for row in rows]


def test_lite0_gives_the_reference_logits_on_real_photos(shared):
    variables = models.load_weights(
        "efficientnet_lite0", shared("data/weights/efficientnet_lite0_imagenet.npz")
    )
    images, predicted = photos(shared, count=20)
    apply = jax.jit(models.create("efficientnet_lite0", 1000).apply)
    logits = np.concatenate([apply(variables, half)[0] for half in np.split(images, 2)])
    published = np.load(shared("data/imagenet_samples/lite0_logits_first10.npz"))
    np.testing.assert_allclose(logits[:10], published["logits"], atol=1e-4)
    np.testing.assert_array_equal(logits.argmax(axis=1), predicted)


def test_the_bird_mobilenet_names_the_parrot(shared):
    image_module = pytest.importorskip("PIL.Image")
    folder = shared("data/weights")
    variables = models.load_weights(
        "mobilenet_v2_tf", folder / "mobilenet_v2_1.0_224_inat_bird_dequant.npz"
    )
    photo = image_module.open(folder / "parrot.jpg").convert("RGB").resize((224, 224))
    image = np.asarray(photo, np.float32)[None] / 128 - 1
    module = models.create("mobilenet_v2_tf", 965)
    logits, features, maps = jax.jit(module.apply)(variables, image)
    labels = (folder / "inat_bird_labels.txt").read_text().splitlines()
    assert labels[int(logits.argmax())] == "Ara macao (Scarlet Macaw)"
    assert features.shape == (1, 1280)
    assert maps.shape == (1, 7, 7, 1280)
    assert maps.min() >= 0
