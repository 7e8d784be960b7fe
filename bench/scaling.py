"""Measure how tightbound's training step scales with samples, batch and threads, and what memory it takes.

    python bench/scaling.py                          S = 8..512, B = 20..500, 1 thread and all
    python bench/scaling.py --samples 64 --batches 20 100 --seconds 0.5
"""

import argparse
import os
import statistics

import machine
import tables
from configurations import iwae_step
from contestants import Product, Unable
from run import add_common, build, say, version

ROUNDS = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256, 512])
    parser.add_argument("--batches", type=int, nargs="+", default=[20, 50, 100, 200, 500])
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, os.cpu_count()}))
    parser.add_argument("--seconds", type=float, default=1.0)
    add_common(parser, "scaling")
    arguments = parser.parse_args()
    described = machine.describe()
    program = arguments.product or build()
    results = {
        "date": tables.now(),
        "machine": described,
        "versions": {"product": {"tightbound": version(program)}},
        "options": {"model": "reference", "estimator": "iwae", "prune": "off", "rounds": ROUNDS, "seconds": arguments.seconds},
        "rows": [],
    }
    for samples in arguments.samples:
        for batch in arguments.batches:
            try:
                results["rows"].append(measure(program, samples, batch, arguments))
            except Unable as error:
                say(f"left out: {error}")
    body = markdown(results["rows"], arguments.threads)
    tables.write(arguments.out, arguments.name, "How a training step scales", results, body)


def measure(program, samples, batch, arguments):
    """One configuration with each number of threads, in turn."""
    settings = iwae_step(samples, batch)
    rounds = {threads: [] for threads in arguments.threads}
    for _ in range(ROUNDS):
        for threads, done in rounds.items():
            done.append(Product(program, threads, None).measure(settings, arguments.seconds))

    def median(done, key):
        values = [result[key] for result in done if result[key] is not None]
        return statistics.median(values) if values else None

    keys = ["rate", "fma_peak_fraction", "fma_peak_gflops", "peak_memory_bytes"]
    row = {"samples": samples, "batch": batch}
    row["threads"] = {t: {key: median(done, key) for key in keys} for t, done in rounds.items()}
    say(f"S {samples}, B {batch}: " + ", ".join(f"{threads_of(t)} {r['rate']:.1f} steps/s" for t, r in row["threads"].items()))
    return row


def threads_of(count):
    return "1 thread" if count == 1 else f"{count} threads"


def markdown(rows, threads):
    header = ["S", "B"]
    for t in threads:
        header += [f"steps/s, {threads_of(t)}", "of FMA peak", "MB"]
    header += [f"{threads_of(t)} / {threads[0]}" for t in threads[1:]]
    lines = []
    for row in rows:
        line = [str(row["samples"]), str(row["batch"])]
        for t in threads:
            of = row["threads"][t]
            memory = of["peak_memory_bytes"]
            line += [tables.number(of["rate"]), tables.percent(of["fma_peak_fraction"]), tables.number(memory and memory / 1e6)]
        line += [tables.times(row["threads"][t]["rate"] / row["threads"][threads[0]]["rate"]) for t in threads[1:]]
        lines.append(line)
    return tables.table(header, lines)


if __name__ == "__main__":
    main()
