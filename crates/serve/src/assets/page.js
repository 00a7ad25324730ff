"use strict";
// The label page. The server decides what is shown next; an answer is on its disk before the next picture comes.
const $ = (id) => document.getElementById(id);
const KEYS = [..."1234567890qwertyuiopasdfghjklzxcvbnm"];
// on a phone the surroundings stand below the classes
const mostShown = () => (keyed() ? hello.classes.length : matchMedia("(max-width: 820px)").matches ? 18 : 60);

// one name per page, which a reload keeps: the server gives the same picture again
let page = sessionStorage.getItem("page");
if (!page) {
  page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("page", page);
}
let annotator = localStorage.getItem("annotator") ?? "";
let hello = null, turn = null, busy = false, ready = false, lost = false;
let earlier = JSON.parse(sessionStorage.getItem("history") ?? "[]");
let recent = [];
let shownAt = 0, away = 0, hiddenAt = 0;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function trouble(text) {
  $("trouble").hidden = !text;
  $("trouble").textContent = text ?? "";
}

// Asks until it is answered: an answer that arrives twice counts once.
async function ask(name, more = {}) {
  for (let wait = 500; ; wait = Math.min(wait * 2, 8000)) {
    try {
      const response = await fetch(`api/${name}`, {
        method: "POST", headers: { "Content-Type": "application/json" }, cache: "no-store",
        body: JSON.stringify({ annotator, page, ...more }), signal: AbortSignal.timeout(20000),
      });
      if (response.ok) { trouble(null); return await response.json(); }
      const why = (await response.text()).trim();
      if (response.status !== 503 && response.status !== 408) { trouble(why); throw Object.assign(new Error(why), { final: true }); }
    } catch (error) {
      if (error.final) throw error;
      trouble("No connection to the label server. Nothing is lost: this page tries again until it answers.");
    }
    await pause(wait);
  }
}

function className(c) { return c === null ? "cannot tell" : hello.classes[c]; }

function fill(strip, ids) {
  $(strip).replaceChildren(...ids.map((id) => {
    const image = document.createElement("img");
    image.loading = "lazy"; image.decoding = "async"; image.alt = `picture ${id}`; image.src = `small/${id}`;
    return image;
  }));
}

function show(next) {
  turn = next;
  const card = turn.card;
  $("count").textContent = `${turn.done} of ${turn.asked} done`;
  $("pace").textContent = turn.pace === null ? "" : `${turn.pace.toFixed(1)} s per label`;
  $("bar").setAttribute("aria-valuemax", turn.asked);
  $("bar").setAttribute("aria-valuenow", turn.done);
  $("fill").style.width = `${(100 * turn.done) / Math.max(1, turn.asked)}%`;
  $("undo").disabled = earlier.length === 0;
  $("who").hidden = false; $("who").textContent = annotator;
  $("start").hidden = true;
  $("work").hidden = !card;
  $("end").hidden = Boolean(card);
  if (!card) return end();
  ready = lost = false;
  const image = $("image");
  $("image").parentElement.classList.remove("lost");
  $("image").parentElement.classList.add("waiting");
  image.alt = `picture ${card.id}, to be labelled`;
  image.src = `picture/${card.id}`;
  $("caption").textContent = `Picture ${card.number} of ${turn.asked} · ${card.file}`;
  $("reason").textContent = card.reason || "The run chose it.";
  $("region-box").hidden = card.region.length === 0;
  $("region-note").textContent = card.region_size === null ? "" : `${card.region_size} pictures`;
  $("nearest-box").hidden = card.nearest.length === 0;
  fill("region", card.region);
  fill("nearest", card.nearest);
  $("predicted").textContent = card.predicted ? `The model says: ${className(card.predicted[0])} (${Math.round(100 * card.predicted[1])} %)` : "";
  $("whole-box").hidden = card.region_open === 0;
  $("whole").checked = false;
  $("whole-text").textContent = `The same for the ${card.region_open} other open pictures of this region`;
  $("search").value = "";
  classes();
  for (const id of turn.ahead) new Image().src = `picture/${id}`;
  const said = card.said === undefined ? "" : ` Your earlier answer: ${className(card.said)}.`;
  $("said").textContent = `${turn.note ? `${turn.note}. ` : ""}Picture ${card.number}, ${turn.done} of ${turn.asked} done.${said}`;
}

