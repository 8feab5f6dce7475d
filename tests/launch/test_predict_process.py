"""`launch.predict` as a user calls it."""

import csv
import io
import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def _predict(workdir, *flags):
    return subprocess.run(
        [sys.executable, "-m", "launch.predict", f"--workdir={workdir}", *flags],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_becomes_json_records(trained, photos, tmp_path):
    out = tmp_path / "predictions.json"
    done = _predict(trained, f"--images={photos / 'test'}", f"--output={out}")
    assert done.returncode == 0, done.stderr
    records = json.loads(out.read_text())
    assert len(records) == 16
    assert all(len(record["features"]) == 3 for record in records)
    right = [record["class"] in record["image"] for record in records]
    assert sum(right) >= 12


def test_a_file_becomes_a_csv_line(trained, photos):
    image = photos / "test" / "red" / "0.png"
    done = _predict(trained, f"--images={image}", "--format=csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["image"] for row in rows] == [str(image)]
    assert 0 <= float(rows[0]["probability"]) <= 1


def test_explanations_are_drawn_into_a_folder(trained, photos, tmp_path):
    image = photos / "test" / "blue" / "1.png"
    folder = tmp_path / "new" / "pictures"
    done = _predict(trained, f"--images={image}", f"--pictures={folder}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["class"]
    assert [path.name for path in folder.iterdir()] == ["1-explained.png"]


@pytest.mark.parametrize("kind", ["missing", "empty", "broken", "norun"])
def test_bad_input_ends_in_one_line(trained, photos, tmp_path, kind):
    (tmp_path / "empty").mkdir()
    broken = tmp_path / "broken.png"
    broken.write_bytes((photos / "test" / "red" / "0.png").read_bytes()[:60])
    path = {"missing": tmp_path / "no.png", "empty": tmp_path / "empty"}
    done = _predict(
        tmp_path if kind == "norun" else trained, f"--images={path.get(kind, broken)}"
    )
    expected = {
        "missing": "does not exist",
        "empty": "no image in",
        "broken": "broken.png",
        "norun": "holds no run",
    }
    assert done.returncode == 1
    assert expected[kind] in done.stderr
    assert "Traceback" not in done.stderr
