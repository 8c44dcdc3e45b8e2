// The rack: one tile a node, grouped as the chassis contain each other.

import { byName, h, setAttribute, setData, setText } from "./dom.js";
import { colourOf, stepOf } from "./scale.js";
import { totalsOf, wattsText } from "./view-header.js";

/** Up to how many nodes the tiles are of which size. */
const DENSITIES = [
  [240, "large"],
  [2000, "medium"],
  [Infinity, "small"],
];
const CONDITION_TEXTS = {
  on: "on",
  off: "off",
  "powering-on": "powering on",
  "powering-off": "powering off",
  connecting: "connecting",
  unreachable: "unreachable",
  unknown: "power state unknown",
};

/** A name without the name of what it sits in: `Rack1-Block2-Node3` in `Rack1-Block2` is `Node3`. */
function shortName(id, parentId) {
  return parentId && id.startsWith(parentId) ? id.slice(parentId.length).replace(/^[-_.]/, "") || id : id;
}

function describe(machine) {
  const parts = [machine.id, CONDITION_TEXTS[machine.condition]];
  if (machine.temperature !== null) parts.push(`hottest ${machine.temperature.toFixed(1)} °C`);
  if (machine.watts !== null) parts.push(wattsText(machine.watts));
  if (machine.health && machine.health !== "OK") parts.push(machine.health.toLowerCase());
  if (machine.stale) parts.push("readings are old");
  return parts.join(", ");
}

export class RackView {
  #store;
  #onopen;
  /** Element by machine. */
  #tiles = new Map();
  /** Those in reading order, for the arrow keys. */
  #order = [];
  #groups = [];
  #filter = { condition: null, health: null, text: "" };
  #selected = null;