function end() {
  const all = turn.done >= turn.asked;
  $("end-title").textContent = all ? "All pictures are labelled" : "Nothing left for you right now";
  $("end-text").textContent = all
    ? "Thank you. Stop the label server with Ctrl-C and go on with:"
    : "The pictures that are still open are on the pages of others, or need another person. This page looks again every few seconds.";
  $("end-command").hidden = !all;
  $("end-command").textContent = `hybridrepair resume ${/[^\w.\/-]/.test(hello.folder) ? `'${hello.folder.replaceAll("'", "'\\''")}'` : hello.folder}`;
  $("end-undo").hidden = earlier.length === 0;
  $("said").textContent = $("end-title").textContent;
  if (!all) setTimeout(() => { if (turn && !turn.card && !busy) go("next"); }, 5000);
}

// The classes that fit what is typed: those that begin with it, then those with a word that does, then the others.
function matches(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) {
    const others = hello.classes.map((_, i) => i).filter((i) => !recent.includes(i));
    return keyed() ? hello.classes.map((_, i) => i) : [...recent, ...others];
  }
  const rank = (name) => (name === wanted ? 0 : name.startsWith(wanted) ? 1 : name.split(/[^\p{L}\p{N}]+/u).some((w) => w.startsWith(wanted)) ? 2 : name.includes(wanted) ? 3 : 9);
  return hello.classes.map((name, i) => [rank(name.toLowerCase()), i]).filter((m) => m[0] < 9).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((m) => m[1]);
}

const keyed = () => hello.classes.length <= KEYS.length;
let chosen = 0, listed = [];

function classes() {
  const text = $("search").value;
  listed = matches(text);
  chosen = 0;
  const said = turn?.card?.said;
  $("classes").replaceChildren(...listed.slice(0, mostShown()).map((c, at) => {
    const button = document.createElement("button"), name = document.createElement("span");
    button.type = "button"; button.dataset.class = c; button.title = hello.classes[c];
    name.textContent = hello.classes[c];
    if (keyed()) {
      const key = document.createElement("kbd");
      key.textContent = KEYS[c];
      button.append(key);
    } else if (at === 0 && (text || recent.length)) button.classList.add("top-match");
    button.append(name);
    if (said !== undefined) button.setAttribute("aria-pressed", String(said === c));
    button.addEventListener("click", () => answer(c));
    return button;
  }));
  $("found").textContent = listed.length > mostShown() ? `${mostShown()} of ${listed.length} shown` : text && listed.length === 0 ? "no such class" : "";
}

function mark(step) {
  const buttons = [...$("classes").children];
  if (buttons.length === 0) return;
  buttons[chosen]?.classList.remove("top-match");
  chosen = (chosen + step + buttons.length) % buttons.length;
  buttons[chosen].classList.add("top-match");
  buttons[chosen].scrollIntoView({ block: "nearest" });
}

// One request at a time; keys that are pressed meanwhile would be for a picture that nobody has seen.
async function go(name, more) {
  if (busy) return;
  busy = true;
  try {
    show(await ask(name, more));
  } catch (error) {
    if (!error.final) throw error;
  } finally {
    busy = false;
  }
}

function answer(c) {
  if (busy || !ready || !turn?.card || (lost && c !== null)) return;
  const id = turn.card.id;
  const seconds = Math.max(0, (performance.now() - shownAt - away) / 1000);
  const button = c === null ? $("cannot") : $("classes").querySelector(`[data-class="${c}"]`);
  button?.classList.add("flash");
  setTimeout(() => button?.classList.remove("flash"), 150);
  if (c !== null) recent = [c, ...recent.filter((r) => r !== c)].slice(0, 8);
  earlier = [...earlier.filter((h) => h !== id), id].slice(-500);
  sessionStorage.setItem("history", JSON.stringify(earlier));
  go("answer", { id, class: c, seconds, region: $("whole").checked });
}

