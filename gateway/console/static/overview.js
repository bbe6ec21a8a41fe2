// Keeps the live part of the overview up to date; it rests while nobody looks.
import { localise } from "/docs/assets/look/look.js";

const EVERY_MS = 3000;
const live = document.querySelector("[data-live]");
const look = { ready: "good", failed: "bad", absent: "off" };

function said(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit !== "ms") return value.toLocaleString("en");
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return value >= 100 ? `${value.toFixed(0)} ms` : `${value.toFixed(1)} ms`;
}

function show(now) {
  if (now.shape !== live.dataset.shape) return location.reload(); // other workers: the server draws them
  const kinds = Object.fromEntries(now.kinds.map((kind) => [kind.kind, kind]));
  for (const figure of live.querySelectorAll("[data-figure]")) {
    const [of, name] = figure.dataset.figure.split(".");
    const group = of === "minute" ? now.minute : kinds[of];
    figure.textContent = said(group?.[name], figure.dataset.unit);
  }
  for (const place of live.querySelectorAll("[data-part]")) {
    const [kind, name] = place.dataset.part.split(".");
    const part = kinds[kind].parts.find((one) => one.name === name);
    const mark = place.querySelector(".state");
    mark.className = `state ${look[part.state]}`;
    mark.lastChild.textContent = place.getAttribute(`data-word-${part.state}`);
  }
  const time = Object.assign(document.createElement("time"), { dateTime: now.at, textContent: now.at });
  live.querySelector("[data-at]").replaceChildren(time);
  localise(live);
}

async function refresh() {
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch("/admin/live", { headers: { Accept: "application/json" } });
      if (answer.status === 401) return location.reload(); // the session has ended: to the login
      if (!answer.ok) throw new Error(answer.status);
      show(await answer.json());
    } catch {
      live.querySelector("[data-at]").textContent = live.dataset.away;
    }
  }
  setTimeout(refresh, EVERY_MS);
}

for (const tick of document.querySelectorAll("[data-hour]")) {
  const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  tick.textContent = new Intl.DateTimeFormat(document.documentElement.lang, hour).format(new Date(tick.dataset.hour));
}
// Right after a start the last day is still being counted.
if (document.querySelector("[data-counting]")) setTimeout(() => location.reload(), 1000);
setTimeout(refresh, EVERY_MS);
