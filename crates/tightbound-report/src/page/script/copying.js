// Give every block of commands a button that copies it.

/** Puts `text` on the clipboard; resolves to whether that worked. */
const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
};

for (const block of document.querySelectorAll(".commands")) {
  const button = document.createElement("button");
  const say = (word) => {
    button.textContent = word;
  };
  button.type = "button";
  button.setAttribute("aria-live", "polite");
  say("Copy");
  button.addEventListener("click", async () => {
    const code = block.querySelector("code");
    const copied = await copy(code.textContent.trimEnd());
    if (!copied) getSelection().selectAllChildren(code);
    say(copied ? "Copied" : "Selected");
    setTimeout(say, 1500, "Copy");
  });
  block.append(button);
}
