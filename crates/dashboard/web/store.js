// What the page knows of the machines: filled from one metric report a second, read by the views.

const REPORT = "/redfish/v1/TelemetryService/MetricReports/Nodes";
const TEMPERATURES = "/redfish/v1/TelemetryService/MetricDefinitions/HottestTemperature";
const CHASSIS = "/redfish/v1/Chassis";
const PERIOD_MS = 1000;
/** A page without a fresh report for this long says so. */
const STALE_AFTER_MS = 3500;
/**
 * A node whose own readings are this much older than the report is marked; where temperatures are read more rarely, after so
 * many of their intervals. How long these are is asked now and then.
 */
const NODE_STALE_AFTER_MS = 10_000;
const NODE_STALE_AFTER_INTERVALS = 2.5;
const INTERVAL_EVERY_MS = 60_000;
const TREE_RETRY_MS = 30_000;

/** One tile of the page: a computer, or an enclosure with a controller of its own. */
class Machine {
  /** The Redfish resource behind it. */
  constructor(id, uri) {
    this.id = id;
    this.uri = uri;
    this.clear();
  }

  clear() {
    this.temperature = null;
    this.temperatureSource = null;
    this.watts = null;
    this.power = null;
    this.health = null;
    this.state = null;
    this.readAt = null;
  }

  /** One word for tiles and tests: on, off, powering-on, powering-off, connecting, unreachable, unknown. */
  get condition() {
    if (this.state === "UnavailableOffline") return "unreachable";
    switch (this.power) {
      case "On":
        return "on";
      case "Off":
        return "off";
      case "PoweringOn":
        return "powering-on";
      case "PoweringOff":
        return "powering-off";
      default:
        return this.state === "Starting" ? "connecting" : this.state === "Enabled" ? "on" : "unknown";
    }
  }
}

/** `/redfish/v1/Systems/n1#/PowerState` gives `["Systems", "n1"]`. */
function ownerOf(property) {
  const [collection, id] = property.split("#", 1)[0].split("/").slice(3, 5);
  return [collection, decodeURIComponent(id ?? "")];
}

