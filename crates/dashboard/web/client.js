// The Redfish client: sessions, requests and errors. It knows no page.

const ROOT = "/redfish/v1/";
const STORED_SESSION = "reddrum.session";
const TIME_LIMIT_MS = 10_000;

/** A request that the service refused, or that never reached it (`status` 0). */
export class RedfishError extends Error {
  constructor(status, messages, body = null) {
    super(messages.join(" "));
    this.status = status;
    this.messages = messages;
    this.body = body;
  }
}

/** The texts of `@Message.ExtendedInfo`, each with its resolution; what the status says where there are none. */
function messagesOf(status, body) {
  const infos = body?.error?.["@Message.ExtendedInfo"] ?? body?.["@Message.ExtendedInfo"] ?? [];
  const texts = infos.map((info) => {
    const resolution = info.Resolution && info.Resolution !== "None" && info.Resolution !== "None." ? ` ${info.Resolution}` : "";
    return `${info.Message ?? info.MessageId ?? ""}${resolution}`.trim();
  });
  if (texts.some(Boolean)) return texts.filter(Boolean);
  return [body?.error?.message ?? `The service answered with status ${status}.`];
}

/** One session with one Redfish service. The token lives as long as the browser tab. */
export class RedfishClient {
  #session = null;
  #onLoggedOut;
  #features = null;

  /** `onLoggedOut` is called once when a session that was in use is no longer accepted. */
  constructor(onLoggedOut) {
    this.#onLoggedOut = onLoggedOut;
    try {
      this.#session = JSON.parse(sessionStorage.getItem(STORED_SESSION));
    } catch {
      sessionStorage.removeItem(STORED_SESSION);
    }
  }

  get loggedIn() {
    return this.#session !== null;
  }

  get userName() {
    return this.#session?.userName ?? "";
  }

  async login(userName, password) {
    const root = await this.#request("GET", ROOT, { anonymous: true });
    const sessions = root.body.Links.Sessions["@odata.id"];
    const body = { UserName: userName, Password: password };
    const { headers, body: session } = await this.#request("POST", sessions, { body, anonymous: true });
    const location = headers.get("Location");
    const uri = location ? new URL(location, document.baseURI).pathname : session["@odata.id"];
    this.#session = { token: headers.get("X-Auth-Token"), uri, userName };
    sessionStorage.setItem(STORED_SESSION, JSON.stringify(this.#session));
  }

  async logout() {
    const session = this.#session;
    if (!session) return;
    try {
      await this.#request("DELETE", session.uri, {});
    } finally {
      this.#forget();
    }
  }

  /** The document at `uri`. */
  async get(uri, options = {}) {
    return (await this.#request("GET", uri, options)).body;
  }

  /** Posts an action; resolves when the service has carried it out. */
  async post(uri, body) {
    return (await this.#request("POST", uri, { body, patient: true })).body;
  }

  async patch(uri, body) {
    return (await this.#request("PATCH", uri, { body, patient: true })).body;
  }

  /**
   * All members of a collection as documents. Uses `$expand` (and `$select`, if named) where the service
   * announces them, follows `Members@odata.nextLink`, and reads members one by one where it doesn't.
   */
  async members(uri, { select = null, signal } = {}) {
    const features = await this.#protocolFeatures();
    const options = [];
    if (features.ExpandQuery?.NoLinks || features.ExpandQuery?.ExpandAll) {
      options.push(`$expand=${features.ExpandQuery.NoLinks ? "." : "*"}`);
      if (select && features.SelectQuery) options.push(`$select=${select.map((name) => `Members/${name}`).join(",")}`);
    }
    const members = [];
    let next = options.length > 0 ? `${uri}?${options.join("&")}` : uri;
    while (next) {
      let page = await this.get(next, { signal, patient: true });
      // Services differ in what a selection from a collection is: take all where this one took the members away.
      if (!page.Members) page = await this.get(uri, { signal, patient: true });
      members.push(...(page.Members ?? []));
      next = page["Members@odata.nextLink"] ?? null;
    }
    return this.#filledIn(members, signal);
  }

  /** Members that are bare links are read, a few at a time. */
  async #filledIn(members, signal) {
    const AT_ONCE = 6;
    const queue = [...members.entries()].filter(([, member]) => Object.keys(member).length === 1);
    const work = async () => {
      for (let entry = queue.shift(); entry; entry = queue.shift()) {
        const [index, link] = entry;
        members[index] = await this.get(link["@odata.id"], { signal });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return members;
  }

  async #protocolFeatures() {
    this.#features ??= (await this.get(ROOT)).ProtocolFeaturesSupported ?? {};
    return this.#features;
  }

  #forget() {
    this.#session = null;
    sessionStorage.removeItem(STORED_SESSION);
  }

  async #request(method, uri, { body, signal, anonymous = false, patient = false }) {
    const headers = { Accept: "application/json", "OData-Version": "4.0" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (!anonymous && this.#session) headers["X-Auth-Token"] = this.#session.token;
    const limit = AbortSignal.timeout(patient ? 3 * TIME_LIMIT_MS : TIME_LIMIT_MS);
    let response;
    try {
      response = await fetch(uri, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        // Without this the browser would answer 401 with its own password window.
        credentials: "omit",
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      const late = error.name === "TimeoutError";
      throw new RedfishError(0, [late ? "The service did not answer in time." : "The service can't be reached."]);
    }
    return { headers: response.headers, body: await this.#checked(response, anonymous) };
  }

  async #checked(response, anonymous) {
    const text = await response.text();
    let body = null;
    try {
      body = text ? JSON.parse(text) : null;
    } catch {
      if (response.ok) throw new RedfishError(response.status, ["The service's answer is not JSON."]);
    }
    if (response.ok) return body;
    if (response.status === 401 && !anonymous && this.#session) {
      this.#forget();
      this.#onLoggedOut();
    }
    throw new RedfishError(response.status, messagesOf(response.status, body), body);
  }
}