  constructor(store, onopen) {
    this.#store = store;
    this.#onopen = onopen;
    this.element = h("main", { class: "hall", "aria-label": "Racks", "aria-busy": "true" });
    this.element.addEventListener("click", (event) => this.#open(event.target.closest("[data-machine]")));
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    // The spoken and hovering texts of ten thousand tiles would cost more than their colours: write them when asked.
    for (const asked of ["pointerover", "focusin"]) {
      this.element.addEventListener(asked, (event) => this.#describe(event.target.closest("[data-machine]")));
    }
    store.addEventListener("machines", ({ detail }) => (detail === null ? this.#build() : this.#update(detail)));
  }

  /** Shows only what fits: everything else fades. */
  filter(filter) {
    this.#filter = { ...filter, text: filter.text.trim().toLowerCase() };
    for (const [machine, tile] of this.#tiles) this.#fade(machine, tile);
  }

  /** Opens a machine as a click on its tile does. */
  select(machine) {
    const tile = this.#tiles.get(machine);
    tile?.scrollIntoView({ block: "nearest" });
    this.#open(tile);
  }

  deselect() {
    if (!this.#selected) return;
    setAttribute(this.#selected, "aria-pressed", "false");
    if (this.#selected.isConnected) this.#selected.focus();
    this.#selected = null;
  }

  #open(tile) {
    const machine = tile?.machine;
    if (!machine) return;
    if (this.#selected) setAttribute(this.#selected, "aria-pressed", "false");
    this.#selected = tile;
    setAttribute(tile, "aria-pressed", "true");
    this.#onopen(machine);
  }

  #describe(tile) {
    if (!tile) return;
    const description = describe(tile.machine);
    setAttribute(tile, "aria-label", description);
    setAttribute(tile, "title", description);
  }

  /** Arrow keys move the focus; only one tile is in the tab order, as in a grid of any size it should be. */
  #onKey(event) {
    const tile = event.target.closest?.("[data-node]");
    if (!tile) return;
    const index = this.#order.indexOf(tile);
    const next = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: this.#order.length - 1 }[event.key] ?? this.#vertically(tile, event.key);
    const target = this.#order[next];
    if (!target) return;
    event.preventDefault();
    tile.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }

  /** The index of the nearest tile in the line above or below. */
  #vertically(tile, key) {
    if (key !== "ArrowUp" && key !== "ArrowDown") return undefined;
    const sign = key === "ArrowDown" ? 1 : -1;
    const from = tile.getBoundingClientRect();
    let best;
    let bestDistance = Infinity;
    this.#order.forEach((other, index) => {
      const to = other.getBoundingClientRect();
      const down = sign * (to.top - from.top);
      const distance = down * 4 + Math.abs(to.left - from.left);
      if (down > 1 && distance < bestDistance) [best, bestDistance] = [index, distance];
    });
    return best;
  }

  #build() {
    const { nodes, enclosures, tree } = this.#store;
    const open = this.#selected?.machine ?? null;
    const focused = document.activeElement?.machine ?? null;
    this.#tiles.clear();
    this.#groups = [];
    const placed = new Set();
    const sections = [...tree].sort((a, b) => byName(a.id, b.id)).flatMap((root) => this.#section(root, placed));
    const loose = [...nodes.values()].filter((node) => !placed.has(node)).sort((a, b) => byName(a.id, b.id));
    if (loose.length > 0) sections.push(this.#looseSection(loose, sections.length > 0));
    const density = DENSITIES.find(([most]) => nodes.size <= most)[1];
    setData(this.element, "density", density);
    setAttribute(this.element, "aria-busy", "false");
    this.element.replaceChildren(...(sections.length > 0 ? sections : [h("p", { class: "empty" }, "The service knows no node yet.")]));
    const widest = Math.max(1, ...[...this.element.querySelectorAll(".box > .tiles")].map((tiles) => tiles.childElementCount));
    this.element.style.setProperty("--tiles", widest);
    this.#order = [...this.element.querySelectorAll("[data-node]")];
    if (this.#order[0]) this.#order[0].tabIndex = 0;
    this.#update([...nodes.values(), ...enclosures.values()]);
    this.#selected = this.#tiles.get(open) ?? null;
    if (this.#selected) setAttribute(this.#selected, "aria-pressed", "true");
    if (focused) this.#tiles.get(focused)?.focus();
  }

  /** A root of the tree: a rack with its blocks, or a chassis that stands alone. */
  #section(root, placed) {
    if (root.node !== null && root.children.length === 0) return [];
    const summary = h("span", { class: "sums" });
    const group = { machines: [], summary };
    this.#groups.push(group);
    const body = this.#children(root, placed, group);
    if (group.machines.length === 0) return [];
    return h("section", { class: "rack", "aria-label": root.name, dataset: { chassis: root.id, kind: root.type ?? "" } }, h("header", {}, h("h2", {}, this.#heading(root, null)), summary), body);
  }

  #looseSection(loose, hasOthers) {
    const summary = h("span", { class: "sums" });
    this.#groups.push({ machines: loose, summary });
    const tiles = loose.map((node) => this.#tile(node, null));
    return h("section", { class: "rack loose", "aria-label": "Nodes" }, h("header", {}, h("h2", {}, hasOthers ? "Other nodes" : "Nodes"), summary), h("div", { class: "tiles" }, tiles));
  }

  #children(parent, placed, group) {
    const sorted = [...parent.children].sort((a, b) => byName(a.id, b.id));
    const tiles = [];
    const boxes = [];
    for (const child of sorted) {
      const node = child.node === null ? null : this.#store.nodes.get(child.node);
      if (node && !placed.has(node)) {
        placed.add(node);
        group.machines.push(node);
        tiles.push(this.#tile(node, parent.id));
      } else if (child.node === null) {
        boxes.push(this.#box(child, parent, placed, group));
      }
    }
    return [tiles.length > 0 ? h("div", { class: "tiles" }, tiles) : null, boxes.length > 0 ? h("div", { class: "boxes" }, boxes) : null];
  }

  #box(chassis, parent, placed, group) {
    const content = this.#children(chassis, placed, group);
    const holds = content.some(Boolean);
    return h("div", { class: holds ? "box" : "box bare", role: "group", "aria-label": chassis.name, dataset: { chassis: chassis.id, kind: chassis.type ?? "" } },
      h("div", { class: "box-name" }, this.#heading(chassis, parent)), content);
  }

  /** An enclosure's name; a button where it has readings of its own. */
  #heading(chassis, parent) {
    const name = shortName(chassis.id, parent?.id);
    const machine = this.#store.enclosures.get(chassis.id);
    if (!machine) return name;
    const button = h("button", { type: "button", class: "enclosure", "aria-pressed": "false", dataset: { machine: chassis.id, enclosure: chassis.id } }, h("span", {}, name), h("span", { class: "watts" }));
    button.machine = machine;
    this.#tiles.set(machine, button);
    return button;
  }

  #tile(node, parentId) {
    const tile = h("button", { type: "button", class: "tile", tabindex: "-1", "aria-pressed": "false", "aria-label": node.id, dataset: { machine: node.id, node: node.id } },
      h("span", { class: "name" }, shortName(node.id, parentId)), h("span", { class: "value" }));
    tile.machine = node;
    this.#tiles.set(node, tile);
    return tile;
  }

  /** Touches only the tiles of these machines. */
  #update(machines) {
    for (const machine of machines) {
      const tile = this.#tiles.get(machine);
      if (!tile) continue;
      if (tile.classList.contains("tile")) this.#paint(machine, tile);
      else setText(tile.lastChild, machine.condition === "unreachable" ? "unreachable" : machine.watts === null ? "" : wattsText(machine.watts));
      setData(tile, "state", machine.condition);
      setData(tile, "health", machine.health && machine.health !== "OK" ? machine.health.toLowerCase() : null);
      setData(tile, "stale", machine.stale ? "true" : null);
      if (tile.hasAttribute("title") && tile.matches(":hover, :focus")) this.#describe(tile);
      this.#fade(machine, tile);
    }
    for (const { machines: members, summary } of this.#groups) {
      const totals = totalsOf(members);
      const hottest = totals.hottest ? ` · ${totals.hottest.temperature.toFixed(1)} °C` : "";
      setText(summary, `${totals.on} of ${totals.nodes} on · ${wattsText(totals.watts)}${hottest}`);
    }
  }

  #paint(machine, tile) {
    const { temperature, condition } = machine;
    setData(tile, "temperature", temperature === null ? null : String(temperature));
    const coloured = temperature !== null && condition !== "off" && condition !== "unreachable";
    const step = coloured ? stepOf(temperature) : null;
    if (tile.step !== step) {
      tile.step = step;
      const colour = step === null ? null : colourOf(step);
      tile.style.backgroundColor = colour?.background ?? "";
      setData(tile, "ink", colour?.ink ?? null);
    }
    const text = condition === "off" ? "off" : condition === "unreachable" ? "✕" : temperature === null ? "–" : `${Math.round(temperature)}°`;
    setText(tile.lastChild, text);
  }

  #fade(machine, tile) {
    const { condition, health, text } = this.#filter;
    const wanted = (condition === null || machine.condition === condition) && (health === null || machine.health === health) && (text === "" || machine.id.toLowerCase().includes(text));
    setData(tile, "faded", wanted ? null : "true");
  }
}
