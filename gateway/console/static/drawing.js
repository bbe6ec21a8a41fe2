// Draws what came of a try: boxes over pictures, scores against thresholds, and where the time went.
// Every text is set as text, never as markup: a field of a card may say anything.

const SVG = "http://www.w3.org/2000/svg";
const STEPS = ["queue_wait", "decode", "preprocess", "blob", "inference", "postprocess", "nms", "quality", "embed", "search", "mask", "encode", "storage"];
const camel = (word) => word.replaceAll(/[_-](\w)/g, (_, letter) => letter.toUpperCase());
const ms = (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value >= 100 ? 0 : 1)} ms`);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function shape(parent, tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

// --- pictures ---------------------------------------------------------------------------------------------------

export function showShot(name, source, facts) {
  const shot = document.querySelector(`[data-shot="${name}"]`);
  const image = shot.querySelector("img");
  if (image.src !== source) {
    image.src = source;
    shot.querySelector(".overlay").replaceChildren();
  }
  shot.querySelector("[data-facts]").textContent = facts;
  shot.hidden = false;
}

// In pixels of the upright picture, which is what a browser shows: it applies the EXIF orientation, too.
export async function drawBoxes(name, boxes) {
  const shot = document.querySelector(`[data-shot="${name}"]`);
  const [image, overlay] = [shot.querySelector("img"), shot.querySelector(".overlay")];
  await image.decode().catch(() => {});
  overlay.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
  overlay.replaceChildren();
  const letters = Math.max(11, image.naturalWidth / (boxes.length > 6 ? 62 : 45));
  for (const box of boxes) {
    const corners = box.polygon ?? [[box.x, box.y], [box.x + box.width, box.y], [box.x + box.width, box.y + box.height], [box.x, box.y + box.height]];
    const points = corners.map((corner) => corner.join(",")).join(" ");
    shape(overlay, "polygon", { class: "case", points });
    shape(overlay, "polygon", { class: "edge", points });
    for (const [x, y] of box.marks ?? []) shape(overlay, "circle", { class: "mark", cx: x, cy: y, r: letters / 5 });
    if (box.tag) {
      const [x, y] = [Math.min(...corners.map((corner) => corner[0])), Math.min(...corners.map((corner) => corner[1]))];
      shape(overlay, "text", { class: "tag", x, y: Math.max(letters, y - letters / 3), "font-size": letters }).textContent = box.tag;
    }
  }
  place(image, overlay);
  new ResizeObserver(() => place(image, overlay)).observe(image);
}

function place(image, overlay) {
  overlay.style.left = `${image.offsetLeft}px`;
  overlay.style.top = `${image.offsetTop}px`;
  overlay.style.width = `${image.clientWidth}px`;
  overlay.style.height = `${image.clientHeight}px`;
}

// --- scores -----------------------------------------------------------------------------------------------------

function gauge(label, score, threshold, isGood, words) {
  const full = make("span", { class: isGood ? "full" : "full bad" });
  full.style.width = `${100 * Math.min(1, Math.max(0, score))}%`;
  const limit = make("span", { class: "limit" });
  limit.style.left = `calc(${100 * threshold}% - 1px)`;
  const numbers = `${words.score} ${score.toFixed(3)} · ${words.threshold} ${threshold.toFixed(2)}`;
  return make("div", { class: "score" }, make("strong", {}, label), make("div", { class: "gauge", role: "img", "aria-label": numbers }, full, limit), make("span", {}, numbers));
}

function mark(text, isGood) {
  return make("span", { class: `state ${isGood ? "good" : "bad"}` }, make("span", { class: "dot", "aria-hidden": "true" }), text);
}

function compared(words, outcome) {
  const title = mark(outcome.matched ? words.same : words.different, outcome.matched);
  return [make("h2", {}, title), make("div", { class: "scores" }, gauge(words.score, outcome.score, outcome.threshold, outcome.matched, words))];
}

function alive(words, outcome) {
  const scores = (outcome.checks ?? []).map((one) => gauge(words[camel(`check_${one.check}`)], one.score, one.threshold, !one.attack, words));
  return [make("h2", {}, mark(outcome.is_live ? words.live : words.attack, outcome.is_live)), make("div", { class: "scores" }, ...scores)];
}

function card(words, outcome) {
  const head = [words.field, words.value, words.sure].map((word) => make("th", { scope: "col" }, word));
  const rows = Object.entries(outcome.fields).map(([name, field]) =>
    make("tr", {}, make("th", { scope: "row" }, words[camel(`field_${name}`)] ?? name), make("td", {}, make("bdi", { class: "name" }, field.value)), make("td", {}, `${(100 * field.confidence).toFixed(0)}%`)));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
  return [make("h2", {}, `${words.read}: ${words[camel(`id_${outcome.id_type.toLowerCase()}`)]}`), table];
}

export function showVerdict(kind, words, outcome) {
  const verdict = document.querySelector("[data-verdict]");
  verdict.replaceChildren(...{ compare: compared, liveness: alive, ocr: card }[kind](words, outcome));
  verdict.hidden = false;
  document.querySelector("[data-result]").focus({ preventScroll: true });
}

// --- time -------------------------------------------------------------------------------------------------------

export function drawTiming(words, profile, ran) {
  const steps = STEPS.map((name) => [name, profile[`${name}_ms`] ?? 0]).filter(([, value]) => value > 0);
  const known = steps.filter(([name]) => name !== "queue_wait").reduce((sum, [, value]) => sum + value, 0);
  const total = profile.total_ms ?? known;
  if (total - known > 0.05) steps.push(["other", total - known]);
  const most = Math.max(...steps.map(([, value]) => value), 0.001);
  const rows = steps.map(([name, value]) => {
    const bar = make("span");
    bar.style.width = `${(100 * value) / most}%`;
    return make("div", { class: "step" }, make("span", {}, words[camel(`time_${name}`)]), make("div", { class: "track", "aria-hidden": "true" }, bar), make("span", { class: "num" }, ms(value)));
  });
  rows.push(make("div", { class: "step whole" }, make("span", {}, words.total), make("span"), make("span", { class: "num" }, ms(total))));
  const place = document.querySelector("[data-timing]");
  place.querySelector("[data-bars]").replaceChildren(...rows);
  place.querySelector("[data-ran]").textContent = ran;
  place.hidden = false;
}
