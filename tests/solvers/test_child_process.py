"""A process of its own: its news, its failures, and its end."""

import os
import signal
import time

import pytest

from qpm_jax.solvers.child_process import child

ECHO = """
import pickle, sys
for piece in pickle.load(sys.stdin.buffer):
    pickle.dump(piece, sys.stdout.buffer)
sys.stdout.flush()
"""


def hear_all(hear, count):
    return [hear(30.0) for _ in range(count)]


def test_a_message_goes_in_and_news_come_out_in_order():
    with child("Echo", ("-c", ECHO), [1, "two", (3.0,)]) as process:
        assert hear_all(process.hear, 3) == [1, "two", (3.0,)]


def test_silence_is_none_and_the_process_is_ended_when_the_block_is_left():
    code = "import time; time.sleep(600)"
    began = time.monotonic()
    with child("Silent", ("-c", code), None) as process:
        assert process.hear(0.1) is None
        assert process.hear(-1.0) is None
    assert time.monotonic() - began < 60


def test_an_end_after_all_news_is_an_error_with_the_last_words():
    code = ECHO + "raise ValueError('broken')"
    with child("Echo", ("-c", code), ["news"]) as process:
        assert process.hear(30.0) == "news"
        with pytest.raises(RuntimeError, match="Echo failed: ValueError: broken"):
            process.hear(30.0)


def test_an_end_without_words_names_the_exit_status():
    message = b"." * 10**7  # more than a pipe holds: nobody reads it
    words = pytest.raises(RuntimeError, match="Mute failed: exit status 3")
    with child("Mute", ("-c", "raise SystemExit(3)"), message) as process, words:
        process.hear(30.0)


def test_what_is_no_news_is_an_error_at_once_and_not_silence_to_the_limit():
    code = "import time; print('Info: something', flush=True); time.sleep(600)"
    words = pytest.raises(RuntimeError, match="Chatty failed")
    with child("Chatty", ("-c", code), None) as process, words:
        process.hear(float("inf"))


def test_ctrl_c_reaches_the_parent_alone():
    code = "import os, pickle, sys; pickle.dump(os.getsid(0), sys.stdout.buffer)"
    with child("Child", ("-c", code), None) as process:
        assert process.hear(30.0) != os.getsid(0)


def test_a_process_can_be_asked_to_end_and_heard_after_it():
    code = """
import pickle, sys, time
def say(word):
    pickle.dump(word, sys.stdout.buffer)
    sys.stdout.flush()
try:
    say("begun")
    time.sleep(600)
except KeyboardInterrupt:
    say("asked")
"""
    with child("Polite", ("-c", code), None) as process:
        assert process.hear(30.0) == "begun"
        process.interrupt()
        assert process.hear(30.0) == "asked"


def test_what_a_library_prints_does_not_disturb_the_news():
    code = """
import os, pickle
from qpm_jax.private_output import private_output
news = private_output()
os.write(1, b"a banner")
pickle.dump("news", news)
news.flush()
"""
    with child("Library", ("-c", code), None) as process:
        assert process.hear(60.0) == "news"


def test_an_exception_inside_the_block_ends_the_process():
    code = (
        "import os, pickle, sys, time; pickle.dump(os.getpid(), sys.stdout.buffer);"
        "sys.stdout.flush(); time.sleep(600)"
    )
    numbers = []

    def press():
        with child("Child", ("-c", code), None) as process:
            numbers.append(process.hear(30.0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        press()
    with pytest.raises(ProcessLookupError):
        os.kill(numbers[0], signal.SIGTERM)
