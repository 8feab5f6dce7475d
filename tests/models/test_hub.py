"""Weights by an id: a hub on this machine, which a real client asks over HTTP."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import safetensors.numpy

from qpm_jax import models
from qpm_jax.models import hub
from qpm_jax.models.conversion import shapes_in_file
from qpm_jax.models.namings import TORCH
from qpm_jax.models.weight_files import checksum

# Prints for each id the file that it led to, or why there is none.
FETCH = """
import json, sys
from qpm_jax.models import hub
answers = {}
for hub_id in sys.argv[1:]:
    try:
        answers[hub_id] = str(hub.fetch(hub_id))
    except ValueError as error:
        answers[hub_id] = f"refused: {error}"
print(json.dumps(answers))
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("timm/resnet50.tv_in1k", True),
        ("timm/resnet50.tv_in1k@abc123", True),
        ("weights/resnet50.npz", False),
        ("resnet50", False),
        ("/data/timm/resnet50", False),
        ("./weights", False),
        ("a/b/c", False),
    ],
)
def test_ids_of_the_hub_are_told_from_paths(text, expected):
    assert hub.is_hub_id(text) is expected


@pytest.fixture(scope="module")
def weights(tmp_path_factory, rule_state):
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    shapes = shapes_in_file("mobilenet_v2", TORCH["mobilenet_v2"][0].sources(), 2)
    safetensors.numpy.save_file(rule_state(shapes), path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def served(weights):
    """The hub's address and the paths that were asked for.

    Of owner/name it holds all revisions, of owner/damaged others bytes than it says.
    """
    asked = []
    digest = hashlib.sha256(weights).hexdigest()

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.path.strip("/"))
            owner, name, resolve, *_ = [*self.path.strip("/").split("/"), "", "", ""]
            if (owner, resolve) != ("owner", "resolve") or name == "absent":
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.end_headers()
                return
            content = weights if name == "name" else weights[::-1]
            self.send_response(200)
            self.send_header("ETag", f'"{digest}"')
            self.send_header("X-Repo-Commit", "c0ffee" * 6 + "c0ff")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_GET = do_HEAD

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("hub")


def fetch(cache, address, *hub_ids):
    """The answer to each id, in a process of its own with this cache."""
    pytest.importorskip("huggingface_hub", reason="needs the extra hub")
    variables = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(cache)}
    variables["NO_PROXY"] = "127.0.0.1"
    for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN"):
        variables.pop(name, None)
    command = [sys.executable, "-c", FETCH, *hub_ids]
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def fetched(cache, served):
    """The answers of the hub, asked twice for the first id, and the requests made."""
    address, asked = served
    ids = ("owner/name@v2", "owner/damaged", "owner/absent")
    answers = fetch(cache, address, *ids)
    first = list(asked)
    again = fetch(cache, address, "owner/name@v2")
    return answers, first, again, asked[len(first) :]


def test_a_file_is_fetched_at_its_revision(fetched, weights):
    answers, asked, *_ = fetched
    path = Path(answers["owner/name@v2"])
    assert path.read_bytes() == weights
    assert path.resolve().name == checksum(path)
    assert "owner/name/resolve/v2/model.safetensors" in asked


def test_a_fetched_file_leads_to_variables(fetched):
    path = fetched[0]["owner/name@v2"]
    variables = models.load_weights("mobilenet_v2", path)
    assert variables["params"]["head"]["kernel"].shape == (1280, 2)


def test_what_is_cached_is_not_asked_for_again(fetched):
    answers, _, again, asked = fetched
    assert again["owner/name@v2"] == answers["owner/name@v2"]
    assert asked == []


def test_a_damaged_file_is_named(fetched):
    message = fetched[0]["owner/damaged"]
    assert message.startswith("refused: path_or_hub_id: the cached file")
    assert "damaged: delete '" in message


def test_a_repository_that_is_not_there_leads_to_a_way_by_hand(fetched):
    message = fetched[0]["owner/absent"]
    assert "'owner/absent' is no file, and the hub gave none" in message
    assert "RepositoryNotFoundError" in message


def test_offline_the_cache_serves_and_else_the_message_says_what_to_put_where(
    fetched, cache
):
    nobody = "http://127.0.0.1:9"
    answers = fetch(cache, nobody, "owner/name@v2", "owner/other")
    assert answers["owner/name@v2"] == fetched[0]["owner/name@v2"]
    message = answers["owner/other"]
    assert message.startswith("refused: path_or_hub_id: 'owner/other' is no file")
    assert "/owner/other/resolve/main/model.safetensors" in message
    assert "--config.model.weights=" in message


def test_without_the_hubs_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ValueError, match=r"qpm-jax\[hub\].*download https://"):
        models.load_weights("resnet18", "timm/resnet18.tv_in1k")


def test_an_id_that_is_no_file_is_looked_for_on_the_hub(monkeypatch, fetched):
    path = Path(fetched[0]["owner/name@v2"])
    monkeypatch.setattr(hub, "fetch", {"owner/name": path}.__getitem__)
    variables = models.load_weights("mobilenet_v2", "owner/name")
    assert variables["params"]["head"]["kernel"].shape == (1280, 2)
