// The strip at the top: totals, filter, legend, freshness.

import { h, setAttribute, setData, setText } from "./dom.js";
import { COOLEST_CELSIUS, gradient, HOTTEST_CELSIUS } from "./scale.js";

const CLOCK_MS = 500;

/** Watts as people read them: `870 W`, `21.40 kW`, `2.87 MW`. */
export function wattsText(watts) {
  if (watts === null) return "–";
  if (watts < 1000) return `${Math.round(watts)} W`;
  return watts < 1_000_000 ? `${(watts / 1000).toFixed(watts < 100_000 ? 2 : 1)} kW` : `${(watts / 1_000_000).toFixed(2)} MW`;
}

/** The sums over some machines: counts by condition and health, watts, and the hottest one. */
export function totalsOf(machines) {
  const totals = { nodes: 0, on: 0, off: 0, unreachable: 0, other: 0, warning: 0, critical: 0, watts: null, hottest: null };
  for (const machine of machines) {
    totals.nodes += 1;
    const { condition } = machine;
    if (condition in totals) totals[condition] += 1;
    else totals.other += 1;
    if (machine.health === "Warning") totals.warning += 1;
    if (machine.health === "Critical") totals.critical += 1;
    if (machine.watts !== null) totals.watts = (totals.watts ?? 0) + machine.watts;
    if (machine.temperature !== null && machine.temperature > (totals.hottest?.temperature ?? -Infinity)) totals.hottest = machine;
  }
  return totals;
}

const FILTERS = [
  ["nodes", "nodes", null],
  ["on", "on", { condition: "on" }],
  ["off", "off", { condition: "off" }],
  ["unreachable", "unreachable", { condition: "unreachable" }],
  ["warning", "warning", { health: "Warning" }],
  ["critical", "critical", { health: "Critical" }],
];

export class HeaderView {
  #store;
  #counts = {};
  #filter = { condition: null, health: null, text: "" };
  #onfilter;
  #hottest = null;
  #clock;

  constructor(store, { userName, onfilter, onopen, onlogout }) {
    this.#store = store;
    this.#onfilter = onfilter;
    this.power = h("strong", { dataset: { total: "watts" } }, "–");
    this.hottest = h("button", { type: "button", class: "total wide", title: "Show the hottest node", onclick: () => this.#hottest && onopen(this.#hottest) },
      h("strong", { dataset: { total: "hottest" } }, "–"), h("span", {}, "hottest"));
    this.search = h("input", { type: "search", name: "find", placeholder: "Find node  /", "aria-label": "Find node by name", oninput: () => this.#setFilter({ text: this.search.value }) });
    this.freshness = h("output", { class: "freshness", dataset: { freshness: "waiting" } }, "Connecting");
    this.element = h(
      "header",
      { class: "top" },
      h("h1", {}, h("img", { src: "/favicon.svg", alt: "", width: "22", height: "22" }), "RedDrum"),
      h("div", { class: "totals", role: "group", "aria-label": "Totals; press one to show only those nodes" }, FILTERS.map((filter) => this.#total(...filter)),
        h("div", { class: "total" }, this.power, h("span", {}, "power")), this.hottest),
      h("div", { class: "tools" }, this.search, legend(), this.freshness,
        h("button", { type: "button", class: "quiet", title: `Logged in as ${userName}`, onclick: onlogout }, "Log out")),
    );
    store.addEventListener("machines", () => this.#refresh());
    store.addEventListener("freshness", () => this.#tick());
    this.#clock = setInterval(() => this.#tick(), CLOCK_MS);
    this.onkey = (event) => {
      if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
        event.preventDefault();
        this.search.focus();
      }
    };
    document.addEventListener("keydown", this.onkey);
  }

  stop() {
    clearInterval(this.#clock);
    document.removeEventListener("keydown", this.onkey);
  }

  #total(name, label, wanted) {
    const count = h("strong", { dataset: { total: name } }, "–");
    const button = h("button", { type: "button", class: "total", "aria-pressed": "false", dataset: { show: name } }, count, h("span", {}, label));
    button.addEventListener("click", () => {
      const already = button.getAttribute("aria-pressed") === "true";
      this.#setFilter({ condition: null, health: null, ...(already ? {} : wanted) });
    });
    this.#counts[name] = { count, button, wanted };
    return button;
  }

  #setFilter(change) {
    Object.assign(this.#filter, change);
    for (const { button, wanted } of Object.values(this.#counts)) {
      const pressed = wanted !== null && Object.entries(wanted).every(([key, value]) => this.#filter[key] === value);
      setAttribute(button, "aria-pressed", String(pressed));
    }
    this.#onfilter({ ...this.#filter });
  }

  #refresh() {
    const totals = totalsOf(this.#store.nodes.values());
    for (const [name, { count, button }] of Object.entries(this.#counts)) {
      setText(count, String(totals[name]));
      setData(button, "count", totals[name] === 0 ? "none" : "some");
    }
    setText(this.power, wattsText(totals.watts));
    this.#hottest = totals.hottest;
    const hottest = totals.hottest ? `${totals.hottest.temperature.toFixed(1)} °C` : "–";
    setText(this.hottest.firstChild, hottest);
    setText(this.hottest.lastChild, totals.hottest ? totals.hottest.id : "hottest");
  }

  #tick() {
    const { age, stale, problem } = this.#store;
    let text = "Connecting";
    if (age !== null) text = stale ? `Stale · ${Math.floor(age / 1000)} s old` : `Live · ${new Date(this.#store.reportTime ?? Date.now()).toLocaleTimeString("en-GB")}`;
    if (problem && stale) text = `${text} · ${problem}`;
    setText(this.freshness, text);
    setData(this.freshness, "freshness", age === null ? (problem ? "stale" : "waiting") : stale ? "stale" : "live");
    setData(document.body, "stale", age !== null && stale ? "true" : null);
  }
}

function legend() {
  const ramp = h("span", { class: "ramp", "aria-hidden": "true" });
  ramp.style.backgroundImage = gradient();
  return h("div", { class: "legend", role: "img", "aria-label": `Colour shows the hottest temperature of a node, from ${COOLEST_CELSIUS} °C dark to ${HOTTEST_CELSIUS} °C bright` },
    h("span", {}, `${COOLEST_CELSIUS}`), ramp, h("span", {}, `${HOTTEST_CELSIUS} °C`),
    h("span", { class: "key", dataset: { state: "off" } }), h("span", {}, "off"),
    h("span", { class: "key", dataset: { state: "unreachable" } }), h("span", {}, "unreachable"));
}
