"""CUB-200-2011 in both its forms: split, boxes, names and attributes."""

import csv
import zipfile

import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets

NAMES = ("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross")
WIDTH, HEIGHT = 40, 20


def _picture():
    """Red grows to the right, green downwards: a crop shows where it was cut."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0] = np.arange(WIDTH)
    pixels[..., 1] = np.arange(HEIGHT)[:, None]
    return Image.fromarray(pixels)


def _paths():
    return [f"{name}/bird_{i}.png" for name in NAMES for i in range(3)]


def _write_lines(path, values):
    lines = [f"{i} {value}" for i, value in enumerate(values, 1)]
    path.write_text("\n".join(lines) + "\n")


def _annotations(root):
    root.mkdir(parents=True, exist_ok=True)
    _write_lines(root / "classes.txt", NAMES)
    _write_lines(root / "images.txt", _paths())
    _write_lines(root / "image_class_labels.txt", [1, 1, 1, 2, 2, 2, 3, 3, 3])
    _write_lines(root / "train_test_split.txt", [1, 0, 1] * 3)
    _write_lines(root / "bounding_boxes.txt", ["10.0 4.0 20.0 8.0"] * 9)
    (root / "attributes").mkdir(exist_ok=True)
    np.savetxt(
        root / "attributes/class_attribute_labels_continuous.txt",
        [[0, 50], [25, 100], [100, 0]],
    )
    _write_lines(root / "attributes/attributes.txt", ["has_bill::hooked", "has_x::y"])


@pytest.fixture
def official(tmp_path):
    root = tmp_path / "CUB_200_2011"
    _annotations(root)
    for path in _paths():
        (root / "images" / path).parent.mkdir(parents=True, exist_ok=True)
        _picture().save(root / "images" / path)
    return root


@pytest.fixture
def subset(tmp_path):
    root = tmp_path / "subset"
    _annotations(root)
    columns = ("image_id", "path", "class_id", "is_training")
    columns += ("orig_w", "orig_h", "w", "h")
    with zipfile.ZipFile(root / "small.zip", "w") as archive:
        for path in _paths()[:6]:
            with archive.open(f"images/{path}", "w") as file:
                _picture().resize((WIDTH // 2, HEIGHT // 2), 0).save(file, "PNG")
    with (root / "small_index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for i, path in enumerate(_paths()[:6]):
            training = int(i % 3 != 1)
            sizes = (WIDTH, HEIGHT, WIDTH // 2, HEIGHT // 2)
            writer.writerow((i + 1, path, i // 3 + 1, training, *sizes))
    return root


def test_the_official_split_is_kept(official):
    cub = datasets.load("cub", root=official)
    np.testing.assert_array_equal(cub.train.labels, [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(cub.test.labels, [0, 1, 2])


def test_class_names_are_words(official):
    cub = datasets.load("cub", root=official, classes=1)
    assert cub.class_names == ("Black footed Albatross",)


def test_the_folder_around_it_will_do(official):
    assert datasets.load("cub", root=official.parent).num_classes == 3


def test_attributes_are_shares(official):
    cub = datasets.load("cub", root=official, classes=2)
    np.testing.assert_array_equal(cub.class_attributes, [[0, 0.5], [0.25, 1]])
    assert cub.attribute_names == ("has_bill::hooked", "has_x::y")


def test_attribute_names_are_found_where_the_archive_has_them(official):
    (official / "attributes/attributes.txt").rename(official.parent / "attributes.txt")
    assert len(datasets.load("cub", root=official).attribute_names) == 2


def test_attributes_are_optional(official):
    (official / "attributes/attributes.txt").unlink()
    assert datasets.load("cub", root=official).class_attributes is None


def test_boxes_are_cut_out(official):
    image = datasets.load("cub", root=official).train.images[0]
    assert image.shape == (8, 20, 3)
    assert tuple(image[0, 0]) == (10, 4, 0)


def test_uncropped_images_are_whole(official):
    cub = datasets.load("cub", root=official, cropped=False)
    assert cub.train.images[0].shape == (HEIGHT, WIDTH, 3)


def test_boxes_past_the_edge_are_clipped(official):
    _write_lines(official / "bounding_boxes.txt", ["30.0 -2.0 20.0 8.0"] * 9)
    assert datasets.load("cub", root=official).train.images[0].shape == (6, 10, 3)


def test_the_small_form_scales_the_boxes(subset):
    cub = datasets.load("cub", root=subset)
    assert cub.num_classes == 2
    image = cub.train.images[0]
    assert image.shape == (4, 10, 3)
    assert image[0, 0, 0] in (10, 11)


def test_part_of_the_images_is_enough(official):
    for path in (official / "images" / NAMES[2]).iterdir():
        path.unlink()
    (official / "images" / NAMES[2]).rmdir()
    assert datasets.load("cub", root=official).num_classes == 2


def test_the_root_may_come_from_the_shared_folder(official, monkeypatch):
    shared = official.parent / "shared"
    (shared / "data").mkdir(parents=True)
    official.rename(shared / "data/cub")
    monkeypatch.setenv("QPM_JAX_SHARED", str(shared))
    assert datasets.load("cub").num_classes == 3
    (shared.parent / "clone").mkdir()
    monkeypatch.chdir(shared.parent / "clone")
    monkeypatch.delenv("QPM_JAX_SHARED")
    assert datasets.load("cub").num_classes == 3
    monkeypatch.chdir(shared / "data")
    with pytest.raises(ValueError, match="root is missing"):
        datasets.load("cub")


@pytest.mark.parametrize("classes", [0, 4])
def test_more_classes_than_there_are_is_refused(official, classes):
    with pytest.raises(ValueError, match=f"classes must be 1 to 3.*got {classes}"):
        datasets.load("cub", root=official, classes=classes)


def _break(root, name, text):
    (root / name).write_text(text)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("images.txt", "1 a/b.png\n", "number different images"),
        ("images.txt", "one a/b.png\n", r"images\.txt, line 1: expected a number"),
        ("bounding_boxes.txt", "1 2.0 3.0\n", "no four numbers for image 1 "),
        ("bounding_boxes.txt", "9 1.0 1.0 2.0 2.0\n", "no four numbers for image 1 "),
        (
            "attributes/class_attribute_labels_continuous.txt",
            "1 2 3\n",
            r"is \[1, 3\], expected at least 3 rows of 2",
        ),
    ],
)
def test_a_broken_annotation_file_is_named(official, name, text, message):
    _break(official, name, text)
    with pytest.raises(ValueError, match=message):
        datasets.load("cub", root=official)


def test_a_missing_annotation_file_is_named(official):
    (official / "train_test_split.txt").unlink()
    with pytest.raises(ValueError, match=r"train_test_split\.txt is missing"):
        datasets.load("cub", root=official)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not the CUB-200-2011 folder"):
        datasets.load("cub", root=tmp_path)


def test_a_missing_photo_is_named(official):
    lost = "002.Laysan_Albatross/bird_1.png"
    (official / "images" / lost).unlink()
    with pytest.raises(ValueError, match=rf"lacks 1 of the 9 photos.*{lost}; unpack"):
        datasets.load("cub", root=official)
    assert len(datasets.load("cub", root=official, classes=1).train) == 2


def test_annotations_without_images_are_refused(tmp_path):
    _annotations(tmp_path)
    with pytest.raises(ValueError, match=r"found 0 \.zip and 0 \*_index\.csv.*curl"):
        datasets.load("cub", root=tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(ValueError, match="holds no image"):
        datasets.load("cub", root=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("image_id,path\n1,a\n", "needs the columns"), ("image_id\n", "lists no images")],
)
def test_a_broken_index_is_named(subset, text, message):
    _break(subset, "small_index.csv", text)
    with pytest.raises(ValueError, match=message):
        datasets.load("cub", root=subset)


def test_the_fifty_real_classes_load(shared):
    cub = datasets.load("cub50", root=shared("data/cub"))
    assert (len(cub.train), len(cub.test)) == (1500, 1389)
    assert cub.num_classes == 50
    assert cub.class_attributes.shape == (50, 312)
    image = cub.train.images[0]
    # image 2: 500x336 pixels, box 139 30 153 264, here 286x192
    assert image.shape == (168 - 17, 167 - 80, 3)


def test_a_tenth_of_the_real_crops_decode(shared):
    cub = datasets.load("cub50", root=shared("data/cub"))
    for index in range(0, len(cub.test), 10):
        assert min(cub.test.images[index].shape[:2]) >= 20
