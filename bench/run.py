"""Compare tightbound with PyTorch, JAX and pythae on this machine, in one run.

    python bench/run.py                                     everything, half an hour
    python bench/run.py --only iwae-1x64/B20 --rounds 1 --seconds 0.5 --peers eager jax
    python bench/run.py --model runs/iwae-13 --model runs/iwae-121 --data-dir DATA

Every peer is a process that stays alive; one of all works at a time, in turn, round after round, so that
a slow minute of the machine hits all alike. A number is the median of its rounds. Before anything is
timed, every peer's gradients are compared with those of tightbound's f64 engine on the same parameters,
pixels and noise. bench/README.md has the method.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

import machine
import tables
from configurations import MODELS, select
from contestants import PEERS, ROOT, SCRATCH, Peer, Product, Unable

sys.path.append(str(Path(__file__).resolve().parent / "peers"))
import check  # noqa: E402

GOLDEN = ROOT / "crates" / "tightbound" / "tests" / "golden" / "tanh-exp-deep.safetensors"


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    arguments = parse()
    described = machine.describe()
    program = arguments.product or build()
    product = Product(program, arguments.threads, arguments.data_dir)
    models = {path: label_and_architecture(path, product) for path in arguments.model}
    results = {
        "date": tables.now(),
        "machine": described,
        "versions": {"product": {"tightbound": version(program)}},
        "options": {key: getattr(arguments, key) for key in ("threads", "rounds", "seconds")},
    }
    file = check_file(arguments.data_dir)
    results["check"] = {"file": file.name, "product": check_product(file)}
    peers = start(arguments, results, file)
    results["rows"] = []
    for configuration in select(arguments.only):
        try:
            results["rows"].append(measure(configuration, product, peers, models, arguments))
        except Unable as error:
            say(f"{configuration.name} left out: {error}")
    for peer in peers:
        peer.close()
    body = markdown(results["rows"], [p.name for p in peers], results["check"])
    tables.write(arguments.out, arguments.name, "tightbound beside its peers", results, body)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="PART", help="configurations whose names begin so; * and ? stand for anything")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="default: all")
    parser.add_argument("--model", action="append", default=[], help="trained run or model.safetensors for pruned rows; may be repeated")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn; a fifth more goes before, unmeasured")
    parser.add_argument("--data-dir", help="data files that --model was trained on")
    add_common(parser, "peers")
    return parser.parse_args()


def add_common(parser, name):
    """The arguments of all measurements: which program, and where its results go."""
    parser.add_argument("--product", help="a tightbound to run instead of building this one")
    parser.add_argument("--out", default=ROOT / "bench" / "results")
    parser.add_argument("--name", default=name, help="of the files in --out")


def build():
    subprocess.run(["cargo", "build", "--release"], cwd=ROOT, check=True)
    return ROOT / "target" / "release" / "tightbound"


def version(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split(maxsplit=1)[1].strip()


def label_and_architecture(path, product):
    """What a trained model is called in the tables, and which of MODELS it is."""
    path = Path(path)
    for name, architecture in MODELS.items():
        settings = {"work": "score", "batch": 1, "estimator": {"k": 1}, "architecture": architecture}
        try:
            facts = product.measure(settings, 0, model=path)
        except Unable as error:
            reason = error
            continue
        return f"{path.stem if path.is_file() else path.name} ({facts['epoch']} epochs)", name
    raise SystemExit(f"--model {path}: {reason}")


def check_file(data_dir):
    """Parameters, pixels, noise and exact gradients of the reference model at S = 64 on MNIST; where
    MNIST is not at hand, those of a small model that lie beside the tests."""
    path = SCRATCH / "check.safetensors"
    environment = os.environ | ({"TIGHTBOUND_DATA": str(data_dir)} if data_dir else {})
    command = ["cargo", "run", "--release", "--package", "tightbound", "--example", "gradients", "--"]
    SCRATCH.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*command, "batch", "init", "exp", path], cwd=ROOT, env=environment, capture_output=True)
    return path if done.returncode == 0 else GOLDEN


def check_product(file):
    """tightbound's own f32 gradients, held to the same bars; the golden file's are held by its tests."""
    if file == GOLDEN:
        return {}
    return check.compare(Computed(), file)


class Computed:
    """tightbound's f32 engine as a peer whose answers lie in the file already."""

    def supports(self, settings):
        return True

    def check(self, settings, tensors):
        label = settings["label"]
        prefix = f"{label}/cpu/"
        values = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        return values.pop("bound")[0], values


