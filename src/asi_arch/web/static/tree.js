// The tree on a canvas: two layouts, zoom, search, the way to the root, growth.
"use strict";

const OUTCOMES = { measured: "--a", stopped_early: "--h", rejected: "--e", crashed: "--b", diverged: "--d", timed_out: "--g", suspicious: "--ink", leaking: "--ink" };
const RAMPS = {
  light: ["#c9d7e8", "#9ec9d6", "#55b0b8", "#2a83a8", "#22539b", "#1b1f6b"],
  dark: ["#2f4152", "#2d6076", "#2f8795", "#46b0a0", "#9ad79a", "#f6f7a6"],
};
const $ = (id) => document.getElementById(id);

class Tree {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.card = $("tree-card");
    this.view = { x: 0, y: 0, scale: 1 };
    this.layout = "radial";
    this.colour = "fitness";
    this.hits = null;
    this.hovered = this.held = null;
    this.isFramed = false;
    this.nodes = [];
    this.byIndex = new Map();
  }

  take(found) {
    const wasWhole = this.limit === undefined || this.limit >= this.nodes.length;
    const place = Object.fromEntries(found.fields.map((name, i) => [name, i]));
    this.nodes = found.nodes.map((row) => {
      const node = Object.fromEntries(found.fields.map((name) => [name, row[place[name]]]));
      return { ...node, words: `${node.name} ${node.mechanisms}`.toLowerCase(), children: [] };
    });
    this.score = found.score;
    this.reference = found.reference;
    this.byIndex = new Map(this.nodes.map((node) => [node.index, node]));
    for (const node of this.nodes) this.byIndex.get(node.parent)?.children.push(node);
    this.ages = new Map([...this.byIndex.keys()].sort((a, b) => a - b).map((index, i) => [index, i + 1]));
    if (wasWhole) this.limit = this.nodes.length;
    this.best = this.nodes.reduce((best, n) => (n.fitness !== null && n.author !== "baseline" && !(best && best.fitness >= n.fitness) ? n : best), null);
    this.way = this.wayOf(this.best);
    this.paint();
  }

  wayOf(node) {
    const found = [];
    for (let n = node; n; n = this.byIndex.get(n.parent)) found.push(n);
    return found;
  }

  // Colours

  paint() {
    const dark = isDark();
    this.theme = { ground: this.resolved("--ground"), ink: this.resolved("--ink"), quiet: this.resolved("--quiet"), line: this.resolved("--edge"), accent: this.resolved("--b"), font: getComputedStyle(document.body).fontFamily };
    const ramp = RAMPS[dark ? "dark" : "light"];
    const key = this.colour === "outcome" ? null : this.colour;
    const values = key ? this.nodes.map((n) => n[key]).filter((v) => v !== null).sort((a, b) => a - b) : [];
    const low = values[Math.floor(0.02 * values.length)], high = values[Math.ceil(0.98 * values.length) - 1];
    const colours = Object.fromEntries(Object.entries(OUTCOMES).map(([kind, name]) => [kind, this.resolved(name)]));
    for (const node of this.nodes) {
      const value = key ? node[key] : null;
      if (!key) node.fill = colours[node.outcome] ?? this.theme.quiet;
      else if (value === null) node.fill = null;
      else {
        let share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 1;
        if (key === "difference") share = 1 - share;
        node.fill = between(ramp, share);
      }
    }
    this.key(ramp, low, high);
    this.draw();
  }

  resolved(name) {
    this.probe ??= document.body.appendChild(Object.assign(document.createElement("span"), { hidden: true, className: "probe" }));
    return getComputedStyle(this.probe).getPropertyValue(name).trim() ? colourOf(name) : "#888";
  }

  key(ramp, low, high) {
    const box = $("tree-key");
    box.hidden = this.colour === "outcome" || low === undefined;
    if (box.hidden) return;
    const context = $("tree-key-ramp").getContext("2d");
    for (let x = 0; x < 128; x++) {
      context.fillStyle = between(ramp, this.colour === "difference" ? 1 - x / 127 : x / 127);
      context.fillRect(x, 0, 1, 10);
    }
    $("tree-key-low").textContent = `${this.colour === "difference" ? "loss " : `${this.score} `}${text(low)}`;
    $("tree-key-high").textContent = text(high);
  }

  // Places

  at(node) {
    const [x, y] = node[this.layout], { scale } = this.view, { middle, factor } = this.frame;
    return [(x - middle[0]) * scale * factor[0] + this.size.width / 2 + this.view.x, (y - middle[1]) * scale * factor[1] + this.size.height / 2 + this.view.y];
  }

  // Fits the layout into the canvas, with room for names to the right; a radial one keeps its shape.
  frameOf(width, height) {
    const xs = this.nodes.map((n) => n[this.layout][0]), ys = this.nodes.map((n) => n[this.layout][1]);
    const span = (values) => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    const [left, right] = span(xs), [top, bottom] = span(ys);
    const room = this.nodes.length < 400 ? Math.min(180, width / 4) : 40;
    let factor = [(width - room - 30) / Math.max(1, right - left), (height - 50) / Math.max(1, bottom - top)];
    if (this.layout === "radial") factor = [Math.min(...factor), Math.min(...factor)];
    return { middle: [(left + right) / 2 + (room - 30) / 2 / factor[0], (top + bottom) / 2], factor };
  }

  measure() {
    if (!this.nodes.length) return;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = devicePixelRatio || 1;
    this.size = { width, height };
    this.frame = this.frameOf(width, height);
    if (this.canvas.width !== Math.round(width * ratio)) this.canvas.width = Math.round(width * ratio);
    if (this.canvas.height !== Math.round(height * ratio)) this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  isShown(node) { return this.ages.get(node.index) <= this.limit; }

  radius() {
    const crowd = Math.max(1, this.nodes.length / 250);
    return Math.min(7, Math.max(1.8, 5 / Math.sqrt(crowd) * Math.sqrt(this.view.scale)));
  }

  // Drawing

  draw() {
    if (this.isFramed) return;
    this.isFramed = true;
    requestAnimationFrame(() => { this.isFramed = false; this.drawNow(); });
  }

  drawNow() {
    this.measure();
    const { context: c, theme } = this;
    c.clearRect(0, 0, this.size.width, this.size.height);
    for (const node of this.nodes) [node.px, node.py] = this.at(node);
    c.lineWidth = 1;
    c.strokeStyle = theme.line;
    c.globalAlpha = this.nodes.length > 600 ? 0.45 : 1;
    c.beginPath();
    for (const node of this.nodes) if (node.parent !== null && this.isShown(node)) this.edge(this.byIndex.get(node.parent), node);
    c.stroke();
    c.globalAlpha = 1;
    const held = this.held ?? this.hovered;
    this.path(this.limit >= this.nodes.length ? this.way : this.way.filter((n) => this.isShown(n)), 2.5, theme.accent);
    if (held) this.path(this.wayOf(held), 2.5, theme.ink);
    const radius = this.radius();
    for (const node of this.nodes) if (this.isShown(node)) this.dot(node, radius);
    this.ring(this.best, radius + 4, theme.accent);
    this.ring(held, radius + 3, theme.ink);
    this.names(radius, held);
  }

  edge(parent, node) {
    const c = this.context;
    c.moveTo(parent.px, parent.py);
    if (this.layout === "layered") {
      const middle = (parent.px + node.px) / 2;
      c.bezierCurveTo(middle, parent.py, middle, node.py, node.px, node.py);
    } else c.lineTo(node.px, node.py);
  }

  path(nodes, width, colour) {
    if (nodes.length < 2) return;
    const c = this.context;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.beginPath();
    for (let i = 0; i + 1 < nodes.length; i++) this.edge(nodes[i + 1], nodes[i]);
    c.stroke();
    c.lineWidth = 1;
  }

  dot(node, radius) {
    const { px: x, py: y } = node;
    if (x < -20 || y < -20 || x > this.size.width + 20 || y > this.size.height + 20) return;
    const c = this.context;
    c.globalAlpha = this.hits && !this.hits.has(node) ? 0.15 : 1;
    c.beginPath();
    if (node.author === "baseline") {
      const r = radius * 1.5;
      c.moveTo(x, y - r); c.lineTo(x + r, y); c.lineTo(x, y + r); c.lineTo(x - r, y); c.closePath();
    } else c.arc(x, y, this.hits?.has(node) ? radius * 1.5 : radius, 0, 7);
    c.fillStyle = node.fill ?? this.theme.ground;
    c.fill();
    c.strokeStyle = node.fill ? this.theme.ground : this.theme.quiet;
    c.lineWidth = node.fill ? 0.7 : 1;
    c.stroke();
    c.globalAlpha = 1;
  }

  ring(node, radius, colour) {
    if (!node || !this.isShown(node)) return;
    const c = this.context;
    c.strokeStyle = colour;
    c.lineWidth = 2;
    c.beginPath();
    c.arc(node.px, node.py, radius, 0, 7);
    c.stroke();
  }

  names(radius, held) {
    const c = this.context;
    c.font = `12px ${this.theme.font}`;
    c.textBaseline = "middle";
    const shown = this.nodes.filter((n) => this.isShown(n) && n.px > 0 && n.py > 0 && n.px < this.size.width && n.py < this.size.height);
    const chosen = [held, this.best, ...shown.filter((n) => n.author === "baseline"), ...(this.hits ? [...this.hits].slice(0, 40) : []), ...(shown.length < 70 ? shown : [])];
    const taken = [];
    for (const node of new Set(chosen)) {
      if (!node || !this.isShown(node)) continue;
      const label = node.name.length > 32 ? `${node.name.slice(0, 30)}…` : node.name;
      const width = c.measureText(label).width;
      const left = node.px > this.size.width - width - 16 ? node.px - radius - 5 - width : node.px + radius + 5;
      const box = [left, node.py - 7, left + width, node.py + 7];
      if (node !== held && taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])) continue;
      taken.push(box);
      c.lineWidth = 3;
      c.strokeStyle = this.theme.ground;
      c.strokeText(label, left, node.py);
      c.fillStyle = node === held ? this.theme.ink : this.theme.quiet;
      c.fillText(label, left, node.py);
    }
  }

  // What the reader does

  nearest(x, y) {
    let found = null, least = (this.radius() + 6) ** 2;
    for (const node of this.nodes) {
      const distance = (node.px - x) ** 2 + (node.py - y) ** 2;
      if (distance < least && this.isShown(node)) { found = node; least = distance; }
    }
    return found;
  }

  tell(node) {
    this.card.hidden = !node;
    if (!node) return;
    const lines = [`${node.outcome.replaceAll("_", " ")}, by ${node.author}`];
    if (node.fitness !== null) lines.push(`${this.score} ${text(node.fitness)}`);
    if (node.loss !== null) lines.push(`language loss ${text(node.loss)}${node.difference ? ` (${signed(node.difference)} to ${this.reference})` : ""}`);
    if (node.mechanisms) lines.push(node.mechanisms.split(" ").join(", "));
    lines.push(node.children.length === 1 ? "1 child" : `${node.children.length} children`);
    this.card.replaceChildren(Object.assign(document.createElement("strong"), { textContent: `#${node.index} ${node.name}` }));
    for (const line of lines) this.card.append(Object.assign(document.createElement("div"), { textContent: line }));
    if (node === this.held) {
      const link = Object.assign(document.createElement("a"), { href: `/experiments/${node.index}`, textContent: "Open" });
      this.card.append(link);
    }
    this.card.classList.toggle("held", node === this.held);
    const box = this.card.getBoundingClientRect();
    const left = Math.min(Math.max(6, node.px + 16), this.size.width - box.width - 6);
    const top = node.py + box.height + 22 > this.size.height ? node.py - box.height - 14 : node.py + 14;
    // The position is set through the object model: style attributes are forbidden, this is not.
    this.card.style.left = `${left}px`;
    this.card.style.top = `${Math.max(6, top)}px`;
  }

  hold(node) {
    this.held = node;
    if (node) {
      this.drawNow();
      const margin = 30;
      if (node.px < margin || node.px > this.size.width - margin) this.view.x += this.size.width / 2 - node.px;
      if (node.py < margin || node.py > this.size.height - margin) this.view.y += this.size.height / 2 - node.py;
      this.drawNow();
    }
    this.tell(node);
    this.draw();
  }

  zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
    const scale = Math.min(60, Math.max(0.5, this.view.scale * factor));
    const real = scale / this.view.scale;
    this.view.x = (this.view.x + this.size.width / 2 - x) * real + x - this.size.width / 2;
    this.view.y = (this.view.y + this.size.height / 2 - y) * real + y - this.size.height / 2;
    this.view.scale = scale;
    this.draw();
  }

  whole() { this.view = { x: 0, y: 0, scale: 1 }; this.draw(); }

  find(words) {
    const wanted = words.trim().toLowerCase().replace(/^#/, "");
    this.hits = wanted ? new Set(this.nodes.filter((n) => String(n.index) === wanted || n.words.includes(wanted))) : null;
    $("tree-hits").textContent = this.hits ? `${this.hits.size} found` : "";
    this.draw();
    return this.hits;
  }

  step(key) {
    const from = this.held ?? this.best ?? this.nodes[0];
    if (!this.held) return this.hold(from);
    const siblings = this.byIndex.get(from.parent)?.children ?? this.nodes.filter((n) => n.parent === null);
    const place = siblings.indexOf(from);
    const to = { ArrowLeft: this.byIndex.get(from.parent), ArrowRight: from.children[0], ArrowUp: siblings[place - 1], ArrowDown: siblings[place + 1] }[key];
    if (to) this.hold(to);
  }
}

