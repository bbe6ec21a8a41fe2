// The test page: takes pictures, asks for one try, and hands its answer to what draws it.
import { drawBoxes, drawTiming, showShot, showVerdict } from "./drawing.js";

const form = document.querySelector("[data-try]");
const kind = form.dataset.try;
const words = document.querySelector("[data-words]").dataset;
const status = form.querySelector("[data-status]");
const trouble = document.querySelector("[data-error]");
const pictures = {};
const MOST_BYTES = 10 * 1024 * 1024;
const PATHS = { mask: "/api/v1/admin/test/mask", compare: "/admin/test/compare", liveness: "/admin/test/liveness", ocr: "/admin/test/ocr" };

const camel = (word) => word.replaceAll(/[_-](\w)/g, (_, letter) => letter.toUpperCase());
const failureWord = (name) => words[camel(`failure_${name ?? ""}`)] ?? "";

async function send(path, files) {
  const body = new FormData();
  for (const [name, file] of Object.entries(files)) body.append(name, file);
  const answer = await fetch(path, { method: "POST", body, headers: { Accept: "application/json" } });
  if (answer.status === 401) location.assign(`/admin/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  const said = await answer.json();
  if (answer.ok) return said;
  const which = said.image === null || said.image === undefined || kind !== "compare" ? "" : ` (${words.which} ${said.image + 1})`;
  const general = failureWord(said.failure);
  throw new Error([general + which, said.detail].filter(Boolean).join(": "));
}

function complain(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
}

// --- pictures ---------------------------------------------------------------------------------------------------

function take(name, file) {
  complain(file.size > MOST_BYTES ? words.tooLarge : "");
  if (pictures[name]) URL.revokeObjectURL(pictures[name].url);
  pictures[name] = { file, url: URL.createObjectURL(file) };
  document.querySelector(`[data-drop="${name}"]`).classList.add("filled");
  showShot(name, pictures[name].url, "");
  if (kind === "compare" || kind === "liveness") findFaces(name);
}

async function findFaces(name) {
  try {
    const said = await send("/admin/test/detect", { image: pictures[name].file });
    const faces = said.outcome.faces;
    drawBoxes(name, faces.map(boxOf));
    showShot(name, pictures[name].url, faces.length ? `${words.faces}: ${faces.length}` : words.noFaces);
  } catch (error) {
    complain(error.message);
  }
}

const boxOf = (face) => ({ x: face.x, y: face.y, width: face.width, height: face.height, marks: face.landmarks, tag: face.confidence.toFixed(2) });

for (const drop of document.querySelectorAll("[data-drop]")) {
  const input = drop.querySelector("input");
  input.addEventListener("change", () => input.files[0] && take(drop.dataset.drop, input.files[0]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    take(drop.dataset.drop, input.files[0]);
  });
}

for (const input of form.querySelectorAll("input[type=range]")) {
  input.addEventListener("input", () => { form.querySelector(`output[data-of="${input.name}"]`).textContent = input.value; });
}

// --- one try ----------------------------------------------------------------------------------------------------

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string" && value));
  const files = Object.fromEntries(Object.entries(pictures).map(([name, picture]) => [name, picture.file]));
  complain("");
  button.disabled = true;
  status.textContent = words.working;
  try {
    const path = PATHS[kind] + (asked.size ? `?${asked}` : "");
    const said = await send(path, files);
    (kind === "mask" ? showMasked : showTried)(said);
    status.textContent = words.done;
  } catch (error) {
    status.textContent = "";
    complain(error.message || words.away);
  } finally {
    button.disabled = false;
  }
});

function showMasked(said) {
  const boxes = said.detections.map((face) => ({
    x: face.bbox.x1, y: face.bbox.y1, width: face.width, height: face.height, tag: face.confidence.toFixed(2),
    marks: face.landmarks ? Object.values(face.landmarks).map((point) => [point.x, point.y]) : [],
  }));
  const size = `${said.image.width} × ${said.image.height}, ${(said.image.size_bytes / 1000).toFixed(0)} kB`;
  showShot("image", pictures.image.url, `${boxes.length ? `${words.faces}: ${boxes.length}` : words.noFaces} · ${size}`);
  drawBoxes("image", boxes);
  const source = `data:image/${said.output.format};base64,${said.output.image_base64}`;
  showShot("after", source, `${said.output.format.toUpperCase()}, ${(said.output.size_bytes / 1000).toFixed(0)} kB`);
  drawTiming(words, said.profiling, `${words.engine}: ${said.processing.model} · ${words.transaction}: ${said.request_id}`);
}

function showTried({ tx_id: transaction, outcome }) {
  if (kind === "ocr") {
    const boxes = Object.entries(outcome.fields).map(([name, field]) => ({ polygon: field.polygon, tag: words[camel(`field_${name}`)] }));
    if (outcome.portrait) boxes.push(boxOf({ ...outcome.portrait, landmarks: [] }));
    drawBoxes("image", boxes);
  }
  showVerdict(kind, words, outcome);
  const models = [outcome.engine, outcome.model].filter(Boolean).join(", ");
  drawTiming(words, outcome.profile ?? {}, `${words.engine}: ${models || "–"} · ${words.transaction}: ${transaction}`);
}
