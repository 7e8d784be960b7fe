// Hold what the explorer shows, and tell its views when that changes.

/** One draw from N(0, 1), by Box and Muller. */
const standardNormal = () =>
  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/** A model, a latent point, the two units of the plane, and the image the point started from. */
class State {
  constructor(decoders) {
    this.decoders = decoders;
    this.views = [];
    this.pending = new Set();
    this.choose(0);
  }

  get decoder() {
    return this.decoders[this.model];
  }

  /** Shows another model, at the image it showed before if it has one of that number. */
  choose(model) {
    this.model = model;
    const { units, latents } = this.decoder.packed;
    this.axes = [units[0].index, units[Math.min(1, units.length - 1)].index];
    this.z = new Float64Array(latents);
    this.note = "the origin";
    if (this.decoder.examples.length > 0) this.start(this.decoder.examples[this.started] ? this.started : 0);
    this.announce("model");
  }

  /** Goes to the mean of an example. */
  start(example) {
    this.started = example;
    this.move(this.decoder.examples[example].mean);
  }

  /** Goes to a point that belongs to no example; `note` says where it comes from. */
  leave(z, note) {
    this.started = null;
    this.note = note;
    this.move(z);
  }

  move(z) {
    this.z = Float64Array.from(z);
    this.announce("point");
  }

  set(unit, value) {
    this.z[unit] = value;
    this.announce("point");
  }

  setAxes(axes) {
    this.axes = axes;
    this.announce("point");
  }

  /** Calls `view` with what changed, at once after any number of changes. */
  subscribe(view) {
    this.views.push(view);
  }

  announce(change) {
    if (this.pending.size === 0) requestAnimationFrame(() => this.tell());
    this.pending.add(change);
  }

  tell() {
    const changes = this.pending;
    this.pending = new Set();
    for (const view of this.views) view(changes);
  }

  /** The point as a fragment of the page's address. */
  get fragment() {
    const z = Array.from(this.z, (value) => Number(value.toFixed(3)));
    return `#model=${this.model}&axes=${this.axes}&z=${z}`;
  }

  /** Goes where a fragment says; anything but a fragment of this page's models changes nothing. */
  follow(fragment) {
    const parts = new URLSearchParams(fragment.slice(1));
    const numbers = (name) => (parts.get(name) ?? "").split(",").map(Number);
    const [model, axes, z] = [parts.get("model"), numbers("axes"), numbers("z")];
    const decoder = model === null ? undefined : this.decoders[Number(model)];
    const known = (axis) => decoder.packed.units.some((unit) => unit.index === axis);
    if (!decoder || z.length !== decoder.packed.latents || !z.every(Number.isFinite)) return;
    this.choose(Number(model));
    this.leave(z, "a point from a link");
    if (axes.length === 2 && axes.every(known)) this.setAxes(axes);
  }
}
