"""Serve one peer in a process of its own: commands in, one JSON object per line out.

A peer is an object with

    versions() -> dict              what it runs on
    supports(settings) -> bool      whether it has this configuration at all
    check(case, tensors) -> dict    per bound: {"bound": ..., "gradient": {name: array}} on given numbers
    prepare(settings)               makes the model and compiles
    run(seconds) -> (n, seconds)    steps made, or images scored, and the time they took
"""

import contextlib
import json
import sys
import time

import check
import numpy as np

# Part of the time that goes before, unmeasured, as in `tightbound bench`.
WARM_UP = 0.2


def repeat(once, seconds):
    """Calls `once` as long as there is time; the calls and the time they took."""
    calls, start = 0, time.perf_counter()
    while True:
        once()
        calls += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return calls, elapsed


def grey_images(n, pixels):
    """Images of which a fifth is ink, as handwriting is; dense arithmetic takes no notice."""
    generator = np.random.default_rng(1)
    ink = generator.random((n, pixels)) < 0.2
    return (ink * generator.random((n, pixels))).astype(np.float32)


def answer(peer, command):
    match command["do"]:
        case "versions":
            return peer.versions()
        case "supports":
            return peer.supports(command["settings"])
        case "check":
            return check.compare(peer, command["file"])
        case "prepare":
            return peer.prepare(command["settings"])
        case "run":
            peer.run(WARM_UP * command["seconds"])
            return peer.run(command["seconds"])


def serve(peer):
    """Answers commands until the input ends. What libraries print goes to standard error."""
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin:
            try:
                reply = {"ok": answer(peer, json.loads(line))}
            except Exception as error:  # The driver decides; one configuration may fail alone.
                reply = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(reply), file=out, flush=True)