/** `PT1M30S` gives 90000; an absent duration, 0. */
function msOf(duration) {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(duration ?? "") ?? [];
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return parts.length === 0 ? 0 : (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

const numberOf = (text) => (text === null || text === "" || Number.isNaN(Number(text)) ? null : Number(text));

/** What each metric of the report says about its machine. */
const METRICS = {
  HottestTemperature(machine, value) {
    machine.temperature = numberOf(value.MetricValue);
    machine.temperatureSource = value.MetricProperty.split("#", 1)[0];
    machine.readAt = value.Timestamp ?? null;
  },
  PowerConsumption(machine, value) {
    machine.watts = numberOf(value.MetricValue);
  },
  PowerState(machine, value) {
    machine.power = value.MetricValue;
  },
  Health(machine, value) {
    machine.health = value.MetricValue;
  },
  State(machine, value) {
    machine.state = value.MetricValue;
  },
};

/**
 * Events: `machines` (detail: the machines that changed, or `null` when the set or the tree changed) and
 * `freshness`.
 */
export class Store extends EventTarget {
  #client;
  #timer = null;
  #abort = null;
  #owners = new Map();
  #treeReadAt = -TREE_RETRY_MS;
  #treeMissing = false;
  #intervalAskedAt = -INTERVAL_EVERY_MS;
  #nodeStaleAfterMs = NODE_STALE_AFTER_MS;

  /** Computers by id. */
  nodes = new Map();
  /** Enclosures with readings of their own, by chassis id. */
  enclosures = new Map();
  /** The containment tree: roots, each `{ id, name, type, children, node }`; `node`: a computer's id or `null`. */
  tree = [];
  /** The service's own time of the newest report. */
  reportTime = null;
  /** When the newest report arrived, on this machine's monotonic clock. */
  arrivedAt = null;
  /** Why the last poll failed, in words. */
  problem = null;

  constructor(client) {
    super();
    this.#client = client;
  }

  start() {
    this.stop();
    this.#abort = new AbortController();
    this.#poll(this.#abort.signal);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
  }

  /** Milliseconds since the newest report arrived; `null` before the first. */
  get age() {
    return this.arrivedAt === null ? null : performance.now() - this.arrivedAt;
  }

  get stale() {
    return this.age === null || this.age > STALE_AFTER_MS;
  }

  async #poll(signal) {
    const begun = performance.now();
    try {
      await this.#readInterval(signal);
      const report = await this.#client.get(REPORT, { signal });
      this.#apply(report);
      this.problem = null;
      if (this.#treeMissing) await this.#readTree(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.problem = error.message;
    }
    this.dispatchEvent(new Event("freshness"));
    // A very large report may take longer than the period: leave the service as much rest as it worked.
    const took = performance.now() - begun;
    const wait = document.hidden ? 5 * PERIOD_MS : Math.max(PERIOD_MS - took, Math.min(took, 5 * PERIOD_MS));
    if (!signal.aborted) this.#timer = setTimeout(() => this.#poll(signal), wait);
  }

  /** Asks how often temperatures are read, where that was not asked for a minute. */
  async #readInterval(signal) {
    if (performance.now() - this.#intervalAskedAt < INTERVAL_EVERY_MS) return;
    this.#intervalAskedAt = performance.now();
    const { SensingInterval: interval } = await this.#client.get(TEMPERATURES, { signal });
    this.#nodeStaleAfterMs = Math.max(NODE_STALE_AFTER_MS, NODE_STALE_AFTER_INTERVALS * msOf(interval));
  }

  /** Takes a report over and tells which machines changed. */
  #apply(report) {
    const before = new Map();
    const seen = new Set();
    let added = false;
    for (const value of report.MetricValues ?? []) {
      const set = METRICS[value.MetricId];
      if (!set || !value.MetricProperty) continue;
      const [machine, isNew] = this.#machineOf(value.MetricProperty);
      added ||= isNew;
      if (!seen.has(machine)) {
        seen.add(machine);
        before.set(machine, this.#shown(machine));
        machine.clear();
      }
      set(machine, value);
    }
    const removed = this.#forgetAllBut(seen);
    this.reportTime = report.Timestamp ?? null;
    this.arrivedAt = performance.now();
    for (const machine of seen) machine.stale = this.#isStale(machine);
    if (added || removed) {
      this.#treeMissing = true;
      this.dispatchEvent(new CustomEvent("machines", { detail: null }));
      return;
    }
    const changed = [...seen].filter((machine) => before.get(machine) !== this.#shown(machine));
    this.dispatchEvent(new CustomEvent("machines", { detail: changed }));
  }

  /** All that a tile shows, as one string to compare. */
  #shown(machine) {
    return `${machine.temperature}|${machine.watts}|${machine.power}|${machine.health}|${machine.state}|${machine.stale}|${machine.temperatureSource}`;
  }

  #isStale(machine) {
    if (machine.readAt === null || this.reportTime === null) return false;
    return Date.parse(this.reportTime) - Date.parse(machine.readAt) > this.#nodeStaleAfterMs;
  }

  #machineOf(property) {
    const known = this.#owners.get(property);
    if (known) return [known, false];
    const [collection, id] = ownerOf(property);
    let machine = this.nodes.get(id) ?? this.enclosures.get(id);
    let isNew = false;
    if (!machine) {
      machine = new Machine(id, `/redfish/v1/${collection}/${encodeURIComponent(id)}`);
      (collection === "Systems" ? this.nodes : this.enclosures).set(id, machine);
      isNew = true;
    } else if (collection === "Systems" && this.enclosures.delete(id)) {
      machine.uri = `/redfish/v1/Systems/${encodeURIComponent(id)}`;
      this.nodes.set(id, machine);
    }
    this.#owners.set(property, machine);
    return [machine, isNew];
  }

  /** A machine that the report no longer names is gone. */
  #forgetAllBut(seen) {
    let removed = false;
    for (const machines of [this.nodes, this.enclosures]) {
      for (const [id, machine] of machines) {
        if (!seen.has(machine)) {
          machines.delete(id);
          removed = true;
        }
      }
    }
    if (removed) this.#owners.clear();
    return removed;
  }

  /** Reads which chassis contains which; not more often than the retry time, for a tree that lacks a node. */
  async #readTree(signal) {
    if (performance.now() - this.#treeReadAt < TREE_RETRY_MS) return;
    this.#treeReadAt = performance.now();
    const select = ["Id", "Name", "ChassisType", "Links"];
    const chassis = await this.#client.members(CHASSIS, { select, signal });
    const byUri = new Map();
    for (const each of chassis) {
      const [system] = each.Links?.Contains?.length > 0 ? [] : (each.Links?.ComputerSystems ?? []);
      const node = system ? ownerOf(system["@odata.id"])[1] : null;
      byUri.set(each["@odata.id"], { id: each.Id, name: each.Name ?? each.Id, type: each.ChassisType, children: [], node });
    }
    const roots = [];
    for (const each of chassis) {
      const entry = byUri.get(each["@odata.id"]);
      const parent = byUri.get(each.Links?.ContainedBy?.["@odata.id"]);
      (parent ? parent.children : roots).push(entry);
    }
    this.tree = roots;
    this.#treeMissing = false;
    this.dispatchEvent(new CustomEvent("machines", { detail: null }));
  }
}
