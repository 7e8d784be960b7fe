# /// script
# requires-python = ">=3.11"
# dependencies = ["hyperqueue==0.27.0"]
# ///
"""Run a sweep through HyperQueue, kill parts of it, and compare with the same sweep on this machine.

    pip install hyperqueue==0.27.0
    cargo build --release -p tightbound-cli
    python tests/hyperqueue/run.py

1. A sweep of 12 cells on this machine alone.
2. The same through a HyperQueue server with two workers of one core each, all inside this process. One
   cell's process is killed by SIGKILL while it trains: it must be submitted again, alone. The package has no
   command `hq`; `bin/hq` stands for it.
3. Where there is a real `hq` on the PATH, the same through a server and two workers of its own, of which
   one is killed while its cell trains.

In the end results.json, results.csv and every model must be the same bytes. It takes about two minutes on
two cores, and ends with exit code 1 if anything differs. Nothing in it connects to another machine, but the
package lets no one choose where its server listens: on all interfaces, for who has the keys in its folder.
$TIGHTBOUND names another program than that of the repository.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from hyperqueue.cluster import LocalCluster, WorkerConfig
from hyperqueue.ffi import get_version

HERE = Path(__file__).resolve().parent
PROGRAM = Path(os.environ.get("TIGHTBOUND", HERE.parents[1] / "target/release/tightbound")).resolve()

# Six bounds, two seeds.
EXPERIMENT = HERE.parent / "six-bounds.toml"
SIZE = "--budget smoke --seeds 2 --epochs 96".split()
PATIENCE = 600


def check(holds, what):
    print(f"    {'holds' if holds else 'FAILS'}: {what}", flush=True)
    if not holds:
        sys.exit(1)


def plan(work, name):
    command = [PROGRAM, "sweep", "plan", EXPERIMENT, "--out", name, *SIZE]
    done = subprocess.run(command, cwd=work, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def sweep(work, name, *more, **variables):
    """Starts `tightbound sweep run`."""
    command = [PROGRAM, "sweep", "run", name, *more]
    environment = {**os.environ, **variables}
    return subprocess.Popen(command, cwd=work, env=environment, stdout=subprocess.DEVNULL)


def wait(process, what):
    check(process.wait(timeout=PATIENCE) == 0, f"{what} ends with exit code 0")


def training(folder):
    """Processes that train a cell of `folder` and have done an epoch of it: their ids and cells."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue  # It has ended.
        if words[:4] == [str(PROGRAM), "sweep", "cell", str(folder)]:
            cell = words[-2]  # The last word ends with a NUL too.
            log = folder / "cells" / cell / "metrics.jsonl"
            if epochs(log) and not (folder / "results" / f"{cell}.json").exists():
                found[int(entry.name)] = cell
    return found


def epochs(log):
    return log.read_text().count("\n") if log.exists() else 0


def some_training(folder, process, among=lambda pid: True):
    """Waits until a cell trains, and gives its process and name."""
    begin = time.monotonic()
    while time.monotonic() - begin < PATIENCE and process.poll() is None:
        for pid, cell in training(folder).items():
            if among(pid):
                return pid, cell
        time.sleep(0.02)
    process.kill()
    sys.exit("no cell trains")


def compare(here, there, cells):
    files = ["results.json", "results.csv", *(f"cells/{cell}/model.safetensors" for cell in cells)]
    sizes = []
    for file in files:
        one, other = (here / file).read_bytes(), (there / file).read_bytes()
        if one != other:
            check(False, f"{file} is the same bytes as on this machine alone")
        sizes.append(len(one))
    check(sizes[0] > 0, f"{len(files)} files are the same {sum(sizes):,} bytes: {', '.join(files[:2])}, models")


def through_the_package(work, cells):
    print(f"through HyperQueue {get_version()}, server and two workers inside this process:", flush=True)
    plan(work, "package")
    folder = work / "package"
    submissions = work / "submissions"
    cluster = LocalCluster(str(work / "server"))
    try:
        for _ in range(2):
            cluster.start_worker(WorkerConfig(cores=1))
        bin = f"{HERE / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        begin = time.monotonic()
        process = sweep(
            work,
            "package",
            "--on",
            "hyperqueue",
            PATH=bin,
            HQ_SERVER_DIR=cluster.cluster.server_dir,
            SUBMISSIONS=str(submissions),
            TQDM_DISABLE="1",
        )
        pid, cell = some_training(folder, process)
        os.kill(pid, signal.SIGKILL)
        done = epochs(folder / "cells" / cell / "metrics.jsonl")
        print(f"    killed process {pid}: {cell}, {done} epochs in its log", flush=True)
        wait(process, "the sweep")
        print(f"    {time.monotonic() - begin:.1f} s", flush=True)
    finally:
        cluster.stop()
    jobs = [json.loads(line) for line in submissions.read_text().splitlines()]
    for job in jobs:
        print(f"    job {job['job']}: {len(job['cells'])} cells, failed: {job['failed'] or 'none'}")
    check(jobs[0]["cells"] == cells and list(jobs[0]["failed"]) == [cell], "only the killed cell failed")
    check([job["cells"] for job in jobs[1:]] == [[cell]], "the killed cell was submitted again, alone")
    compare(work / "here", folder, cells)


@contextmanager
def real_server(hq, work):
    """A server and two workers of one core each; gives the workers."""
    server = work / "real-server"
    environment = {**os.environ, "HQ_SERVER_DIR": str(server)}

    def start(*words):
        log = open(work / f"hq-{'-'.join(words[:2])}.log", "a")
        return subprocess.Popen([hq, *words], env=environment, stdout=log, stderr=log)

    host = start("server", "start", "--host", "127.0.0.1")
    workers = []
    try:
        while subprocess.run([hq, "server", "info"], env=environment, capture_output=True).returncode:
            check(host.poll() is None, "the server runs")
            time.sleep(0.1)
        workers = [start("worker", "start", "--cpus", "1") for _ in range(2)]
        yield server, workers
    finally:
        subprocess.run([hq, "server", "stop"], env=environment, capture_output=True)
        for process in [*workers, host]:
            process.kill()
            process.wait()


def descends(pid, ancestor):
    while pid > 1 and pid != ancestor:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False
        pid = int(re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)[1])
    return pid == ancestor


def through_a_real_hq(work, cells):
    hq = shutil.which("hq")
    if hq is None:
        print("through a real `hq`: no hq on PATH: not run")
        return
    version = subprocess.run([hq, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"through {version}, a server and two workers of its own:", flush=True)
    plan(work, "real")
    folder = work / "real"
    with real_server(hq, work) as (server, workers):
        begin = time.monotonic()
        process = sweep(work, "real", "--on", "hyperqueue", HQ_SERVER_DIR=str(server))
        pid, cell = some_training(folder, process, lambda pid: descends(pid, workers[0].pid))
        workers[0].kill()
        print(f"    killed worker {workers[0].pid}, which trained {cell}", flush=True)
        wait(process, "the sweep")
        print(f"    {time.monotonic() - begin:.1f} s", flush=True)
    compare(work / "here", folder, cells)


def main():
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        cells = plan(work, "here")
        print(f"{len(cells)} cells on this machine alone:", flush=True)
        begin = time.monotonic()
        wait(sweep(work, "here"), "the sweep")
        print(f"    {time.monotonic() - begin:.1f} s", flush=True)
        through_the_package(work, cells)
        through_a_real_hq(work, cells)


main()
