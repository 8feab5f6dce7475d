"""Uploads are read as photos, or answered with what to do instead."""

import io

import numpy as np
import pytest
from PIL import Image

from qpm_jax.demo import uploads
from qpm_jax.demo.uploads import read_upload

RANDOM = np.random.default_rng(0)
PHOTO = Image.fromarray(RANDOM.integers(0, 256, (40, 60, 3)).astype(np.uint8))


def saved(tmp_path, image, name="bird.png", **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def test_a_photo_is_read_without_a_word(tmp_path):
    upload = read_upload(saved(tmp_path, PHOTO), (32, 32))
    np.testing.assert_array_equal(upload.image, np.asarray(PHOTO))
    assert upload.notes == ()


@pytest.mark.parametrize(
    ("mode", "note"), [("L", "greyscale"), ("RGBA", "laid on white")]
)
def test_unusual_kinds_are_read_with_a_note(tmp_path, mode, note):
    upload = read_upload(saved(tmp_path, PHOTO.convert(mode)), (32, 32))
    assert upload.image.shape == (40, 60, 3)
    assert [note in said for said in upload.notes] == [True]


def test_forms_that_run_other_programs_are_no_images(tmp_path):
    path = saved(tmp_path, PHOTO, "bird.jpg", format="EPS")
    with pytest.raises(ValueError, match="is no image, or broken"):
        read_upload(path, (32, 32))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "GIF"])
def test_damage_anywhere_is_told_in_words_or_does_no_harm(tmp_path, form):
    whole = bytearray(saved(tmp_path, PHOTO, f"bird.{form}").read_bytes())
    random = np.random.default_rng(1)
    path = tmp_path / "damaged"
    for _ in range(60):
        damaged = whole.copy()
        for place in random.integers(0, min(len(whole), 200), 4):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        words = ""
        try:
            read_upload(path, (32, 32))
        except ValueError as error:
            words = str(error)
        assert words == "" or words.startswith("“damaged” ")


def test_an_animation_is_read_as_its_first_picture(tmp_path):
    frames = [PHOTO.convert("P"), PHOTO.rotate(180).convert("P")]
    path = tmp_path / "bird.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert any("first picture" in note for note in read_upload(path, (8, 8)).notes)


def test_a_photo_smaller_than_the_network_sees_gets_a_note(tmp_path):
    notes = read_upload(saved(tmp_path, PHOTO), (224, 224)).notes
    assert "60 × 40 pixels, fewer than the 224 × 224" in notes[0]


def test_a_tiny_photo_is_refused(tmp_path):
    path = saved(tmp_path, PHOTO.resize((3, 50)))
    with pytest.raises(ValueError, match=r"only 3 × 50 pixels.*at least 8 × 8"):
        read_upload(path, (32, 32))


def test_a_huge_photo_is_refused_before_its_pixels_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_PIXELS", 2_000_000)
    path = saved(tmp_path, Image.new("1", (3000, 1000)))
    with pytest.raises(ValueError, match=r"too large: 3000 × 1000 .* 2 million"):
        read_upload(path, (32, 32))


def test_a_picture_that_unpacks_to_far_too_much_is_refused(tmp_path):
    path = saved(tmp_path, Image.new("1", (30_000, 20_000)))
    with pytest.raises(ValueError, match="too large"):
        read_upload(path, (32, 32))


def test_a_broken_photo_is_refused_by_its_name_alone(tmp_path):
    whole = io.BytesIO()
    PHOTO.save(whole, "PNG")
    for size, words in ((len(whole.getvalue()) // 2, "damaged"), (12, "no image")):
        path = tmp_path / "bird.png"
        path.write_bytes(whole.getvalue()[:size])
        with pytest.raises(ValueError, match=f"“bird.png” is {words}") as caught:
            read_upload(path, (32, 32))
        assert str(tmp_path) not in str(caught.value)


def test_what_is_no_photo_is_refused(tmp_path):
    text = tmp_path / "notes.png"
    text.write_text("no picture at all")
    with pytest.raises(ValueError, match=r"no image, or broken. Choose another file"):
        read_upload(text, (32, 32))
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ValueError, match="empty"):
        read_upload(tmp_path / "empty.jpg", (32, 32))


def test_an_upload_that_never_came_is_refused(tmp_path):
    with pytest.raises(ValueError, match="No photo has come in"):
        read_upload(None, (32, 32))
    with pytest.raises(ValueError, match="did not arrive"):
        read_upload(tmp_path / "gone.png", (32, 32))
