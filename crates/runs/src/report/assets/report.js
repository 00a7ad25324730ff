"use strict";
// The map of the field pool: points on a canvas, from compact arrays in the document.
(() => {
  const holder = document.getElementById("map-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const words = (text) => new Uint16Array(bytes(text).buffer);
  const x = words(data.x), y = words(data.y), change = bytes(data.change);
  const raw = words(data.raw), after = words(data.after);
  const region = data.region ? new Uint32Array(bytes(data.region).buffer) : null;
  const bought = new Map(data.bought), thumbs = new Map(data.thumbs.map((idx, at) => [idx, at]));
  const box = document.querySelector(".map"), canvas = box.querySelector("canvas"), context = canvas.getContext("2d");
  const out = box.querySelector("output"), key = box.querySelector(".key");
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const name = (c) => (c === 65535 ? "–" : data.classes[c] ?? `class ${c}`);
  let view = { scale: 1, dx: 0, dy: 0 }, mode = "change", hidden = new Set(), place = [];

  // many groups: hues as far apart as the golden angle makes them
  const hue = (i) => `hsl(${(i * 137.508) % 360} 62% ${matchMedia("(prefers-color-scheme: dark)").matches ? 62 : 46}%)`;
  const changes = () => [
    ["right before and after", css("--line")], ["wrong before and after", css("--c7")], ["repaired", css("--good")],
    ["broken", css("--c3")], ["answer unchanged", css("--line")], ["answer changed", css("--c0")],
  ];
  const groups = () => {
    if (mode === "change") return changes();
    if (mode === "class") return data.classes.map((n, i) => [n, hue(i)]);
    const most = data.regions;
    return [["in no region", css("--line")], ...Array.from({ length: most }, (_, i) => [`region ${i}`, hue(i)])];
  };
  const group = (i) => (mode === "change" ? change[i] : mode === "class" ? after[i] : region[i] === 0xffffffff ? 0 : region[i] + 1);

  function draw() {
    const ratio = devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight, pad = 14;
    canvas.width = w * ratio; canvas.height = h * ratio;
    context.scale(ratio, ratio);
    const list = groups(), n = x.length, size = n > 20000 ? 2.2 : n > 4000 ? 3 : 5;
    place = new Float32Array(2 * n);
    const buckets = list.map(() => []);
    for (let i = 0; i < n; i++) {
      place[2 * i] = ((pad + (x[i] / 65535) * (w - 2 * pad)) - w / 2) * view.scale + w / 2 + view.dx;
      place[2 * i + 1] = ((pad + (1 - y[i] / 65535) * (h - 2 * pad)) - h / 2) * view.scale + h / 2 + view.dy;
      buckets[group(i)]?.push(i);
    }
    // what changed lies on top
    const late = (g) => Number(mode === "change" && (g === 2 || g === 3 || g === 5));
    const order = buckets.map((_, g) => g).sort((a, b) => late(a) - late(b) || a - b);
    for (const g of order) {
      if (hidden.has(g)) continue;
      context.fillStyle = list[g][1];
      for (const i of buckets[g]) {
        const px = place[2 * i], py = place[2 * i + 1];
        // of many points each is a dot of two pixels: a square is drawn much sooner than a circle
        if (n > 4000) context.fillRect(px - size / 2, py - size / 2, size, size);
        else { context.beginPath(); context.arc(px, py, size / 2, 0, 7); context.fill(); }
      }
    }
    if (box.querySelector("[name=bought]").checked) {
      context.lineWidth = 2; context.strokeStyle = css("--c1"); context.fillStyle = css("--paper");
      for (const i of bought.keys()) {
        context.beginPath();
        context.arc(place[2 * i], place[2 * i + 1], 4.5, 0, 7);
        context.fill(); context.stroke();
      }
    }
  }

  function legend() {
    const list = groups(), counts = new Array(list.length).fill(0);
    for (let i = 0; i < x.length; i++) counts[group(i)]++;
    const used = list.map((g, i) => [g, i, counts[i]]).filter((g) => g[2] > 0);
    if (mode !== "change") used.sort((a, b) => b[2] - a[2]);
    key.replaceChildren(...used.slice(0, 12).map(([[label, colour], , count]) => {
      const item = document.createElement("li"), dot = document.createElement("i"), number = document.createElement("b");
      dot.style.background = colour; number.textContent = count.toLocaleString("en");
      item.append(dot, label, number);
      return item;
    }));
    if (used.length > 12) {
      const item = document.createElement("li");
      item.textContent = `and ${used.length - 12} more`;
      key.append(item);
    }
  }

  function tell(i) {
    out.replaceChildren();
    const line = (text) => { const d = document.createElement("div"); d.textContent = text; out.append(d); };
    if (thumbs.has(i)) {
      const d = document.createElement("div"), t = document.createElement("span"), at = thumbs.get(i);
      t.className = "thumb"; t.setAttribute("role", "img"); t.setAttribute("aria-label", `picture ${data.ids[i] ?? i}`);
      t.style.backgroundPosition = `calc(var(--side) * -${at % data.columns}) calc(var(--side) * -${Math.floor(at / data.columns)})`;
      d.append(t); out.append(d);
    }
    line(`picture ${i}`);
    line(`deployed model: ${name(raw[i])}`);
    line(`repaired model: ${name(after[i])}`);
    if (change[i] < 4) line(changes()[change[i]][0]);
    if (region && region[i] !== 0xffffffff) line(`region ${region[i]}`);
    if (bought.has(i)) line(`label bought: ${name(bought.get(i))}`);
  }

  function nearest(event) {
    const r = canvas.getBoundingClientRect(), px = event.clientX - r.left, py = event.clientY - r.top;
    let best = -1, least = 14 * 14;
    for (let i = 0; i < x.length; i++) {
      const dx = place[2 * i] - px, dy = place[2 * i + 1] - py, d = dx * dx + dy * dy - (bought.has(i) ? 20 : 0);
      if (d < least && !hidden.has(group(i))) { least = d; best = i; }
    }
    return best;
  }

  let held = null;
  canvas.addEventListener("pointermove", (e) => {
    if (held) { view.dx += e.clientX - held[0]; view.dy += e.clientY - held[1]; held = [e.clientX, e.clientY]; draw(); return; }
    const i = nearest(e);
    if (i >= 0) tell(i);
  });
  canvas.addEventListener("pointerdown", (e) => {
    const i = nearest(e);
    if (i >= 0) tell(i);
    if (e.pointerType === "mouse") { held = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); }
  });
  canvas.addEventListener("pointerup", () => { held = null; });
  const zoom = (factor) => { view.scale = Math.min(40, Math.max(1, view.scale * factor)); if (view.scale === 1) view = { scale: 1, dx: 0, dy: 0 }; draw(); };
  canvas.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && view.scale === 1 && e.deltaY > 0) return;
    e.preventDefault();
    zoom(e.deltaY < 0 ? 1.25 : 0.8);
  }, { passive: false });
  canvas.addEventListener("dblclick", () => { view = { scale: 1, dx: 0, dy: 0 }; draw(); });
  canvas.addEventListener("keydown", (e) => {
    const step = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[e.key];
    if (step) { view.dx += step[0]; view.dy += step[1]; draw(); }
    else if (e.key === "+") zoom(1.25);
    else if (e.key === "-") zoom(0.8);
    else return;
    e.preventDefault();
  });
  for (const input of box.querySelectorAll("input")) input.addEventListener("change", () => {
    if (input.type === "radio") mode = input.value;
    legend(); draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { legend(); draw(); });
  new ResizeObserver(draw).observe(canvas);
  legend();
})();
