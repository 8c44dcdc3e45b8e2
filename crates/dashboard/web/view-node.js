// The side panel: one machine in full, and what can be done to it.

import { h, setText } from "./dom.js";

const REFRESH_MS = 2000;
/** The newest entries of the event log that the panel shows. */
const LOG_ENTRIES = 50;

const ACTIONS = [
  ["On", "On", "Power on"],
  ["GracefulShutdown", "Shut down", "Ask the operating system to shut down"],
  ["ForceRestart", "Restart", "Restart at once, without asking the operating system"],
  ["PowerCycle", "Power cycle", "Switch the power off and on again"],
  ["ForceOff", "Force off", "Cut the power at once, without asking the operating system"],
];
const DANGEROUS = new Set(["ForceOff", "ForceRestart", "PowerCycle"]);

const linkOf = (links) => links?.[0]?.["@odata.id"] ?? null;
const UNITS = { Cel: "°C", "{rev}/min": "rpm", "1": "" };
const unitText = (unit) => (unit ? (UNITS[unit] ?? unit) : "");

function numberText(value, unit) {
  return value === null || value === undefined ? "–" : `${value} ${unitText(unit)}`.trim();
}

export class NodeView {
  #client;
  #store;
  #machine = null;
  #abort = null;
  #timer = null;
  #system = null;
  #chassis = null;
  #logUri = null;
  #logSeen = null;

  /** Called when the panel closes. */
  onclose = () => {};

