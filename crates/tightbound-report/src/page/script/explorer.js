// Put the explorer together.

{
  const root = document.querySelector(".explorer");
  const parts = {};
  for (const part of root.querySelectorAll("[data-part]")) parts[part.dataset.part] = part;
  const packed = JSON.parse(document.getElementById("explorer-data").textContent);
  const state = new State(packed.map((model) => new Decoder(model)));
  const say = (words) => {
    parts.status.textContent = words;
  };

  /** Draws the decoded image and the image it started from, and says where the point is. */
  const show = () => {
    const { decoder, z, axes, started } = state;
    const begin = performance.now();
    const pixels = decoder.decode(z);
    parts.timing.textContent = `in ${(performance.now() - begin).toFixed(1)} ms`;
    paint(parts.decoded, pixels, decoder.packed);
    const example = decoder.examples[started];
    paint(parts.input, example?.pixels ?? new Float32Array(pixels.length), decoder.packed);
    parts["input-caption"].textContent = example ? `Test image: ${example.label}` : `No image: ${state.note}`;
    parts.input.setAttribute("aria-label", parts["input-caption"].textContent);
    const typical = Math.sqrt(z.length).toFixed(1);
    parts.norm.textContent = `${Math.hypot(...z).toFixed(2)} (a draw of the prior: about ${typical})`;
    const place = axes.map((unit) => `unit ${unit} at ${signed(z[unit])}`).join(", ");
    parts.place.textContent = place;
    parts.plane.setAttribute("aria-label", `Plane of two latent units: ${place}`);
  };

  /** Offers the units of the model for the plane. */
  const offer = () => {
    const { units } = state.decoder.packed;
    [parts.across, parts.up].forEach((select, axis) => {
      fill(select, units.map(unitName), units.findIndex(({ index }) => index === state.axes[axis]));
    });
  };

  new Plane(state, parts.plane);
  new Sliders(state, parts.units, parts.more);
  new Examples(state, parts.starting, parts.examples);
  new Journey(state, parts);
  state.subscribe((changes) => {
    if (changes.has("model")) {
      parts.model.value = state.model;
      offer();
    }
    show();
  });

  fill(parts.model, packed.map(({ name }) => name), 0);
  parts.models.hidden = packed.length < 2;
  parts.model.addEventListener("change", () => state.choose(Number(parts.model.value)));
  parts.random.addEventListener("click", () => state.leave(state.z.map(standardNormal), "a draw of the prior"));
  parts.reset.addEventListener("click", () => state.leave(state.z.map(() => 0), "the origin"));
  parts.link.addEventListener("click", async () => {
    history.replaceState(null, "", state.fragment);
    say((await copy(location.href)) ? "Link copied" : "The link is in the address bar");
    setTimeout(say, 2500, "");
  });
  for (const [axis, select] of [parts.across, parts.up].entries()) {
    select.addEventListener("change", () => {
      const unit = state.decoder.packed.units[select.value].index;
      state.setAxes(state.axes.map((old, place) => (place === axis ? unit : old)));
    });
  }
  addEventListener("hashchange", () => state.follow(location.hash));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => state.announce("model"));

  root.hidden = false;
  state.follow(location.hash);
  window.tightbound = {
    models: packed.map(({ name }) => name),
    decode: (model, z) => state.decoders[model].decode(z),
    point: () => ({ model: state.model, axes: [...state.axes], z: [...state.z] }),
  };
}
