"""Every kind of image file becomes the RGB array a person would see."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from PIL import Image

from qpm_jax.datasets.image_files import (
    as_array,
    check_header,
    crop,
    decode_image,
    decode_stored,
    is_image_name,
    resize,
)
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages


def _bytes(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _noise(height=5, width=7):
    random = np.random.default_rng(0)
    return random.integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_rgb_comes_back_as_it_was():
    decoded = decode_image(_bytes(Image.fromarray(_noise())), "x")
    np.testing.assert_array_equal(decoded, _noise())


def test_greyscale_becomes_three_equal_channels():
    grey = _noise()[..., 0]
    decoded = decode_image(_bytes(Image.fromarray(grey)), "x")
    np.testing.assert_array_equal(decoded, np.repeat(grey[..., None], 3, -1))


def test_sixteen_bit_greyscale_keeps_its_leading_bits():
    grey = np.array([[0, 257, 65535]], np.uint16)
    decoded = decode_image(_bytes(Image.fromarray(grey)), "x")
    np.testing.assert_array_equal(decoded[0, :, 0], [0, 1, 255])


def test_transparency_lies_on_white():
    pixels = np.array([[[255, 0, 0, 255], [255, 0, 0, 0]]], np.uint8)
    decoded = decode_image(_bytes(Image.fromarray(pixels, "RGBA")), "x")
    np.testing.assert_array_equal(decoded[0], [[255, 0, 0], [255, 255, 255]])


@pytest.mark.parametrize("mode", ["LA", "P", "1"])
def test_other_png_modes_are_converted(mode):
    white = Image.new("RGB", (3, 2), "white").convert(mode)
    np.testing.assert_array_equal(decode_image(_bytes(white), "x"), 255)


def test_a_transparent_palette_colour_lies_on_white():
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.putpixel((1, 0), 1)
    decoded = decode_image(_bytes(image, transparency=0), "x")
    np.testing.assert_array_equal(decoded[0], [[255, 255, 255], [10, 20, 30]])


def test_cmyk_is_converted():
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    decoded = decode_image(_bytes(image, "JPEG", quality=95), "x")
    assert np.abs(decoded.astype(int) - [255, 0, 0]).max() < 6


def test_the_exif_orientation_is_obeyed():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned a quarter
    decoded = decode_image(_bytes(Image.fromarray(_noise()), exif=exif), "x")
    np.testing.assert_array_equal(decoded, np.rot90(_noise(), -1))


def test_boxes_count_stored_pixels_which_are_not_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = _bytes(Image.fromarray(_noise()), exif=exif)
    np.testing.assert_array_equal(decode_stored(data, "x"), _noise())
    (tmp_path / "turned.png").write_bytes(data)
    sources = [ImageSource("turned.png", (4, 1, 7, 3)), ImageSource("turned.png")]
    images = LazyImages(tmp_path, sources)
    cut, whole = images[0], images[1]
    np.testing.assert_array_equal(cut, _noise()[1:3, 4:7])
    assert whole.shape == (7, 5, 3)


@pytest.mark.parametrize(
    "values", [np.array([[0.0, 1.0]], np.float32), np.array([[0, 255]], np.int32)]
)
def test_greyscale_of_thirty_two_bits_is_refused(tmp_path, values):
    image = Image.fromarray(values)
    image.save(tmp_path / "grey.tif")
    data = (tmp_path / "grey.tif").read_bytes()
    for read in (
        lambda: decode_image(data, "x"),
        lambda: check_header(tmp_path / "grey.tif"),
        lambda: as_array(image),
    ):
        with pytest.raises(ValueError, match=r"32 bits.*save it with 8 or 16 bits"):
            read()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_greyscale_of_sixteen_bits_is_read_from_any_format(kind):
    grey = np.array([[0, 257, 65535]], np.uint16)
    decoded = decode_image(_bytes(Image.fromarray(grey), kind), "x")
    np.testing.assert_array_equal(decoded[0, :, 0], [0, 1, 255])


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.new("RGB", (2, 2), c) for c in ("white", "black")]
    data = _bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode_image(data, "x"), 255)


@pytest.mark.parametrize("kept", [0, 10, 60])
def test_a_broken_file_is_named(kept):
    data = _bytes(Image.fromarray(_noise(40, 40)), "JPEG")[:kept]
    with pytest.raises(ValueError, match=r"image a/b\.jpg cannot be decoded.*replace"):
        decode_image(data, "a/b.jpg")


def test_a_truncated_file_is_named():
    data = _bytes(Image.fromarray(_noise(40, 40)), "JPEG")
    with pytest.raises(ValueError, match=r"b\.jpg cannot be decoded.*truncated"):
        decode_image(data[: len(data) * 3 // 4], "b.jpg")


def test_a_header_is_checked_without_the_pixels(tmp_path):
    data = _bytes(Image.fromarray(_noise(40, 40)), "JPEG")
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) * 3 // 4])
    check_header(tmp_path / "cut.jpg")
    (tmp_path / "text.jpg").write_text("no image")
    with pytest.raises(ValueError, match=r"text\.jpg cannot be decoded"):
        check_header(tmp_path / "text.jpg")


def test_an_array_a_picture_and_a_path_are_the_same_image(tmp_path):
    Image.fromarray(_noise()).save(tmp_path / "x.png")
    for image in (_noise(), Image.fromarray(_noise()), tmp_path / "x.png"):
        np.testing.assert_array_equal(as_array(image), _noise())
    np.testing.assert_array_equal(as_array(str(tmp_path / "x.png")), _noise())


def test_what_is_no_image_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"none\.png cannot be read"):
        as_array(tmp_path / "none.png")
    with pytest.raises(ValueError, match=r"got float64 \[5, 7, 3\]"):
        as_array(_noise() / 255)


def test_a_box_is_clipped_to_the_image():
    np.testing.assert_array_equal(crop(_noise(), (-2, 1, 3, 99)), _noise()[1:, :3])


def test_a_box_outside_the_image_is_named():
    with pytest.raises(ValueError, match=r"lies outside bird\.jpg of 7x5"):
        crop(_noise(), (7, 0, 9, 2), "bird.jpg")


def test_an_image_of_the_right_size_is_not_touched():
    image = _noise()
    assert resize(image, (5, 7)) is image


def test_stretching_uses_the_whole_image():
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, 4:] = 200
    resized = resize(image, (4, 4))
    assert resized.shape == (4, 4, 3)
    np.testing.assert_array_equal(resized[:, 0], 0)
    np.testing.assert_array_equal(resized[:, 3], 200)


def test_a_centre_crop_is_the_middle_of_the_image_resized_as_a_whole():
    image = _noise(8, 16)
    whole = resize(image, (4, 8))
    np.testing.assert_array_equal(resize(image, (4, 4), "centre_crop"), whole[:, 2:6])


def test_imagenets_crop_is_224_out_of_the_middle_of_256():
    image = _noise(512, 600)
    whole = resize(image, (256, 300))
    cut = resize(image, (224, 224), "imagenet_crop")
    np.testing.assert_array_equal(cut, whole[16:240, 38:262])


def test_imagenets_crop_also_cuts_an_image_of_the_right_size():
    image = _noise(16, 16)
    expected = resize(image[1:15, 1:15], (16, 16))
    assert (
        np.abs(resize(image, (16, 16), "imagenet_crop").astype(int) - expected).max()
        < 40
    )
    assert (resize(image, (16, 16), "imagenet_crop") != image).any()


def test_an_unknown_fit_is_refused():
    with pytest.raises(ValueError, match="fit must be"):
        resize(_noise(), (2, 2), "fill")


def test_hidden_files_and_other_endings_are_no_images():
    assert is_image_name("a.JPG")
    assert not is_image_name("._a.jpg")
    assert not is_image_name("notes.txt")


def test_lazy_images_are_decoded_once_and_kept_read_only(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(_noise()).save(path)
    images = LazyImages(
        tmp_path, [ImageSource("x.png"), ImageSource("x.png", (1, 1, 3, 3))]
    )
    first = images[0]
    path.unlink()
    assert images[-2] is first
    assert not first.flags.writeable
    with pytest.raises(ValueError, match=r"x\.png cannot be read.*restore"):
        images[1]
    with pytest.raises(IndexError):
        images[2]


def test_lazy_images_beyond_the_budget_are_decoded_anew(tmp_path):
    Image.fromarray(_noise()).save(tmp_path / "x.png")
    images = LazyImages(tmp_path, [ImageSource("x.png")], cache_bytes=10)
    assert images[0] is not images[0]


def test_lazy_images_come_out_of_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/x.png", _bytes(Image.fromarray(_noise())))
    sources = [ImageSource("in/x.png", (1, 2, 4, 5)), ImageSource("in/y.png")]
    images = LazyImages(tmp_path / "a.zip", sources)
    np.testing.assert_array_equal(images[0], _noise()[2:5, 1:4])
    with pytest.raises(ValueError, match=r"in/y\.png cannot be read"):
        images[1]


def test_a_centre_crop_of_any_size_stays_inside_the_image():
    """Rounding must not push the box over an edge; 113 x 173 to 224 once did."""
    for height in range(100, 180, 3):
        image = np.zeros((height, 173, 3), np.uint8)
        assert resize(image, (224, 224), "centre_crop").shape == (224, 224, 3)
        assert resize(image, (77, 224), "centre_crop").shape == (77, 224, 3)


def test_lazy_images_move_to_another_process_without_what_they_keep(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.png", _bytes(Image.fromarray(_noise())))
    images = LazyImages(tmp_path / "a.zip", [ImageSource("x.png", (1, 2, 4, 5))])
    kept = images[0]
    assert images[0] is kept
    copy = pickle.loads(pickle.dumps(images))
    np.testing.assert_array_equal(copy[0], kept)
    assert copy[0] is not copy[0]
