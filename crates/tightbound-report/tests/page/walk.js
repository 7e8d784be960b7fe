// Use every control of the explorer, and see the point and the image after each.
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const moments = {};
const see = async (name) => {
  await frames_passed(2);
  const { width, height } = part("decoded");
  const { data } = part("decoded").getContext("2d").getImageData(0, 0, width, height);
  moments[name] = { ...tightbound.point(), ink: Array.from(data).filter((_, i) => i % 4 === 3) };
};
const check = (holds, words) => {
  if (!holds) throw new Error(words);
};
const input = (control, value, event = "input") => {
  control.value = value;
  control.dispatchEvent(new Event(event, { bubbles: true }));
};
/** A pointer at a place of the plane, from the lower left (−1, −1) to the upper right (1, 1). */
const pointer = (type, target, x, y) => {
  const { left, top, width, height } = part("plane").getBoundingClientRect();
  const [clientX, clientY] = [left + (width * (1 + x)) / 2, top + (height * (1 - y)) / 2];
  const event = new PointerEvent(type, { clientX, clientY, button: 0, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
};
const press = (key, shiftKey = false) => {
  const event = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
  check(!part("plane").dispatchEvent(event), `${key} scrolls the page`);
};

await see("begun");
check(part("units").children.length === 10, "ten sliders at first");
const slider = part("units").querySelector("input");
input(slider, 1.25);
await see("slid");
check(part("units").querySelector("output").textContent === "1.25", "the number beside the slider");

pointer("pointerdown", part("plane"), 0.5, 0.25);
await see("pressed");
check(document.activeElement === part("plane"), "the pressed plane has the keyboard");
pointer("pointermove", window, -7, -0.5);
await see("dragged");
check(slider.valueAsNumber === -3, "the slider follows the point");
pointer("pointerup", window, -7, -0.5);
pointer("pointermove", window, 0, 0);
await see("released");
press("ArrowRight");
press("ArrowUp", true);
await see("stepped");
check(/unit 11 at −2.90, unit 10 at −1.00/.test(part("plane").getAttribute("aria-label")), "the plane says where the point is");
press("Home");
await see("homed");
input(part("up"), 2, "change");
pointer("pointerdown", part("plane"), 0, 0.5);
pointer("pointerup", window, 0, 0.5);
await see("turned");

const examples = part("examples").children;
examples[3].click();
await see("chosen");
check(examples[3].ariaPressed === "true" && examples[0].ariaPressed === "false", "the chosen example");
input(part("from"), 1, "change");
input(part("to"), 2, "change");
input(part("progress"), 0.25);
await see("between");
part("random").click();
await see("drawn");
check(part("input-caption").textContent.startsWith("No image"), "a draw has no image");
part("reset").click();
await see("reset");
part("more").click();
check(part("units").children.length === 12, "all sliders");

location.hash = "#model=1&axes=3,1&z=0.5,-1,0.25,0";
await new Promise((done) => setTimeout(done, 50));
await see("linked");
check(part("model").value === "1", "the model of the link");
const followed = JSON.stringify(tightbound.point());
for (const wrong of ["#model=7&z=1,2,3,4", "#model=1&z=1,2", "#model=1&z=1,2,3,x", "#model=-1", "#constructor"]) {
  location.hash = wrong;
  await new Promise((done) => setTimeout(done, 50));
  check(JSON.stringify(tightbound.point()) === followed, `${wrong} is no place`);
}
part("link").click();
check(location.hash === "#model=1&axes=3,1&z=0.5,-1,0.25,0", `the link is ${location.hash}`);
return moments;
