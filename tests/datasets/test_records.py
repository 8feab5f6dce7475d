"""Sets that tensorflow-datasets prepared: written and read by it, TensorFlow absent."""

import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets
from qpm_jax.datasets import records

BIRDS = ("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross")
WIDTH, HEIGHT = 40, 20


def _encoded(image, kind="JPEG"):
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind)
    return buffer.getvalue()


def _photo(number):
    """Red counts the photos; green grows to the right, so that crops show."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = 20 * number, np.arange(WIDTH)
    return pixels


def _bird(number, photo=None):
    import tensorflow_datasets as tfds

    label = number % len(BIRDS)
    photo = _encoded(_photo(number), "PNG") if photo is None else photo
    return {
        "image": io.BytesIO(photo),
        "image/filename": f"CUB_200_2011/images/{BIRDS[label]}/{number}.jpg",
        "label": label,
        "label_name": BIRDS[label][4:].lower(),
        "bbox": tfds.features.BBox(ymin=0.25, xmin=0.125, ymax=0.75, xmax=0.5),
        "segmentation_mask": io.BytesIO(_encoded(_photo(0)[..., 0], "PNG")),
    }


@pytest.fixture
def birds(tmp_path, monkeypatch, write_birds):
    """Seven training and three test photos of three classes."""
    monkeypatch.setenv("QPM_JAX_SHARED", str(tmp_path))
    write_birds(tmp_path, [_bird(n) for n in range(7)], [_bird(n) for n in (7, 8, 9)])
    return tmp_path


def test_photos_and_labels_come_in_the_order_of_the_records(birds):
    cub = datasets.load("cub", data_dir=birds, cropped=False)
    np.testing.assert_array_equal(cub.train.labels, [0, 1, 2, 0, 1, 2, 0])
    np.testing.assert_array_equal(cub.test.labels, [1, 2, 0])
    for number in (0, 3, 6):  # of both files
        np.testing.assert_array_equal(cub.train.images[number], _photo(number))
    np.testing.assert_array_equal(cub.test.images[1], _photo(8))


def test_classes_are_called_by_their_folders(birds):
    cub = datasets.load("cub", data_dir=birds)
    expected = ("Black footed Albatross", "Laysan Albatross", "Sooty Albatross")
    assert cub.class_names == expected
    assert cub.mean == (0.4853, 0.4964, 0.4295)


def test_the_bounding_boxes_are_cut_out(birds):
    image = datasets.load("cub", data_dir=birds).train.images[2]
    np.testing.assert_array_equal(image, _photo(2)[5:15, 5:20])


def test_boxes_count_stored_pixels(birds, write_birds):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned a quarter
    buffer = io.BytesIO()
    Image.fromarray(_photo(1)).save(buffer, "PNG", exif=exif)
    photos = [_bird(0, buffer.getvalue()), _bird(1)]
    write_birds(birds / "turned", photos, [_bird(2)])
    cub = datasets.load("cub", data_dir=birds / "turned")
    np.testing.assert_array_equal(cub.train.images[0], _photo(1)[5:15, 5:20])


def test_the_first_classes_are_taken(birds):
    cub = datasets.load("cub", data_dir=birds, classes=2, cropped=False)
    np.testing.assert_array_equal(cub.train.labels, [0, 1, 0, 1, 0])
    np.testing.assert_array_equal(cub.train.images[2], _photo(3))
    with pytest.raises(ValueError, match=r"classes must be 1 to 3.*got 4"):
        datasets.load("cub", data_dir=birds, classes=4)


def test_the_folder_may_come_from_the_environment(birds, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(birds))
    assert len(datasets.load("cub").train) == 7


def test_attributes_come_from_the_original_folder_where_it_is_named(birds):
    root = birds / "CUB_200_2011"
    (root / "attributes").mkdir(parents=True)
    names = "\n".join(f"{i} {name}" for i, name in enumerate(BIRDS, 1))
    (root / "classes.txt").write_text(names)
    (root / "attributes/attributes.txt").write_text("1 has_bill::hooked\n2 x::y\n")
    np.savetxt(
        root / "attributes/class_attribute_labels_continuous.txt",
        [[0, 50], [25, 100], [100, 0]],
    )
    cub = datasets.load("cub", root=root, data_dir=birds)
    np.testing.assert_array_equal(cub.class_attributes, [[0, 0.5], [0.25, 1], [1, 0]])
    assert len(cub.train) == 7


def test_the_newest_version_is_read(birds, write_birds):
    write_birds(birds, [_bird(n) for n in range(2)], [_bird(0)], version="10.0.0")
    assert len(datasets.load("cub", data_dir=birds).train) == 2


def test_the_labels_are_read_from_the_records_only_once(birds, monkeypatch):
    first = datasets.load("cub", data_dir=birds)

    def fail(*_):
        raise AssertionError("read again")

    monkeypatch.setattr(records, "_read_notes", fail)
    again = datasets.load("cub", data_dir=birds)
    np.testing.assert_array_equal(first.train.labels, again.train.labels)
    np.testing.assert_array_equal(first.train.images[1], again.train.images[1])


def test_kept_labels_of_other_records_are_not_taken(birds, tmp_path):
    datasets.load("cub", data_dir=birds)
    for path in (tmp_path / "kept").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert len(datasets.load("cub", data_dir=birds).train) == 7


def test_a_cache_folder_that_cannot_be_written_is_no_error(birds, monkeypatch, caplog):
    (birds / "file").write_text("")
    monkeypatch.setenv("QPM_JAX_CACHE", str(birds / "file" / "folder"))
    assert len(datasets.load("cub", data_dir=birds).train) == 7
    assert "are not kept" in caplog.text


def test_their_state_is_that_of_the_set_the_split_and_the_cut(birds):
    cub = datasets.load("cub", data_dir=birds)
    whole = datasets.load("cub", data_dir=birds, cropped=False)
    before = cub.train.images.files_state()
    assert before == datasets.load("cub", data_dir=birds).train.images.files_state()
    others = [split.images.files_state() for split in (cub.test, whole.train)]
    assert len({before, *others}) == 3
    records_file = next(birds.glob("*/*/*train*array_record*"))
    records_file.write_bytes(records_file.read_bytes() + b" ")
    assert before != cub.train.images.files_state()


def test_photos_move_to_another_process(birds):
    cub = datasets.load("cub", data_dir=birds)
    copy = pickle.loads(pickle.dumps(cub.train))
    np.testing.assert_array_equal(copy.images[4], cub.train.images[4])


def test_a_photo_that_cannot_be_decoded_is_named(birds, write_birds):
    data_dir = birds / "broken"
    write_birds(data_dir, [_bird(0, b"no photo"), _bird(1)], [_bird(2)])
    cub = datasets.load("cub", data_dir=data_dir)
    with pytest.raises(
        ValueError, match=r"train, record 0 \(CUB_200_2011/.*/0.jpg\) cannot be decoded"
    ):
        cub.train.images[0]


def test_cmyk_and_greyscale_photos_become_rgb(birds, write_birds):
    cmyk = Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 255, 0))
    grey = Image.new("L", (WIDTH, HEIGHT), 80)
    photos = [_bird(0, _encoded(cmyk)), _bird(1, _encoded(grey))]
    write_birds(birds / "odd", photos, [_bird(2)])
    images = datasets.load("cub", data_dir=birds / "odd").train.images
    assert np.abs(images[0].astype(int) - (255, 0, 0)).max() < 6
    np.testing.assert_array_equal(images[1], 80)


def test_a_set_that_is_not_there_names_the_command_that_prepares_it(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("QPM_JAX_SHARED", str(tmp_path))
    with pytest.raises(ValueError) as caught:  # noqa: PT011, matched below
        datasets.load("cub", data_dir=tmp_path)
    message = str(caught.value)
    assert f"caltech_birds2011 is not in {tmp_path}; prepare it once" in message
    assert "pip install tensorflow opencv-python-headless" in message
    command = "tfds build caltech_birds2011 --file_format=array_record"
    assert f"{command} --data_dir={tmp_path}`" in message
    assert "root=<the folder that CUB_200_2011.tgz unpacks to>" in message


# Earlier versions of tensorflow-datasets do not say which files they wrote.
@pytest.mark.parametrize("description", ['{"fileFormat": "tfrecord"}', "{}"])
def test_files_that_cannot_be_read_by_number_are_named(birds, description):
    info = birds / "caltech_birds2011/0.2.0"
    info.mkdir(parents=True, exist_ok=True)
    (birds / "caltech_birds2011/1.0.0/dataset_info.json").unlink()
    (info / "dataset_info.json").write_text(description)
    with pytest.raises(
        ValueError, match=r"prepared as tfrecord.*tfds convert_format --dataset_version"
    ):
        datasets.load("cub", data_dir=birds)


def _named_features(names, boxed):
    import tensorflow_datasets as tfds

    features = {
        "image": tfds.features.Image(),
        "label": tfds.features.ClassLabel(names=list(names)),
    }
    return features | ({"bbox": tfds.features.BBoxFeature()} if boxed else {})


def test_stanford_cars_are_read_whole_with_their_class_names(tmp_path, write_set):
    import tensorflow_datasets as tfds

    cars = [
        {
            "image": io.BytesIO(_encoded(_photo(n), "PNG")),
            "label": n % 2,
            "bbox": tfds.features.BBox(0.0, 0.0, 0.5, 0.5),
        }
        for n in range(4)
    ]
    features = _named_features(("Audi R8 Coupe 2012", "BMW M3"), boxed=True)
    write_set(tmp_path, "cars196", {"train": cars[:3], "test": cars[3:]}, features)
    loaded = datasets.load("stanford_cars", data_dir=tmp_path)
    assert loaded.class_names == ("Audi R8 Coupe 2012", "BMW M3")
    np.testing.assert_array_equal(loaded.train.images[1], _photo(1))
    np.testing.assert_array_equal(loaded.test.labels, [1])


def test_of_imagenet_the_validation_photos_are_the_test(tmp_path, write_set):
    photos = [
        {"image": io.BytesIO(_encoded(_photo(n), "PNG")), "label": n % 2}
        for n in range(5)
    ]
    features = _named_features(("n01440764", "n01443537"), boxed=False)
    splits = {"train": photos[:3], "validation": photos[3:]}
    write_set(tmp_path, "imagenet2012", splits, features)
    loaded = datasets.load("imagenet", data_dir=tmp_path)
    assert loaded.class_names == ("n01440764", "n01443537")
    assert (len(loaded.train), len(loaded.test)) == (3, 2)
    np.testing.assert_array_equal(loaded.test.images[0], _photo(3))


def test_a_set_without_a_split_or_boxes_is_refused(tmp_path, write_set):
    photos = [{"image": io.BytesIO(_encoded(_photo(1), "PNG")), "label": 0}]
    features = _named_features(("n01440764",), boxed=False)
    folder = write_set(tmp_path, "imagenet2012", {"train": photos}, features)
    with pytest.raises(ValueError, match=r"no split 'validation', only \['train'\]"):
        datasets.load("imagenet", data_dir=tmp_path)
    with pytest.raises(ValueError, match="no bounding boxes; load the set uncropped"):
        records.read(folder, "train", boxed=True, cache_bytes=0)


def test_reading_needs_no_tensorflow(birds):
    program = (
        "import sys; from qpm_jax import datasets;"
        f"d = datasets.load('cub', data_dir={str(birds)!r}); d.train.images[0];"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