  constructor(client, store) {
    this.#client = client;
    this.#store = store;
    this.title = h("h2", { id: "panel-title", tabindex: "-1" });
    this.message = h("p", { class: "form-message", role: "alert" });
    this.actions = h("div", { class: "actions", role: "group", "aria-label": "Power" });
    this.conditions = h("ul", { class: "conditions", "aria-label": "Conditions", hidden: true });
    this.facts = h("dl", { class: "facts" });
    this.sensors = h("tbody");
    this.log = h("ol", { class: "log" });
    this.dialog = h("dialog", { class: "confirm", "aria-labelledby": "confirm-title" });
    this.element = h(
      "aside",
      { class: "panel", hidden: true, "aria-labelledby": "panel-title" },
      h("header", {}, this.title, h("button", { type: "button", class: "quiet", "aria-label": "Close", title: "Close (Esc)", onclick: () => this.close() }, "✕")),
      this.actions,
      this.message,
      this.conditions,
      this.facts,
      h("h3", {}, "Sensors"),
      h("table", { class: "sensors" }, h("thead", {}, h("tr", {}, ["Sensor", "Reading", "Limits", "Health"].map((name) => h("th", { scope: "col" }, name)))), this.sensors),
      h("h3", {}, "Event log"),
      this.log,
      this.dialog,
    );
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.element.hidden && !this.dialog.open) this.close();
    });
    store.addEventListener("machines", () => {
      if (this.#machine && !this.#isKnown()) this.close();
    });
  }

  #isKnown() {
    const { nodes, enclosures } = this.#store;
    return nodes.get(this.#machine.id) === this.#machine || enclosures.get(this.#machine.id) === this.#machine;
  }

  open(machine) {
    this.#stop();
    this.#machine = machine;
    this.#system = this.#chassis = this.#logUri = this.#logSeen = null;
    this.element.hidden = false;
    this.element.dataset.open = machine.id;
    setText(this.title, machine.id);
    setText(this.message, "");
    for (const part of [this.actions, this.conditions, this.facts, this.sensors, this.log]) part.replaceChildren();
    this.conditions.hidden = true;
    this.title.focus({ preventScroll: true });
    this.#abort = new AbortController();
    this.#refresh(this.#abort.signal);
  }

  close() {
    this.#stop();
    if (this.dialog.open) this.dialog.close();
    if (this.element.hidden) return;
    this.element.hidden = true;
    delete this.element.dataset.open;
    this.#machine = null;
    this.onclose();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
  }

  async #refresh(signal) {
    try {
      await this.#read(signal);
    } catch (error) {
      if (signal.aborted) return;
      setText(this.message, error.message);
    }
    if (!signal.aborted) this.#timer = setTimeout(() => this.#refresh(signal), REFRESH_MS);
  }

  /** Follows the links from the machine's own resource: System, Chassis, Manager, log. */
  async #read(signal) {
    const resource = await this.#client.get(this.#machine.uri, { signal });
    const isSystem = resource["@odata.type"].startsWith("#ComputerSystem.");
    this.#system = isSystem ? resource : null;
    const chassisUri = isSystem ? linkOf(resource.Links?.Chassis) : resource["@odata.id"];
    const managerUri = linkOf(resource.Links?.ManagedBy);
    const [chassis, manager] = await Promise.all([
      isSystem && chassisUri ? this.#client.get(chassisUri, { signal }) : isSystem ? null : resource,
      managerUri ? this.#client.get(managerUri, { signal }) : null,
    ]);
    this.#chassis = chassis;
    this.#showConditions([manager, resource, isSystem ? chassis : null]);
    this.#showFacts(resource, manager);
    this.#showActions();
    const sensorsUri = chassis?.Sensors?.["@odata.id"];
    if (sensorsUri) this.#showSensors(await this.#client.members(sensorsUri, { signal }));
    await this.#readLog(manager, signal);
  }

  /** Why something is not well, in the service's words: an unreachable controller says here what was tried. */
  #showConditions(resources) {
    const conditions = new Map();
    for (const resource of resources) {
      for (const condition of resource?.Status?.Conditions ?? []) {
        const text = condition.Message ?? condition.MessageId;
        if (text && !conditions.has(text)) conditions.set(text, condition);
      }
    }
    const shown = [...conditions].map(([text, { Severity, Timestamp }]) => `${Severity}|${Timestamp}|${text}`).join("\n");
    // Written only where it differs, so that a screen reader doesn't say it again every two seconds.
    if (this.conditions.dataset.shown === shown && !this.conditions.hidden) return;
    this.conditions.dataset.shown = shown;
    this.conditions.hidden = conditions.size === 0;
    this.conditions.replaceChildren(...[...conditions].map(([text, { Severity, Timestamp }]) =>
      h("li", { dataset: { condition: Severity?.toLowerCase() ?? "" } }, h("span", {}, text),
        Timestamp ? h("time", { datetime: Timestamp }, `Since ${timeText(Timestamp)}`) : null)));
  }

  #showFacts(resource, manager) {
    const facts = [
      ["Power", resource.PowerState ?? "unknown"],
      ["State", resource.Status?.State],
      ["Health", resource.Status?.HealthRollup ?? resource.Status?.Health],
      ["Manufacturer", resource.Manufacturer],
      ["Model", resource.Model],
      ["Serial number", resource.SerialNumber],
      ["Part number", resource.PartNumber],
      ["Asset tag", resource.AssetTag],
      ["UUID", resource.UUID],
      ["Next boot", bootText(resource.Boot)],
      ["Controller", manager && [manager.Status?.State, manager.Status?.Health].filter(Boolean).join(", ")],
      ["Controller firmware", manager?.FirmwareVersion],
      ["Chassis", this.#chassis?.Links?.ContainedBy?.["@odata.id"].split("/").pop()],
      ["Redfish", resource["@odata.id"]],
    ].filter(([, value]) => value);
    this.facts.replaceChildren(...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { dataset: { fact: name } }, value)]));
  }

  #showActions() {
    const reset = this.#system?.Actions?.["#ComputerSystem.Reset"];
    const allowed = new Set(reset?.["ResetType@Redfish.AllowableValues"] ?? []);
    const lit = (this.#system ?? this.#chassis)?.LocationIndicatorActive;
    const wanted = [...allowed, String(lit)].join();
    if (this.actions.dataset.shown === wanted && this.actions.childElementCount > 0) return;
    this.actions.dataset.shown = wanted;
    const buttons = ACTIONS.filter(([type]) => allowed.has(type)).map(([type, label, text]) =>
      h("button", { type: "button", class: DANGEROUS.has(type) ? "danger" : "", title: text, dataset: { reset: type }, onclick: () => this.#confirmReset(reset.target, type, label, text) }, label));
    if (typeof lit === "boolean") {
      buttons.push(h("button", { type: "button", "aria-pressed": String(lit), title: "Light that shows where the machine is", dataset: { identify: String(lit) }, onclick: () => this.#identify(!lit) }, lit ? "Identify: on" : "Identify"));
    }
    this.actions.replaceChildren(...buttons);
  }

  #confirmReset(target, type, label, text) {
    const { id } = this.#machine;
    const go = h("button", { type: "submit", value: "yes", class: DANGEROUS.has(type) ? "danger" : "primary", dataset: { confirm: type } }, label);
    const form = h("form", { method: "dialog" }, h("h2", { id: "confirm-title" }, `${label}: ${id}?`), h("p", {}, `${text}.`), h("div", { class: "buttons" }, h("button", { type: "submit", value: "" }, "Cancel"), go));
    this.dialog.replaceChildren(form);
    this.dialog.returnValue = "";
    this.dialog.onclose = () => {
      if (this.dialog.returnValue === "yes") this.#carryOut(`${label} …`, `${label}: done.`, () => this.#client.post(target, { ResetType: type }));
    };
    this.dialog.showModal();
    form.querySelector("button").focus();
  }

  #identify(lit) {
    const uri = (this.#system ?? this.#chassis)["@odata.id"];
    this.#carryOut("Identify …", lit ? "The identify light is on." : "The identify light is off.", () => this.#client.patch(uri, { LocationIndicatorActive: lit }));
  }

  async #carryOut(doing, done, change) {
    const machine = this.#machine;
    this.message.dataset.kind = "note";
    setText(this.message, doing);
    for (const button of this.actions.children) button.disabled = true;
    try {
      await change();
      if (this.#machine === machine) setText(this.message, done);
    } catch (error) {
      if (this.#machine === machine) {
        this.message.dataset.kind = "error";
        setText(this.message, error.message);
      }
    }
    if (this.#machine !== machine) return;
    this.actions.dataset.shown = "";
    this.#stop();
    this.#abort = new AbortController();
    this.#refresh(this.#abort.signal);
  }

  #showSensors(sensors) {
    const rows = sensors.map((sensor) => {
      const health = sensor.Status?.Health;
      const absent = sensor.Reading === null || sensor.Reading === undefined;
      return h("tr", { dataset: { sensor: sensor.Id, health: health?.toLowerCase() ?? "", absent: String(absent) } },
        h("th", { scope: "row", title: sensor.PhysicalContext ?? "" }, sensor.Name),
        h("td", { class: "number" }, numberText(sensor.Reading, sensor.ReadingUnits)),
        h("td", { class: "number limits" }, limitsText(sensor.Thresholds)),
        h("td", {}, absent ? (sensor.Status?.State ?? "") : (health ?? "")));
    });
    this.sensors.replaceChildren(...(rows.length > 0 ? rows : [h("tr", {}, h("td", { colspan: "4" }, "No sensor known."))]));
  }

  async #readLog(manager, signal) {
    const services = manager?.LogServices?.["@odata.id"];
    if (!services) return;
    this.#logUri ??= (await this.#client.members(services, { signal }))[0]?.Entries?.["@odata.id"] ?? null;
    if (!this.#logUri) return;
    const entries = await this.#client.members(this.#logUri, { signal });
    const newest = entries.slice(-LOG_ENTRIES).reverse();
    const seen = `${entries.length}:${newest[0]?.["@odata.id"]}`;
    if (seen === this.#logSeen) return;
    this.#logSeen = seen;
    const items = newest.map((entry) =>
      h("li", { dataset: { severity: entry.Severity?.toLowerCase() ?? "" } }, h("time", { datetime: entry.Created ?? "" }, timeText(entry.Created)), h("span", {}, entry.Message ?? "")));
    this.log.replaceChildren(...(items.length > 0 ? items : [h("li", {}, "No entry.")]));
  }
}

function limitsText(thresholds) {
  const pick = (...names) => names.map((name) => thresholds?.[name]?.Reading).find((value) => value !== null && value !== undefined);
  const low = pick("LowerCritical", "LowerFatal", "LowerCaution");
  const high = pick("UpperCritical", "UpperFatal", "UpperCaution");
  if (low === undefined && high === undefined) return "";
  return low === undefined ? `≤ ${high}` : high === undefined ? `≥ ${low}` : `${low} … ${high}`;
}

function bootText(boot) {
  if (!boot || boot.BootSourceOverrideEnabled === "Disabled" || !boot.BootSourceOverrideTarget) return null;
  return `${boot.BootSourceOverrideTarget} (${boot.BootSourceOverrideEnabled})`;
}

function timeText(created) {
  if (!created) return "no time";
  const time = new Date(created);
  return `${time.toLocaleDateString("sv-SE")} ${time.toLocaleTimeString("sv-SE")}`;
}
