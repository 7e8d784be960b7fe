// Show two latent units as a plane in which a point is dragged.

/** Images across the plane in each direction. */
const CELLS = 11;
/** Milliseconds of each frame that go into the images across the plane. */
const BUDGET = 8;

/** What the decoder draws all over the plane, made piece by piece while the reader goes on. */
class Backdrop {
  constructor(state, plane) {
    Object.assign(this, { state, plane, next: 0, left: 0, canvas: document.createElement("canvas") });
  }

  /** Starts anew where something beside the point's place in the plane has changed. */
  update() {
    const { model, axes, z } = this.state;
    const others = Array.from(z, (value, unit) => (axes.includes(unit) ? 0 : value));
    const key = [model, colourNamed("--ink"), axes, others].join();
    if (key === this.key) return;
    this.key = key;
    const idle = this.left === 0;
    this.left = CELLS * CELLS;
    if (idle) requestAnimationFrame(() => this.work());
  }

  work() {
    const { height, width } = this.state.decoder.packed;
    const size = { width: CELLS * width, height: CELLS * height };
    if (this.canvas.width !== size.width || this.canvas.height !== size.height) {
      Object.assign(this.canvas, size);
    }
    const end = performance.now() + BUDGET;
    do {
      this.draw(this.next % CELLS, Math.floor(this.next / CELLS));
      this.next = (this.next + 1) % (CELLS * CELLS);
      this.left -= 1;
    } while (this.left > 0 && performance.now() < end);
    this.plane.draw();
    if (this.left > 0) requestAnimationFrame(() => this.work());
  }

  draw(column, row) {
    const { decoder, axes, z } = this.state;
    const { height, width } = decoder.packed;
    const middle = (cell) => ((2 * cell + 1) / CELLS - 1) * decoder.reach;
    const there = Float64Array.from(z);
    there[axes[1]] = -middle(row);
    there[axes[0]] = middle(column);
    const image = inked(this.plane.canvas, decoder.decode(there), width);
    this.canvas.getContext("2d").putImageData(image, column * width, row * height);
  }
}

/** The plane with its point, which pointer and arrow keys move. */
class Plane {
  constructor(state, canvas) {
    Object.assign(this, { state, canvas });
    this.backdrop = new Backdrop(state, this);
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
    state.subscribe(() => {
      this.backdrop.update();
      this.draw();
    });
  }

  listen() {
    const drag = (event) => this.moveTo(this.valueAt(event));
    const stop = () => {
      removeEventListener("pointermove", drag);
      removeEventListener("pointerup", stop);
      removeEventListener("pointercancel", stop);
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      // No text is selected on the way, but the arrow keys go on from here.
      event.preventDefault();
      this.canvas.focus({ preventScroll: true });
      drag(event);
      addEventListener("pointermove", drag);
      addEventListener("pointerup", stop);
      addEventListener("pointercancel", stop);
    });
    this.canvas.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.5 : 0.1;
      const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowDown: [0, -step], ArrowUp: [0, step] };
      const way = ways[event.key];
      if (way) this.moveTo(this.place.map((value, axis) => value + way[axis]));
      if (event.key === "Home") this.moveTo([0, 0]);
      if (way || event.key === "Home") event.preventDefault();
    });
  }

  /** The point's place in the plane. */
  get place() {
    return this.state.axes.map((unit) => this.state.z[unit]);
  }

  moveTo(place) {
    const { axes, decoder } = this.state;
    const within = (value) => Math.max(-decoder.reach, Math.min(decoder.reach, value));
    axes.forEach((unit, axis) => this.state.set(unit, within(place[axis])));
  }

  valueAt({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const { reach } = this.state.decoder;
    return [(2 * (clientX - left)) / width - 1, 1 - (2 * (clientY - top)) / height].map((part) => part * reach);
  }

  resize() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    Object.assign(this.canvas, { width: side, height: side });
    this.draw();
  }

  draw() {
    const { canvas, state } = this;
    const { decoder, axes, started } = state;
    const side = canvas.width;
    const unit = side / (2 * decoder.reach);
    const at = (values) => {
      const [x, y] = values.map((value) => Math.max(-decoder.reach, Math.min(decoder.reach, value)) * unit);
      return [side / 2 + x, side / 2 - y];
    };
    const pen = canvas.getContext("2d");
    const circle = ([x, y], radius) => {
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
    };
    const line = (from, to) => {
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.stroke();
    };
    pen.clearRect(0, 0, side, side);
    pen.globalAlpha = 0.42;
    if (this.backdrop.key) pen.drawImage(this.backdrop.canvas, 0, 0, side, side);
    pen.lineWidth = devicePixelRatio;
    pen.strokeStyle = colourNamed("--quiet");
    for (const deviations of [1, 2]) {
      circle(at([0, 0]), deviations * unit);
      pen.stroke();
    }
    line(at([-decoder.reach, 0]), at([decoder.reach, 0]));
    line(at([0, -decoder.reach]), at([0, decoder.reach]));
    pen.globalAlpha = 1;
    pen.fillStyle = colourNamed("--spot");
    decoder.examples.forEach(({ mean }, example) => {
      circle(at(axes.map((axis) => mean[axis])), (example === started ? 4.5 : 3) * devicePixelRatio);
      pen.fill();
    });
    const here = at(this.place);
    pen.strokeStyle = colourNamed("--ground");
    pen.lineWidth = 6 * devicePixelRatio;
    circle(here, 9 * devicePixelRatio);
    pen.stroke();
    pen.strokeStyle = colourNamed("--accent");
    pen.lineWidth = 3 * devicePixelRatio;
    pen.stroke();
  }
}
