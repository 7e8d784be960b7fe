// Let the reader choose units, images and ways between them.

/** Sliders shown before the reader asks for all. */
const FEW = 10;
/** Images along the way from one to another. */
const STEPS = 9;

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/** Fills a select box with one option a name. */
const fill = (select, names, chosen) => {
  select.replaceChildren(...names.map((name, value) => element("option", { value, textContent: name })));
  select.value = chosen;
};

const unitName = ({ index, note }) => (note ? `unit ${index} · ${note}` : `unit ${index}`);

/** A slider for every unit. */
class Sliders {
  constructor(state, box, more) {
    Object.assign(this, { state, box, more, all: false });
    more.addEventListener("click", () => {
      this.all = !this.all;
      this.build();
      this.show();
    });
    state.subscribe((changes) => {
      if (changes.has("model")) this.build();
      this.show();
    });
  }

  build() {
    const { packed, reach } = this.state.decoder;
    const shown = this.all ? packed.units : packed.units.slice(0, FEW);
    this.rows = shown.map((unit) => {
      const id = `unit-${unit.index}`;
      const slider = element("input", { type: "range", id, min: -reach, max: reach, step: 0.01 });
      slider.addEventListener("input", () => this.state.set(unit.index, slider.valueAsNumber));
      const name = element("label", { htmlFor: id, title: unitName(unit) }, `unit ${unit.index} `);
      name.append(element("span", { className: "aside", textContent: unit.note }));
      return { unit, slider, name, value: element("output", { htmlFor: id }) };
    });
    this.box.replaceChildren(
      ...this.rows.map(({ slider, name, value }) => element("div", { className: "unit" }, name, slider, value)),
    );
    this.more.hidden = packed.units.length <= FEW;
    this.more.setAttribute("aria-expanded", this.all);
    this.more.textContent = this.all ? `Show the first ${FEW}` : `Show all ${packed.units.length} units`;
  }

  show() {
    for (const { unit, slider, value } of this.rows) {
      const number = this.state.z[unit.index];
      // The slider that is being moved says the same number already.
      if (slider.valueAsNumber !== number) slider.valueAsNumber = number;
      value.textContent = signed(number);
    }
  }
}

/** A number with two decimals and a true minus sign. */
const signed = (number) => number.toFixed(2).replace(/^-(?=.*[1-9])/, "−").replace("-", "");

/** A button for every example. */
class Examples {
  constructor(state, fieldset, box) {
    Object.assign(this, { state, fieldset, box });
    state.subscribe((changes) => {
      if (changes.has("model")) this.build();
      [...box.children].forEach((button, example) =>
        button.setAttribute("aria-pressed", example === state.started),
      );
    });
  }

  build() {
    const { examples, packed } = this.state.decoder;
    this.fieldset.hidden = examples.length === 0;
    const buttons = examples.map(({ label }, example) => {
      const button = element("button", { type: "button", title: label }, element("canvas"));
      button.append(element("span", { textContent: label }));
      button.addEventListener("click", () => this.state.start(example));
      return button;
    });
    this.box.replaceChildren(...buttons);
    buttons.forEach((button, example) => paint(button.firstChild, examples[example].pixels, packed));
  }
}

/** The straight way from one example to another. */
class Journey {
  constructor(state, { interpolation, from, to, progress, strip }) {
    Object.assign(this, { state, fieldset: interpolation, from, to, progress, strip });
    for (const select of [from, to]) {
      select.addEventListener("change", () => {
        this.draw();
        this.go();
      });
    }
    progress.addEventListener("input", () => this.go());
    state.subscribe((changes) => {
      if (changes.has("model")) this.build();
    });
  }

  build() {
    const { examples } = this.state.decoder;
    this.fieldset.hidden = examples.length < 2;
    if (this.fieldset.hidden) return;
    const names = examples.map(({ label }, example) => `${example + 1}: ${label}`);
    const kept = (select, otherwise) => (names[select.value] === undefined || select.value === "" ? otherwise : select.value);
    fill(this.from, names, kept(this.from, 0));
    fill(this.to, names, kept(this.to, names.length - 1));
    this.draw();
  }

  get ends() {
    return [this.from, this.to].map((select) => this.state.decoder.examples[select.value].mean);
  }

  between(part) {
    const [from, to] = this.ends;
    return Float64Array.from(from, (value, unit) => (1 - part) * value + part * to[unit]);
  }

  go() {
    const part = this.progress.valueAsNumber;
    this.state.started = Number(part < 0.5 ? this.from.value : this.to.value);
    this.state.move(this.between(part));
  }

  draw() {
    const { decoder } = this.state;
    const { height, width } = decoder.packed;
    Object.assign(this.strip, { width: STEPS * width, height });
    const pen = this.strip.getContext("2d");
    for (let step = 0; step < STEPS; step += 1) {
      const pixels = decoder.decode(this.between(step / (STEPS - 1)));
      pen.putImageData(inked(this.strip, pixels, width), step * width, 0);
    }
  }
}