function colourOf(name) {
  // A custom property holds `light-dark(...)`; what it comes to is read from a colour that uses it.
  const probe = document.querySelector(".probe");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function between(ramp, share) {
  const place = share * (ramp.length - 1), low = Math.floor(place), rest = place - low;
  const part = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mix = (i) => Math.round(part(ramp[low], i) + rest * (part(ramp[Math.min(low + 1, ramp.length - 1)], i) - part(ramp[low], i)));
  return `rgb(${mix(0)} ${mix(1)} ${mix(2)})`;
}

const text = (value) => value.toFixed(3).replace("-", "−");
const signed = (value) => (value > 0 ? "+" : "") + text(value);

function attach(tree) {
  const { canvas } = tree;
  let grip = null, moved = false;
  const here = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, here(event));
    grip = here(event);
    moved = false;
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = here(event);
    if (fingers.size === 2 && fingers.has(event.pointerId)) {
      const [a, b] = [...fingers.values()];
      const before = Math.hypot(a[0] - b[0], a[1] - b[1]);
      fingers.set(event.pointerId, [x, y]);
      const [p, q] = [...fingers.values()];
      tree.zoom(Math.hypot(p[0] - q[0], p[1] - q[1]) / (before || 1), (p[0] + q[0]) / 2, (p[1] + q[1]) / 2);
      moved = true;
    } else if (grip) {
      if (Math.hypot(x - grip[0], y - grip[1]) > 3) moved = true;
      if (!moved) return;
      tree.view.x += x - grip[0];
      tree.view.y += y - grip[1];
      grip = [x, y];
      if (tree.held) tree.tell(tree.held);
      tree.draw();
    } else {
      const node = tree.nearest(x, y);
      if (node !== tree.hovered) { tree.hovered = node; tree.tell(node ?? tree.held); tree.draw(); }
      canvas.classList.toggle("pointing", Boolean(node));
    }
  });
  const release = (event) => {
    fingers.delete(event.pointerId);
    if (grip && !moved) tree.hold(tree.nearest(...here(event)));
    grip = null;
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", (event) => { fingers.delete(event.pointerId); grip = null; });
  canvas.addEventListener("pointerleave", () => { tree.hovered = null; tree.tell(tree.held); tree.draw(); });
  canvas.addEventListener("dblclick", (event) => { const node = tree.nearest(...here(event)); if (node) location.href = `/experiments/${node.index}`; });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); tree.zoom(Math.exp(-event.deltaY / 400), ...here(event)); }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) { event.preventDefault(); tree.step(event.key); }
    if (event.key === "Enter" && tree.held) location.href = `/experiments/${tree.held.index}`;
    if (event.key === "Escape") tree.hold(null);
    if (event.key === "+" || event.key === "=") tree.zoom(1.4);
    if (event.key === "-") tree.zoom(1 / 1.4);
    if (event.key === "0") tree.whole();
  });
  $("tree-tools").addEventListener("submit", (event) => event.preventDefault());
  $("tree-layout").addEventListener("change", (event) => { tree.layout = event.target.value; tree.whole(); tree.tell(null); tree.held = null; });
  $("tree-colour").addEventListener("change", (event) => { tree.colour = event.target.value; tree.paint(); });
  $("tree-find").addEventListener("input", (event) => tree.find(event.target.value));
  $("tree-find").addEventListener("keydown", (event) => { if (event.key === "Enter" && tree.hits?.size) { tree.hold([...tree.hits][0]); canvas.focus(); } });
  $("tree-fit").addEventListener("click", () => tree.whole());
  document.addEventListener("themechange", () => tree.paint());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => tree.paint());
  addEventListener("resize", () => tree.draw());
  attachGrowth(tree);
}