def start(arguments, results, file):
    """The peers that are installed and right."""
    peers = []
    for name in arguments.peers:
        try:
            peer = Peer(name, arguments.threads)
            results["versions"][name] = peer.ask(do="versions")
            results["check"][name] = peer.ask(do="check", file=str(file))
            peers.append(peer)
            say(f"{name} agrees")
        except (Unable, subprocess.CalledProcessError, OSError) as error:
            say(f"{name} left out: {error}")
    return peers


def measure(configuration, product, peers, models, arguments):
    """All contestants on one configuration, in turn."""
    settings = configuration.settings()
    turns = {"product": lambda: product.measure(settings, arguments.seconds)}
    if configuration.prunes:
        for path, (label, architecture) in models.items():
            if architecture == configuration.model:
                turns[label] = lambda path=path: product.measure(
                    settings, arguments.seconds, prune="lossless", model=path
                )
    for peer in peers:
        try:
            if peer.ask(do="supports", settings=settings):
                peer.ask(do="prepare", settings=settings)
                turns[peer.name] = lambda peer=peer: {"rate": peer.rate(arguments.seconds)}
        except Unable as error:
            say(f"{configuration.name}: {error}")
    rounds = {name: [] for name in turns}
    for index in range(arguments.rounds):
        for name, turn in turns.items():
            rounds[name].append(turn())
        told = ", ".join(f"{name} {results[-1]['rate']:.1f}" for name, results in rounds.items())
        say(f"{configuration.name} {index + 1}/{arguments.rounds}: {told} {configuration.unit}")

    def median(name, key):
        values = [result[key] for result in rounds[name] if result.get(key) is not None]
        return statistics.median(values) if values else None

    products = [name for name in turns if name == "product" or name in {label for label, _ in models.values()}]
    keys = ["fma_peak_gflops", "fma_peak_fraction", "gflops", "kept_fraction", "peak_memory_bytes"]
    return {
        "configuration": configuration.name,
        "work": configuration.work,
        "unit": configuration.unit,
        "rates": {name: median(name, "rate") for name in turns},
        "rounds": {name: [result["rate"] for result in results] for name, results in rounds.items()},
        "product": {name: {key: median(name, key) for key in keys} for name in products},
    }


def markdown(rows, peers, checks):
    """The tables of a run."""
    header = ["configuration", *peers, "tightbound", "of FMA peak", "× eager", "× strongest"]
    unpruned, pruned = [], []
    for row in rows:
        rates = row["rates"]
        others = {name: rates[name] for name in peers if name in rates}
        strongest = max(others, key=others.get, default=None)

        def ratios(rate):
            against = [times_of(rate, others.get("eager"))]
            named = f" ({strongest})" if strongest else ""
            return against + [times_of(rate, others.get(strongest)) + named]

        title = f"{row['configuration']}, {row['unit']}"
        values = [tables.number(others.get(name)) for name in peers]
        own = row["product"]["product"]
        peak = f"{tables.percent(own['fma_peak_fraction'])} of {own['fma_peak_gflops']:.0f}"
        unpruned.append([title, *values, f"**{tables.number(rates['product'])}**", peak, *ratios(rates["product"])])
        for label, numbers in row["product"].items():
            if label != "product":
                kept = tables.percent(numbers["kept_fraction"])
                gain = tables.times(rates[label] / rates["product"])
                pruned.append([title, label, kept, f"**{tables.number(rates[label])}**", gain, *ratios(rates[label])])
    parts = ["## Without pruning", tables.table(header, unpruned)]
    if pruned:
        header = ["configuration", "model", "kept", "tightbound", "× unpruned", "× eager", "× strongest"]
        parts += ["## With lossless pruning, on trained models", tables.table(header, pruned)]
    errors = {name: of for name, of in checks.items() if isinstance(of, dict) and of}
    labels = list(dict.fromkeys(label for of in errors.values() for label in of))
    cells = [
        [name, *(f"{of[label]['gradient_error']:.1e}" if label in of else "–" for label in labels)]
        for name, of in errors.items()
    ]
    parts += [
        f"## Agreement: relative L2 error of the gradients against f64 (`{checks['file']}`; bar {check.GRADIENT:g})",
        tables.table(["contestant", *labels], cells),
    ]
    return "\n\n".join(parts)


def times_of(rate, other):
    return tables.times(rate / other if other else None)


if __name__ == "__main__":
    main()
