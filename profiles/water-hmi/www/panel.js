"use strict";
// Asks for the values every two seconds and puts them where the page shows them.
const draw = {
  value: (e, v) => { e.textContent = v.toFixed(+e.dataset.digits || 0); },
  on: (e, v) => e.classList.toggle("on", !!v),
  bad: (e, v) => e.classList.toggle("bad", !!v),
  flow: (e, v) => e.classList.toggle("on", v > 0.5),
  show: (e, v) => { e.toggleAttribute("hidden", !v); e.style.display = v ? "" : "none"; },
  run: (e, v) => { e.textContent = v ? "running" : "stopped"; e.classList.toggle("on", !!v); },
  hand: (e, v) => { e.textContent = v ? "manual" : "auto"; e.classList.toggle("hand", !!v); },
  level: (e, v) => {
    const height = Math.max(0, Math.min(1, v / +e.dataset.full)) * +e.dataset.height;
    e.setAttribute("height", height);
    e.setAttribute("y", +e.dataset.bottom - height);
  },
};
const curves = [...document.querySelectorAll("[data-curve]")];
function curve(e, v) {
  const points = (e.getAttribute("points") || "").trim().split(/\s+/).filter(Boolean);
  const low = +e.dataset.low, high = +e.dataset.high;
  const y = 150 - 140 * Math.max(0, Math.min(1, (v - low) / (high - low)));
  if (e.live) points.pop();
  points.push(`640,${y.toFixed(1)}`);
  e.live = true;
  e.setAttribute("points", points.join(" "));
}
async function look() {
  try {
    const answer = await fetch("/api/values.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const now = await answer.json();
    for (const kind of Object.keys(draw))
      for (const e of document.querySelectorAll(`[data-${kind}]`)) {
        const v = now[e.dataset[kind]];
        if (v !== undefined) draw[kind](e, v);
      }
    for (const e of curves) if (now[e.dataset.curve] !== undefined) curve(e, now[e.dataset.curve]);
    for (const e of document.querySelectorAll("[data-clock]")) e.textContent = now.time;
    for (const e of document.querySelectorAll("[data-count]")) e.hidden = !now.alarm_unacknowledged && !now.hill_alarm_unacknowledged;
    for (const e of document.querySelectorAll("[data-offline]")) e.hidden = now.intake_online && now.hill_online;
    const list = document.querySelector("[data-events]");
    if (list && +list.dataset.events !== now.events) return location.reload();
    document.body.dataset.polls = 1 + (+document.body.dataset.polls || 0);
  } catch {
    for (const e of document.querySelectorAll("[data-offline]")) e.hidden = false;
  }
  setTimeout(look, 2000);
}
look();
