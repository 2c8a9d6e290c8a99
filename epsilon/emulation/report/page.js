"use strict";
// The report's program: draws the time line, lists the turns, plays the sound. It asks nobody for anything.
const story = JSON.parse(document.getElementById("story").textContent);
const $ = (id) => document.getElementById(id);
const sound = $("sound"), strip = $("strip"), wide = $("wide"), drawing = $("drawing"), position = $("position");
const seconds = Math.max(story.seconds, 0.1);
let zoom = 1, current = -1;

function make(name, attributes = {}, ...inner) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.className = value;
    else if (key === "style") element.style.cssText = value;
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...inner.filter((one) => one !== null && one !== undefined));
  return element;
}
const clock = (s) => s === null ? "" : `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, "0")}`;
const ms = (value) => value === null || value === undefined ? "–" : `${Math.round(value)} ms`;
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const probe = make("span", { hidden: "" });  // a canvas knows no light-dark(): whoever has the colour says what it is
document.body.append(probe);
function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

function table(element, caption, heads, rows) {
  element.append(make("caption", {}, caption));
  element.append(make("thead", {}, make("tr", {}, ...heads.map((head, place) =>
    make("th", { scope: "col", class: place ? "number" : "" }, head)))));
  element.append(make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell, place) =>
    place ? make("td", { class: "number" }, String(cell)) : make("th", { scope: "row" }, String(cell)))))));
}

// The sound
const pieces = bytes($("ogg").textContent);
sound.src = URL.createObjectURL(new Blob([pieces], { type: "audio/ogg" }));
function seek(s, play = false) {
  sound.currentTime = Math.min(seconds, Math.max(0, s));
  if (play) sound.play();
  show(true);
}
function toggle() { if (sound.paused) sound.play(); else sound.pause(); }