function attachGrowth(tree) {
  const slider = $("tree-growth"), button = $("tree-play");
  let timer = null;
  const show = (count) => {
    tree.limit = count;
    $("tree-grown").textContent = `${count} of ${tree.nodes.length}`;
    tree.draw();
  };
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; };
  tree.regrow = () => { slider.max = tree.nodes.length; slider.value = tree.limit; show(tree.limit); };
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (tree.limit >= tree.nodes.length) tree.limit = 0;
    button.textContent = "Pause";
    const stride = Math.max(1, Math.round(tree.nodes.length / 240));
    timer = setInterval(() => {
      const next = Math.min(tree.nodes.length, tree.limit + stride);
      slider.value = next;
      show(next);
      if (next >= tree.nodes.length) stop();
    }, 40);
  });
}

async function load(tree) {
  const answer = await fetch("/tree.json");
  if (!answer.ok) return;
  tree.take(await answer.json());
  tree.regrow();
}

{
  const canvas = $("tree");
  if (canvas) {
    const tree = new Tree(canvas);
    attach(tree);
    load(tree).then(() => {
      performance.mark("tree drawn");
      document.body.dataset.tree = "drawn";
      const wanted = tree.byIndex.get(Number(canvas.dataset.node));
      if (canvas.dataset.node !== undefined && wanted) tree.hold(wanted);
    });
    document.addEventListener("renewed", () => load(tree));
  }
}
