"""Simulate how busy many cores would be in one training step, from measurements on one core.

    python bench/schedule.py                    S = 64, B = 20 and 100, on 1 to 16 cores
    python bench/schedule.py --samples 64 --batches 20 --cores 2 16

Two batch sizes on one thread tell what an image costs, and what a step costs without images. The
simulation cuts both into the engine's units, in the order of its phases, and gives every unit to the core
that is free first; a phase begins when the one before has ended. Left out: slower memory and clocks when
more cores share them, and waking threads.
"""

import argparse
import heapq

import machine
import tables
from configurations import MODELS, iwae_step
from contestants import Product
from run import add_common, build, say, version

# As in the engine: wave.rs and encoder.rs.
GROUP_ROWS = 128
WAVE_ROWS_PER_THREAD = 256
PIECE_ROWS, SMALLEST_PIECE = 128, 16
PASS_IMAGES = 16
LANES = 16
# What moves through memory in the part of a step that no image adds to, in floats per parameter:
# packing reads 1 and writes 2, writing the gradient out moves 2, Adam reads 4 and writes 3.
PACK, WRITE, ADAM = 3, 2, 7


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--seconds", type=float, default=3.0)
    add_common(parser, "schedule")
    arguments = parser.parse_args()
    described = machine.describe()
    program = arguments.product or build()
    samples = arguments.samples
    small, large = 4, 40
    times = {images: step_seconds(program, samples, images, arguments.seconds) for images in (small, large)}
    per_image = (times[large] - times[small]) / (large - small)
    fixed = max(0.0, times[small] - small * per_image)
    say(f"one core: {1e6 * per_image:.0f} µs per image, {1e6 * fixed:.0f} µs per step")
    rows = []
    for batch in arguments.batches:
        one = fixed + batch * per_image
        for cores in arguments.cores:
            makespan = simulate(batch, samples, cores, per_image, fixed)
            rows.append({"batch": batch, "cores": cores, "step_us": 1e6 * makespan, "busy": one / makespan / cores})
    results = {
        "date": tables.now(),
        "machine": described,
        "versions": {"product": {"tightbound": version(program)}},
        "options": {"model": "reference", "samples": samples, "per_image_us": 1e6 * per_image, "fixed_us": 1e6 * fixed},
        "rows": rows,
    }
    header = ["B", "cores", "µs per step", "busy"]
    lines = [[str(r["batch"]), str(r["cores"]), f"{r['step_us']:.0f}", tables.percent(r["busy"])] for r in rows]
    tables.write(arguments.out, arguments.name, "Simulated schedule of a training step", results, tables.table(header, lines))


def step_seconds(program, samples, batch, seconds):
    return Product(program, 1, None).measure(iwae_step(samples, batch), seconds)["median_seconds"]


def simulate(batch, samples, cores, per_image, fixed):
    """Seconds of one step on `cores` cores."""
    architecture = MODELS["reference"]
    widths = [architecture["pixels"], *architecture["encoder"]]
    encoder = [i * o for i, o in zip(widths, widths[1:])] + [2 * widths[-1] * architecture["latents"]]
    widths = [architecture["latents"], *architecture["decoder"], architecture["pixels"]]
    decoder = [i * o for i, o in zip(widths, widths[1:])]
    # An image's share of each phase, by multiplications: forward, back, gradients of weights.
    total = 3 * (sum(encoder) + samples * sum(decoder))
    image = {
        "encoder": per_image * sum(encoder) / total,
        "decoder": per_image * samples * sum(decoder) / total,
    }
    layers = encoder + decoder
    fixed_of = lambda floats, part: fixed * floats / (PACK + WRITE + ADAM) * part / sum(layers)

    phases = [[fixed_of(PACK, layer) for layer in layers]]
    passes = shares_of(batch, -(-batch // -(-batch // PASS_IMAGES)))
    phases.append([images * image["encoder"] for images in passes])
    groups = shares_of(batch, max(1, GROUP_ROWS // samples))
    per_wave = max(1, cores * WAVE_ROWS_PER_THREAD // (groups[0] * samples))
    per_wave = -(-len(groups) // -(-len(groups) // per_wave))
    strips = sum(-(-o // LANES) for o in widths[1:])
    for first in range(0, len(groups), per_wave):
        wave = groups[first : first + per_wave]
        piece = min(max(sum(wave) * samples // (2 * cores), SMALLEST_PIECE), PIECE_ROWS)
        pieces = [rows for images in wave for rows in halves(images * samples, piece)]
        phases.append([2 * rows / samples * image["decoder"] for rows in pieces])
        # Each core's share of the weights, in whole strips of 16 outputs.
        work = sum(wave) * image["decoder"]
        phases.append([work * count / strips for count in shares_of(strips, -(-strips // cores))])
    phases.append([images * image["encoder"] for images in passes])
    ends = batch * image["encoder"]
    for floats, matrix in ((WRITE, ends), (ADAM, 0.0)):
        units = 2 * cores
        phases.append([(fixed_of(floats, sum(layers)) + matrix) / units] * units)
    return sum(makespan(units, cores) for units in phases)


def shares_of(whole, part):
    """`whole` cut into parts, the last of which may be smaller."""
    return [min(part, whole - first) for first in range(0, whole, part)]


def halves(rows, piece):
    """Rows cut in two, at a multiple of eight, until no part is larger than `piece`."""
    if rows <= piece:
        return [rows]
    half = min(-(-(rows // 2) // 8) * 8, rows - 1)
    return halves(half, piece) + halves(rows - half, piece)


def makespan(units, cores):
    """When the last of some units ends if each goes to the core that is free first."""
    free = [0.0] * cores
    for unit in units:
        heapq.heapreplace(free, free[0] + unit)
    return max(free)


if __name__ == "__main__":
    main()