// The time line
const rows = { user: [0, 62], toy: [66, 62], turns: [136, 28], rings: [172, 56], cpu: [236, 56] };
const peaks = { user: bytes(story.peaks.user), toy: bytes(story.peaks.toy) };
function draw() {
  const width = strip.clientWidth, height = wide.clientHeight, ratio = window.devicePixelRatio || 1;
  drawing.width = width * ratio; drawing.height = height * ratio; drawing.style.width = `${width}px`;
  const pen = drawing.getContext("2d"), all = wide.clientWidth, from = strip.scrollLeft;
  pen.scale(ratio, ratio);
  pen.font = "11px system-ui, sans-serif"; pen.textBaseline = "top";
  const x = (s) => s / seconds * all - from, s = (place) => (place + from) / all * seconds;
  const soft = colour("--soft"), line = colour("--line");
  const step = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120].find((one) => one / seconds * all > 56) || 300;
  for (let tick = Math.ceil(s(0) / step) * step; tick < s(width); tick += step) {
    pen.fillStyle = line; pen.fillRect(x(tick), 0, 1, height);
    pen.fillStyle = soft; pen.fillText(clock(tick), x(tick) + 3, height - 13);
  }
  for (const who of ["user", "toy"]) {
    const [top, tall] = rows[who];
    pen.fillStyle = colour(`--${who}`);
    for (let place = 0; place < width; place++) {
      const first = Math.floor(s(place) / story.peaks.step_s), last = Math.max(first + 1, Math.ceil(s(place + 1) / story.peaks.step_s));
      let peak = 0;
      for (let n = first; n < last && n < peaks[who].length; n++) peak = Math.max(peak, peaks[who][n]);
      const half = peak / 255 * tall / 2;
      pen.fillRect(place, top + tall / 2 - half, 1, Math.max(1, 2 * half));
    }
    label(pen, who === "user" ? "user" : story.character, top);
  }
  for (const hand of story.hands) {
    pen.fillStyle = colour("--head"); pen.fillRect(x(hand.s), 0, 1, 130); pen.fillText(hand.what, x(hand.s) + 3, 118);
  }
  const fills = story.rings.filter((ring) => ring.name.includes("→"));
  bins(pen, x, width, rows.rings, fills.map((ring) => ring.most), `messages waiting in rings, at most`, "--p5");
  bins(pen, x, width, rows.cpu, story.processor.map((stage) => stage.percent), "processor, % of one core", "--p3");
}
function label(pen, text, top) {
  pen.fillStyle = colour("--soft"); pen.fillText(text, 4, top + 2);
}
function bins(pen, x, width, [top, tall], series, name, tint) {
  const count = series.length ? series[0].length : 0, sums = [];
  for (let n = 0; n < count; n++) sums.push(series.reduce((sum, one) => sum + one[n], 0));
  const most = Math.max(1, ...sums);
  pen.fillStyle = colour(tint);
  for (let n = 0; n < count; n++) {
    const left = x(n * story.bin_s), right = x((n + 1) * story.bin_s), high = sums[n] / most * (tall - 14);
    if (right > 0 && left < width && high > 0) pen.fillRect(left, top + tall - high, Math.max(1, right - left - 0.5), high);
  }
  label(pen, count ? `${name} (${most.toFixed(0)})` : `${name}: not traced`, top);
}
function bars() {
  $("bars").replaceChildren();
  const span = (turn, from, to, who, text) => {
    if (from === null) return;
    const end = to === null ? from + 0.3 : to;
    const button = make("button", { type: "button", class: who, "data-turn": turn.turn, "aria-label": `turn ${turn.turn}, ${who === "user" ? "user" : story.character}, at ${clock(from)}: ${text}`,
      style: `left:${from / seconds * 100}%;width:${Math.max(0.2, (end - from) / seconds * 100)}%` }, text || "…");
    button.addEventListener("click", () => { open(turn.turn, true); seek(from); });
    $("bars").append(button);
  };
  for (const turn of story.turns) {
    span(turn, turn.start_s, turn.end_s, "user", turn.user);
    span(turn, turn.reply_start_s, turn.reply_end_s, "toy", turn.heard || turn.reply);
  }
}
function stretch(times) {
  const middle = (strip.scrollLeft + strip.clientWidth / 2) / wide.clientWidth;
  zoom = times === 0 ? 1 : Math.min(64, Math.max(1, zoom * times));
  wide.style.width = `${zoom * 100}%`;
  strip.scrollLeft = middle * wide.clientWidth - strip.clientWidth / 2;
  draw();
  show(false);
}
function show(moved) {
  const now = sound.currentTime, left = now / seconds * wide.clientWidth;
  $("head").style.transform = `translateX(${left}px)`;
  $("where").textContent = `${clock(now)} of ${clock(seconds)}`;
  position.setAttribute("aria-valuenow", now.toFixed(1));
  position.setAttribute("aria-valuetext", `${clock(now)}${inTurn(now)}`);
  position.style.setProperty("--done", `${now / seconds * 100}%`);
  if ((moved || !sound.paused) && (left < strip.scrollLeft || left > strip.scrollLeft + strip.clientWidth)) {
    strip.scrollLeft = left - strip.clientWidth / 4;
  }
}
function inTurn(now) {
  const found = story.turns.filter((turn) => turn.start_s !== null && turn.start_s <= now).pop();
  return found ? `, turn ${found.turn}` : "";
}

