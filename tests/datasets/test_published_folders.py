"""Stanford Cars, Aircraft, TravelingBirds and ImageNet in the folders they come in."""

import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets

BIRDS = ("001.Black_footed_Albatross", "002.Laysan_Albatross")
WIDTH, HEIGHT = 40, 20

# The command that prepares each set, up to where the folders of this machine follow.
CUB = (
    'curl -L "https://data.caltech.edu/records/65de6-vp158/files/'
    'CUB_200_2011.tgz?download=1" | tar -xz'
)
COMMANDS = {
    "cub": CUB,
    "cub50": CUB,
    "fgvc_aircraft": (
        "curl -L https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/"
        "fgvc-aircraft-2013b.tar.gz | tar -xz"
    ),
    "imagenet": "tfds build imagenet2012 --file_format=array_record",
    "stanford_cars": (
        "pip install kaggle && kaggle datasets download --unzip "
        "rickyyyyyyy/torchvision-stanford-cars"
    ),
    "traveling_birds": (
        "mkdir TravelingBirds && curl -L https://worksheets.codalab.org/rest/bundles/"
        "0x518829de2aa440c79cd9d75ef6669f27/contents/blob/ | tar -xz -C TravelingBirds"
    ),
}


def _save(path, red=0):
    """Green grows to the right, blue downwards: a crop shows where it was cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((HEIGHT, WIDTH, 3), red, np.uint8)
    pixels[..., 1] = np.arange(WIDTH)
    pixels[..., 2] = np.arange(HEIGHT)[:, None]
    Image.fromarray(pixels).save(path, "PNG")  # whatever the ending says


def _lines(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def _message(name, **options):
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the callers match
        datasets.load(name, **options)
    return str(caught.value)


@pytest.mark.parametrize("name", COMMANDS)
def test_without_files_one_message_has_the_command(name, tmp_path, monkeypatch):
    monkeypatch.setenv("QPM_JAX_SHARED", str(tmp_path))
    message = _message(name)
    assert "root is missing" in message
    assert f"`{COMMANDS[name]}" in message


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_of_something_else_is_answered_with_the_command(name, tmp_path):
    message = _message(name, root=tmp_path)
    assert f"root {tmp_path} " in message
    assert f"`{COMMANDS[name]}" in message


@pytest.fixture
def cub_lists(tmp_path):
    root = tmp_path / "CUB_200_2011"
    paths = [f"{name}/{i}.png" for name in BIRDS for i in range(2)]

    def numbered(name, values):
        _lines(root / name, [f"{i} {value}" for i, value in enumerate(values, 1)])

    numbered("classes.txt", BIRDS)
    numbered("images.txt", paths)
    numbered("image_class_labels.txt", [1, 1, 2, 2])
    numbered("train_test_split.txt", [1, 0, 1, 0])
    numbered("bounding_boxes.txt", ["10.0 4.0 20.0 8.0"] * 4)
    return root, paths


@pytest.fixture
def traveling(cub_lists):
    root, paths = cub_lists
    for part, red in (("train", 7), ("test", 9)):
        for path in paths:
            _save(root.parent / "travel/CUB_fixed" / part / path, red)
    return root.parent / "travel", root


def test_birds_travel_between_training_and_test(traveling):
    root, cub = traveling
    loaded = datasets.load("traveling_birds", root=root, cub_root=cub, cropped=False)
    assert loaded.class_names == ("Black footed Albatross", "Laysan Albatross")
    np.testing.assert_array_equal(loaded.train.labels, [0, 1])
    assert loaded.train.images[1][0, 0, 0] == 7
    assert loaded.test.images[1][0, 0, 0] == 9


def test_traveling_birds_are_cut_out_by_cubs_boxes(traveling):
    root, cub = traveling
    image = datasets.load("traveling_birds", root=root, cub_root=cub).test.images[0]
    assert image.shape == (8, 20, 3)
    assert tuple(image[0, 0]) == (9, 10, 4)


def test_what_traveling_birds_lack_is_named(traveling):
    root, cub = traveling
    assert "has no CUB_fixed/train" in _message("traveling_birds", root=cub)
    (root / "CUB_fixed/test" / BIRDS[1] / "1.png").unlink()
    message = _message("traveling_birds", root=root, cub_root=cub)
    assert (
        f"lacks 1 of the 2 photos that CUB's split names, such as {BIRDS[1]}" in message
    )


def test_the_command_for_traveling_birds_comes_with_that_for_cubs_lists():
    assert f"`{CUB}`, cub_root=CUB_200_2011" in _message("traveling_birds")
    assert CUB not in _message("traveling_birds", cub_root="CUB_200_2011")


def test_traveling_birds_without_cubs_lists_name_the_option_and_the_command(traveling):
    root, _ = traveling
    message = _message("traveling_birds", root=root)
    assert message.startswith("cub_root is missing: ")
    assert f"`{CUB}`, cub_root=CUB_200_2011" in message
    message = _message("traveling_birds", root=root, cub_root=root)
    assert f"cub_root {root} is not the CUB-200-2011 folder" in message
    assert f"`{CUB}`, cub_root=CUB_200_2011" in message


def test_traveling_birds_take_lists_that_lie_beside_them(traveling):
    root, cub = traveling
    cub.rename(root / "CUB_200_2011")
    assert len(datasets.load("traveling_birds", root=root).train) == 2


@pytest.fixture
def cars(tmp_path):
    from scipy.io import savemat

    root = tmp_path / "stanford_cars"
    kind = [("bbox_x1", "i4"), ("class", "i4"), ("fname", "O")]
    train = np.array([(1, 2, "1.jpg"), (1, 1, "2.jpg"), (3, 2, "3.jpg")], kind)
    test = np.array([(1, 1, "9.jpg")], kind)
    (root / "devkit").mkdir(parents=True)
    names = np.array(["Audi R8 Coupe 2012", "BMW M3 Coupe 2012"], object)
    savemat(root / "devkit/cars_meta.mat", {"class_names": names})
    savemat(root / "devkit/cars_train_annos.mat", {"annotations": train})
    savemat(root / "cars_test_annos_withlabels.mat", {"annotations": test})
    for part, listed in (("cars_train", train), ("cars_test", test)):
        for number, row in enumerate(listed, 1):
            _save(root / part / row["fname"], number)
    return root


def test_cars_come_as_their_lists_say(cars):
    loaded = datasets.load("stanford_cars", root=cars)
    assert loaded.class_names == ("Audi R8 Coupe 2012", "BMW M3 Coupe 2012")
    np.testing.assert_array_equal(loaded.train.labels, [1, 0, 1])
    np.testing.assert_array_equal(loaded.test.labels, [0])
    assert loaded.train.images[2][0, 0, 0] == 3
    assert loaded.std == (0.2920, 0.2910, 0.2988)


def test_cars_may_lie_one_folder_deeper(cars):
    deeper = cars / "cars_train" / "cars_train"
    deeper.mkdir()
    for path in list((cars / "cars_train").glob("*.jpg")):
        path.rename(deeper / path.name)
    (cars / "cars_test_annos_withlabels.mat").rename(
        cars / "devkit/cars_test_annos_withlabels.mat"
    )
    assert len(datasets.load("stanford_cars", root=cars.parent).train) == 3


def test_cars_in_class_folders_will_do(tmp_path):
    for part, count in (("train", 2), ("test", 1)):
        for name in ("BMW M3", "Audi R8"):
            for number in range(count):
                _save(tmp_path / part / name / f"{number}.jpg")
    loaded = datasets.load("stanford_cars", root=tmp_path)
    assert loaded.class_names == ("Audi R8", "BMW M3")
    np.testing.assert_array_equal(loaded.train.labels, [0, 0, 1, 1])


def test_what_cars_lack_is_named(cars, tmp_path):
    from scipy.io import savemat

    (cars / "cars_train/2.jpg").unlink()
    assert "lacks 1 of the 3 photos" in _message("stanford_cars", root=cars)
    unlabelled = np.array([(1, "9.jpg")], [("bbox_x1", "i4"), ("fname", "O")])
    savemat(cars / "devkit/cars_train_annos.mat", {"annotations": unlabelled})
    assert "does not say which class" in _message("stanford_cars", root=cars)
    (cars / "devkit/cars_meta.mat").unlink()
    assert "cars_meta.mat is missing" in _message("stanford_cars", root=cars)
    assert "has neither a devkit folder" in _message(
        "stanford_cars", root=tmp_path / "x"
    )


def test_cars_that_are_nowhere_name_the_command_and_the_folder(tmp_path):
    message = _message("stanford_cars")
    assert "give root=<the folder of cars_train, cars_test and devkit>" in message
    assert (
        f"tfds build cars196 --file_format=array_record --data_dir={tmp_path}"
        in message
    )
    assert "silent since 2023" in message


@pytest.fixture
def aircraft(tmp_path):
    data = tmp_path / "fgvc-aircraft-2013b" / "data"
    _lines(data / "variants.txt", ["707-320", "Boeing 717"])
    _lines(data / "images_variant_trainval.txt", ["01 Boeing 717", "02 707-320"])
    _lines(data / "images_variant_test.txt", ["03 707-320"])
    _lines(data / "images_box.txt", [f"0{i} 11 5 30 12" for i in (1, 2, 3)])
    for number in (1, 2, 3):
        _save(data / "images" / f"0{number}.jpg", number)
    return data


def test_aircraft_are_listed_by_variant(aircraft):
    loaded = datasets.load("fgvc_aircraft", root=aircraft.parent)
    assert loaded.class_names == ("707-320", "Boeing 717")
    np.testing.assert_array_equal(loaded.train.labels, [1, 0])
    assert loaded.train.images[1][0, 0, 0] == 2
    assert loaded.mean[0] == pytest.approx(1.5 / 255)


def test_aircraft_boxes_count_from_one(aircraft):
    image = datasets.load("fgvc_aircraft", root=aircraft, cropped=True).test.images[0]
    assert image.shape == (8, 20, 3)
    assert tuple(image[0, 0]) == (3, 10, 4)


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("images_variant_test.txt", ["03 Concorde"], r"does not: \['Concorde'\]"),
        ("images_box.txt", ["01 1 2 3"], "expected a photo and four whole numbers"),
        ("images_box.txt", ["01 1 2 3 4"], "no box for photo 02"),
    ],
)
def test_a_broken_list_of_aircraft_is_named(aircraft, name, lines, message):
    _lines(aircraft / name, lines)
    with pytest.raises(ValueError, match=message):
        datasets.load("fgvc_aircraft", root=aircraft, cropped=True)


def test_a_missing_list_of_aircraft_is_named(aircraft):
    (aircraft / "variants.txt").unlink()
    assert "variants.txt is missing" in _message("fgvc_aircraft", root=aircraft)


def test_a_missing_photo_of_an_aircraft_is_named_unless_skipped(aircraft):
    (aircraft / "images/01.jpg").unlink()
    message = _message("fgvc_aircraft", root=aircraft)
    assert "lacks 1 of the 2 photos that images_variant_trainval.txt names" in message
    assert "images/01.jpg; unpack fgvc-aircraft-2013b.tar.gz again" in message
    left = datasets.load("fgvc_aircraft", root=aircraft, skip_unreadable=True)
    assert len(left.train) == 1


@pytest.mark.parametrize("name", ["imagenet", "stanford_cars"])
def test_a_set_of_two_places_is_refused(name, tmp_path):
    message = _message(name, root="here", data_dir="there")
    assert "root 'here' and data_dir 'there' are both given" in message


@pytest.fixture
def imagenet(tmp_path):
    for part, count in (("train", 2), ("val", 1)):
        for red, number in enumerate(("n01440764", "n01443537", "n02012849")):
            for i in range(count):
                path = f"ILSVRC/Data/CLS-LOC/{part}/{number}/{part}_{i}.JPEG"
                _save(tmp_path / path, red)
    return tmp_path


def test_imagenet_is_read_from_class_folders_in_the_order_of_their_numbers(imagenet):
    loaded = datasets.load("imagenet", root=imagenet)
    assert loaded.class_names == ("n01440764", "n01443537", "n02012849")
    np.testing.assert_array_equal(loaded.train.labels, [0, 0, 1, 1, 2, 2])
    assert loaded.test.images[1][0, 0, 0] == 1


def test_imagenets_classes_may_have_words(imagenet):
    lines = ["n01440764 crane, a bird", "n01443537 goldfish", "n02012849 crane"]
    _lines(imagenet / "words.txt", lines)
    loaded = datasets.load("imagenet", root=imagenet, names_file=imagenet / "words.txt")
    assert loaded.class_names == ("crane (n01440764)", "goldfish", "crane (n02012849)")
    _lines(imagenet / "words.txt", lines[:2])
    options = {"root": imagenet, "names_file": imagenet / "words.txt"}
    assert "no line for 1 classes, such as n02012849" in _message("imagenet", **options)
    (imagenet / "words.txt").unlink()
    assert "words.txt is missing" in _message("imagenet", **options)


def test_what_imagenet_lacks_is_named(imagenet, tmp_path):
    val = imagenet / "ILSVRC/Data/CLS-LOC/val"
    for folder in list(val.iterdir()):
        for path in list(folder.iterdir()):
            path.rename(val / f"{folder.name}.JPEG")
        folder.rmdir()
    assert "holds photos but no class folders" in _message("imagenet", root=imagenet)
    assert "no folders train and val" in _message("imagenet", root=imagenet / "ILSVRC")
    message = _message("imagenet", data_dir=tmp_path)
    assert "download ILSVRC2012_img_train.tar" in message
    assert "--manual_dir=FOLDER" in message
