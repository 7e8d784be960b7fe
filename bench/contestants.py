"""Run the product and its peers, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SCRATCH = ROOT / "target" / "bench"

# name: (script, flags, whether MKL is freed of its vendor check)
PEERS = {
    "eager": ("torch_peer.py", [], False),
    "compile": ("torch_peer.py", ["--compile"], False),
    "eager-freed": ("torch_peer.py", [], True),
    "compile-freed": ("torch_peer.py", ["--compile"], True),
    "jax": ("jax_peer.py", [], False),
    "pythae": ("pythae_peer.py", [], False),
}


class Unable(Exception):
    """A contestant cannot do what it was asked."""


class Peer:
    """A process that lives from the first configuration to the last and works when it is asked to."""

    def __init__(self, name, threads):
        script, flags, freed = PEERS[name]
        self.name = name
        environment = os.environ | {
            "OMP_NUM_THREADS": str(threads),
            # The process waits for its turn asleep, so that it takes nothing from the others.
            "OMP_WAIT_POLICY": "PASSIVE",
            "KMP_BLOCKTIME": "0",
            "TORCHINDUCTOR_CACHE_DIR": str(SCRATCH / "inductor"),
        }
        if freed:
            environment["LD_PRELOAD"] = str(freed_mkl())
        SCRATCH.mkdir(parents=True, exist_ok=True)
        self.log = SCRATCH / f"{name}.log"
        self.process = subprocess.Popen(
            [sys.executable, HERE / "peers" / script, "--threads", str(threads), *flags],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("w"),
            text=True,
        )

    def ask(self, **command):
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            reply = json.loads(self.process.stdout.readline() or "{}")
        except (BrokenPipeError, json.JSONDecodeError) as error:
            raise Unable(f"{self.name}: {error}; see {self.log}") from error
        if "ok" not in reply:
            raise Unable(f"{self.name}: {reply.get('error', f'it ended; see {self.log}')}")
        return reply["ok"]

    def rate(self, seconds):
        """Steps or images per second."""
        units, elapsed = self.ask(do="run", seconds=seconds)
        return units / elapsed

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def freed_mkl():
    """A library that, preloaded, tells MKL that this is an Intel processor."""
    library = SCRATCH / "free_mkl.so"
    if not library.exists():
        SCRATCH.mkdir(parents=True, exist_ok=True)
        source = HERE / "free_mkl.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
    return library


class Product:
    """`tightbound bench`, started anew each time; it warms up before it measures."""

    def __init__(self, program, threads, data_dir):
        self.program = program
        self.common = ["--threads", str(threads), "--json"]
        if data_dir:
            self.common += ["--data-dir", str(data_dir)]

    def measure(self, settings, seconds, prune="off", model=None):
        """What `tightbound bench` prints."""
        words = [settings["work"], "--seconds", str(seconds), "--batch", str(settings["batch"])]
        estimator, architecture = settings["estimator"], settings["architecture"]
        words += ["--k", str(estimator["k"])]
        if settings["work"] == "step":
            words += ["--estimator", estimator["name"], "--m", str(estimator["m"]), "--prune", prune]
            if estimator["beta"] is not None:
                words += ["--beta", str(estimator["beta"])]
        for key in ("encoder", "latents", "decoder"):
            words += ["--set", f"model.{key}={json.dumps(architecture[key])}"]
        if model:
            words += ["--model", str(model)]
        done = subprocess.run([self.program, "bench", *words, *self.common], capture_output=True, text=True)
        if done.returncode:
            raise Unable(f"tightbound bench {' '.join(words)}: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        unit = "mean_images_per_s" if settings["work"] == "score" else "mean_steps_per_s"
        # Like the peers': all the time counts, not the median step's alone.
        result["rate"] = result[unit]
        return result
