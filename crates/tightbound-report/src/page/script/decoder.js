// Turn a latent point into the probability of every pixel, as the trained decoder does.

const NONLINEARITIES = {
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};

const logistic = (x) => 1 / (1 + Math.exp(-x));

/** The bytes that `base64` spells. */
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** The little-endian 32-bit floats that `base64` spells. */
const floatsOf = (base64) => {
  const view = new DataView(bytesOf(base64).buffer);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
};

/** W x + b with sums in double precision; W is [outputs, inputs]. */
const affine = ({ inputs, outputs, weights, biases }, x) => {
  const y = new Float64Array(outputs);
  for (let output = 0, place = 0; output < outputs; output += 1) {
    let sum = biases[output];
    for (let input = 0; input < inputs; input += 1, place += 1) sum += weights[place] * x[input];
    y[output] = sum;
  }
  return y;
};

/** One model of the page. Its weights are unpacked when they are first needed. */
class Decoder {
  constructor(packed) {
    this.packed = packed;
    this.examples = packed.examples.map(({ label, mean, pixels }) => ({
      label,
      mean: floatsOf(mean),
      pixels: Float32Array.from(bytesOf(pixels), (grey) => grey / 255),
    }));
    // The shown range of every unit, in standard deviations of the prior.
    const furthest = this.examples.flatMap(({ mean }) => Array.from(mean, Math.abs));
    this.reach = Math.min(6, Math.ceil(furthest.reduce((a, b) => Math.max(a, b), 3)));
  }

  get layers() {
    const unpack = (layer) => ({
      ...layer,
      weights: floatsOf(layer.weights),
      biases: floatsOf(layer.biases),
    });
    this.unpacked ??= this.packed.layers.map(unpack);
    return this.unpacked;
  }

  /** p(x = 1 | z) of every pixel, row by row. */
  decode(z) {
    const { latents, nonlinearity } = this.packed;
    if (z.length !== latents) throw new RangeError(`z has ${z.length} elements, not ${latents}`);
    const last = this.layers.length - 1;
    let values = Float64Array.from(z);
    this.layers.forEach((layer, depth) => {
      const follow = depth === last ? logistic : NONLINEARITIES[nonlinearity];
      values = affine(layer, values).map(follow);
    });
    return Float32Array.from(values);
  }
}