// The turns
function segments(parts) {
  const total = parts.reduce((sum, one) => sum + one, 0) || 1;
  return make("div", { class: "bar" }, ...parts.map((part, n) => make("span", {
    class: part / total > 0.08 ? "named" : "", style: `width:${part / total * 100}%;background:var(--p${n})`, title: `${story.parts[n]} ${ms(part)}` }, part / total > 0.08 ? `${story.parts[n]} ${Math.round(part)}` : "")));
}
function wordsOf(turn) {
  const body = turn.words.map((one) => make("tr", {},
    make("td", { class: "number" }, clock(one.s)), make("td", {}, one.kind),
    make("td", {}, one.committed, " ", make("span", { class: "tail" }, one.tail), one.revised ? make("span", {}, "  ", make("del", {}, one.revised)) : null)));
  return make("table", {}, make("caption", {}, "Words as they were understood: certain, ", make("span", { class: "tail" }, "not yet certain"), ", ", make("del", {}, "taken back")),
    make("thead", {}, make("tr", {}, ...["at", "heard", "words"].map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...body));
}
function answersOf(turn) {
  const body = turn.answers.map((one) => make("tr", {}, make("td", { class: "number" }, clock(one.s)), make("td", {}, String(one.revision)),
    make("td", {}, one.fate), make("td", {}, one.fate === "discarded" ? make("del", {}, one.text) : one.text)));
  return make("table", {}, make("caption", {}, "Answers that were thought of"),
    make("thead", {}, make("tr", {}, ...["from", "revision", "became", "text"].map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...body));
}
function remarks(turn) {
  const said = [];
  if (turn.silent) said.push("the toy chose to say nothing");
  if (turn.interrupted) said.push(`interrupted; heard until “${turn.heard}”`);
  if (turn.cut_in) said.push("the toy began before the user was done");
  if (turn.ducks) said.push(`held its breath ${plural(turn.ducks, "time")}`);
  if (turn.pauses_ms.length) said.push(`pauses inside the turn: ${turn.pauses_ms.map(ms).join(", ")}`);
  if (turn.gaps_ms.length) said.push(`gaps between phrases: ${turn.gaps_ms.map(ms).join(", ")}`);
  if (turn.prefill_left >= 0) said.push(`${plural(turn.prefill_left, "token")} left to prefill when the user stopped`);
  if (turn.wasted.tokens || turn.wasted.sound_ms) said.push(`made and not wanted: ${plural(turn.wasted.tokens, "token")}, ${ms(turn.wasted.sound_ms)} of sound`);
  return said.join("; ");
}
function panel(turn) {
  const play = (name, s) => {
    const button = make("button", { type: "button" }, name);
    button.addEventListener("click", () => seek(s, true));
    return s === null ? null : button;
  };
  return make("div", { class: "panel", id: `panel-${turn.turn}`, role: "region", "aria-label": `turn ${turn.turn}`, hidden: "" },
    make("p", {}, play("Play from the user's words", turn.start_s), " ", play("Play from the answer", turn.reply_start_s)),
    turn.tifu.length ? make("h3", {}, `Answer after ${ms(turn.answer_ms)}`) : null, turn.tifu.length ? segments(turn.tifu) : null,
    turn.tifu.length ? make("p", {}, turn.tifu.map((part, n) => `${story.parts[n]} ${ms(part)}`).join(", ")) : null,
    make("p", {}, remarks(turn)), make("div", { class: "scroll" }, wordsOf(turn)), make("div", { class: "scroll" }, answersOf(turn)));
}
function list() {
  for (const turn of story.turns) {
    const button = make("button", { type: "button", id: `turn-${turn.turn}`, "aria-expanded": "false", "aria-controls": `panel-${turn.turn}` },
      make("span", {}, String(turn.turn)), make("span", { class: "time" }, clock(turn.start_s ?? turn.reply_start_s)),
      make("span", {}, make("span", { class: "said" }, turn.user || "(nobody spoke)"), make("span", { class: "answered" }, turn.silent ? "(says nothing)" : turn.heard || turn.reply || "(no answer)")),
      make("span", { class: "ms" }, ms(turn.answer_ms)));
    button.addEventListener("click", () => open(turn.turn, button.getAttribute("aria-expanded") === "false"));
    $("list").append(make("li", {}, make("h3", { class: "unseen" }, `Turn ${turn.turn}`), button, panel(turn)));
  }
  if (!story.turns.length) $("list").append(make("li", {}, "Nothing was said."));
}
function open(number, expanded) {
  current = story.turns.findIndex((turn) => turn.turn === number);
  $(`turn-${number}`).setAttribute("aria-expanded", String(expanded));
  $(`panel-${number}`).hidden = !expanded;
  for (const bar of document.querySelectorAll("#bars button")) bar.setAttribute("aria-current", String(expanded && bar.dataset.turn === String(number)));
  if (expanded) {
    $(`turn-${number}`).scrollIntoView({ block: "nearest" });
    $("live").textContent = `turn ${number} is open`;
  }
}
function step(by) {
  if (!story.turns.length) return;
  current = Math.min(story.turns.length - 1, Math.max(0, current + by));
  const turn = story.turns[current];
  $(`turn-${turn.turn}`).focus();
  seek(turn.start_s ?? turn.reply_start_s ?? 0);
}

// What stands around it
function summary() {
  const answered = story.turns.map((turn) => turn.answer_ms).filter((one) => one !== null && one !== undefined).sort((a, b) => a - b);
  const middle = answered.length ? `, answered after ${ms(answered[Math.floor((answered.length - 1) / 2)])} in the median` : "";
  const lost = Object.entries(story.counts).map(([name, count]) => `${name} ${count}`).join(", ");
  $("summary").textContent = `${clock(seconds)} of sound, ${plural(story.turns.length, "turn")}${middle}. ${lost}`;
  for (const [name, text] of Object.entries(story.facts)) $("facts").append(make("dt", {}, name), make("dd", {}, text));
  $("legend").append(...story.parts.map((part, n) => make("span", {}, make("i", { style: `background:var(--p${n})` }), part)));
}
function times() {
  const timed = story.turns.filter((turn) => turn.tifu.length);
  const longest = Math.max(1, ...timed.map((turn) => turn.answer_ms));
  for (const turn of timed) {
    const bar = segments(turn.tifu);
    bar.style.width = `${turn.answer_ms / longest * 100}%`;
    $("tifu").append(make("div", {}, make("span", { class: "number" }, String(turn.turn)), bar));
  }
  table($("times"), "By turn, in milliseconds", ["turn", ...story.parts, "answer", "first sound"],
    timed.map((turn) => [turn.turn, ...turn.tifu.map(Math.round), Math.round(turn.answer_ms), Math.round(turn.first_sound_ms)]));
}
function costs() {
  const all = seconds;
  table($("stages"), "Processor by stage", ["stage", "seconds", "% of a core", "at most, %"],
    story.processor.map((one) => [one.name, one.cpu_s.toFixed(2), (100 * one.cpu_s / all).toFixed(1), Math.max(...one.percent).toFixed(0)]));
  table($("engines"), "Calls of engines", ["call", "count", "ms in all", "mean", "longest"],
    story.engines.map((one) => [`${one.row}: ${one.call}`, one.count, one.total_ms, one.mean_ms, one.most_ms]));
}

position.setAttribute("aria-valuemax", seconds.toFixed(1));
position.addEventListener("keydown", (event) => {
  const moves = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
  if (event.key in moves) seek(sound.currentTime + moves[event.key]);
  else if (event.key === "Home") seek(0);
  else if (event.key === "End") seek(seconds);
  else return;
  event.preventDefault();
});
drawing.addEventListener("click", (event) => seek((event.offsetX + strip.scrollLeft) / wide.clientWidth * seconds));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target === sound) return;
  const onButton = event.target instanceof HTMLButtonElement || event.target.localName === "summary";
  if (event.key === " " && !onButton) toggle();
  else if (event.key === "ArrowLeft") seek(sound.currentTime - 1);
  else if (event.key === "ArrowRight") seek(sound.currentTime + 1);
  else if (event.key === "n") step(1);
  else if (event.key === "p") step(-1);
  else return;
  event.preventDefault();
});
sound.addEventListener("timeupdate", () => show(false));
sound.addEventListener("seeked", () => show(true));
function follow() { show(false); if (!sound.paused) requestAnimationFrame(follow); }
sound.addEventListener("play", follow);
strip.addEventListener("scroll", draw);
window.addEventListener("resize", () => { draw(); show(false); });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
$("in").addEventListener("click", () => stretch(2));
$("out").addEventListener("click", () => stretch(0.5));
$("fit").addEventListener("click", () => stretch(0));
summary(); list(); bars(); times(); costs(); draw(); show(false);
