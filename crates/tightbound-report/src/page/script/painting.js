// Paint probabilities and grey values as ink on a canvas.

/** Red, green and blue of a colour as the browser computes it. */
const channels = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);

/** An image in the canvas's text colour: more ink where `pixels` are larger, none where they are 0. */
const inked = (canvas, pixels, width) => {
  const [red, green, blue] = channels(getComputedStyle(canvas).color);
  const image = new ImageData(width, pixels.length / width);
  pixels.forEach((value, i) => image.data.set([red, green, blue, Math.round(255 * value)], 4 * i));
  return image;
};

/** Makes `pixels` the canvas's whole content, a canvas pixel each. */
const paint = (canvas, pixels, { height, width }) => {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(inked(canvas, pixels, width), 0, 0);
};

/** A colour of the page's style. */
const colourNamed = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();
