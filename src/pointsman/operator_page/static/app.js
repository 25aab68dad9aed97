"use strict";
// Everything works without this: it keeps numbers live, and asks before something is dropped.

const at = (numbers, path) => path.split(".").reduce((value, name) => value?.[name], numbers);

function show(numbers) {
  for (const element of document.querySelectorAll("[data-live]")) {
    const value = at(numbers, element.dataset.live);
    if (value === undefined) continue;
    const words = typeof value === "number" ? value.toLocaleString("en") : value || "–";
    if (element.textContent !== words) element.textContent = words;
    if (element.getAttribute("role") === "alert") element.hidden = !value;
  }
  for (const element of document.querySelectorAll("[data-meter]")) {
    const value = at(numbers, element.dataset.meter);
    if (typeof value === "number") element.value = value;
  }
}

const live = document.querySelector("[data-events]");
if (live) {
  const events = new EventSource(live.dataset.events);
  events.addEventListener("message", (event) => {
    show(JSON.parse(event.data));
    live.dataset.alive = "yes";
  });
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