function skip() { if (turn?.card && !busy) go("skip", { id: turn.card.id }); }

function undo() {
  if (busy || earlier.length === 0) return;
  const id = earlier.pop();
  sessionStorage.setItem("history", JSON.stringify(earlier));
  go("look", { id });
}

$("image").addEventListener("load", () => {
  ready = true; shownAt = performance.now(); away = 0;
  if (document.hidden) hiddenAt = shownAt;
  $("image").parentElement.classList.remove("waiting");
});
$("image").addEventListener("error", () => {
  ready = lost = true; shownAt = performance.now(); away = 0;
  $("image").parentElement.classList.remove("waiting");
  $("image").parentElement.classList.add("lost");
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = performance.now();
  else if (hiddenAt) { away += performance.now() - hiddenAt; hiddenAt = 0; }
});
setInterval(() => { if (turn?.card && !document.hidden && !busy) ask("alive").catch(() => {}); }, 40000);

$("cannot").addEventListener("click", () => answer(null));
$("skip").addEventListener("click", skip);
$("undo").addEventListener("click", undo);
$("end-undo").addEventListener("click", undo);
$("search").addEventListener("input", classes);
$("who").addEventListener("click", () => {
  $("work").hidden = $("end").hidden = true;
  $("start").hidden = false;
  $("name").value = annotator;
  $("name").focus();
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (!name) return;
  if (name !== annotator) { earlier = []; sessionStorage.removeItem("history"); }
  annotator = name;
  localStorage.setItem("annotator", annotator);
  go("next");
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !hello || !$("start").hidden) return;
  const search = $("search"), typing = document.activeElement === search, empty = search.value === "";
  const does = (action) => { event.preventDefault(); if (!event.repeat) action(); };
  if (!$("end").hidden) {
    if (event.key === "ArrowLeft" || event.key === "Backspace") does(undo);
    return;
  }
  switch (event.key) {
    case "Escape": search.value = ""; search.blur(); classes(); return;
    case "ArrowDown": case "ArrowUp":
      if (keyed() && empty) return;
      event.preventDefault(); mark(event.key === "ArrowDown" ? 1 : -1); return;
    case "Enter": {
      if (document.activeElement instanceof HTMLButtonElement) return;
      const c = listed[chosen];
      if (c !== undefined && (!empty || (!keyed() && recent.length))) does(() => answer(c));
      return;
    }
    case "ArrowRight": if (!typing || empty) does(skip); return;
    case "ArrowLeft": case "Backspace": if (!typing || empty) does(undo); return;
    case "?": if (!typing || empty) does(() => answer(null)); return;
    case "=": if ((!typing || empty) && !$("whole-box").hidden) does(() => { $("whole").checked = !$("whole").checked; }); return;
    case "/": if (!typing) does(() => search.focus()); return;
  }
  if (event.key.length !== 1 || typing) return;
  if (keyed()) {
    const c = KEYS.indexOf(event.key.toLowerCase());
    if (c >= 0 && c < hello.classes.length) does(() => answer(c));
  } else if (event.key !== " ") search.focus(); // the letter goes into it
});

(async () => {
  const asker = annotator;
  annotator = annotator || "somebody";
  hello = await ask("hello");
  annotator = asker;
  document.title = `Label · ${hello.run}`;
  $("run").textContent = hello.run;
  $("search").placeholder = keyed() ? "Find a class ( / )" : "Type to find a class, Enter to take it";
  $("search").parentElement.hidden = hello.classes.length <= 12;
  const several = hello.answers > 1 ? `, each by ${hello.answers} people` : "";
  $("task").textContent = `${hello.asked} pictures, ${hello.classes.length} classes${several}.`;
  if (annotator) await go("next");
  else { $("start").hidden = false; $("name").focus(); }
})().catch((error) => trouble(error.message));
