// Keys for lists and pages. Everything works without them: links and forms are plain HTML.
"use strict";

const dialog = document.getElementById("keys");
const help = document.getElementById("help");
const items = () => [...document.querySelectorAll("[data-item]")];

function step(by) {
  const all = items();
  if (!all.length) return;
  const here = all.indexOf(document.activeElement);
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by;
  const item = all[Math.min(Math.max(next, 0), all.length - 1)];
  item.focus();
  item.scrollIntoView({ block: "nearest" });
}

function follow(relation) {
  document.querySelector(`a[rel="${relation}"]`)?.click();
}

const actions = {
  j: () => step(1),
  k: () => step(-1),
  n: () => follow("next"),
  p: () => follow("prev"),
  u: () => follow("up"),
  o: () => document.querySelector("a.run")?.click(),
  m: () => document.getElementById("typed")?.click(),
  "/": () => document.getElementById("first-filter")?.focus(),
  "?": () => dialog.showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (typing || dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

help.hidden = false;
help.addEventListener("click", () => dialog.showModal());

// The switch of formulas stays as it was from page to page, where the browser keeps such things.
const typed = document.getElementById("typed");
if (typed) {
  try {
    typed.checked = sessionStorage.getItem("typed") === "yes";
    typed.addEventListener("change", () =>
      sessionStorage.setItem("typed", typed.checked ? "yes" : "no"),
    );
  } catch {
    // A browser that keeps nothing shows formulas drawn.
  }
}

// The clipboard is for pages of this machine and of https; elsewhere the selection is copied.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.body.appendChild(document.createElement("textarea"));
  area.value = text;
  area.select();
  document.execCommand("copy");
  area.remove();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const answer = await fetch(button.dataset.copy);
    if (answer.ok) await copy(await answer.text());
    button.textContent = answer.ok ? "Copied" : "Not copied";
  });
}
