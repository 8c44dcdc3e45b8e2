// The page: login or the rack, and what connects the views.

import { RedfishClient } from "./client.js";
import { h } from "./dom.js";
import { Store } from "./store.js";
import { HeaderView } from "./view-header.js";
import { loginView } from "./view-login.js";
import { NodeView } from "./view-node.js";
import { RackView } from "./view-rack.js";

const app = document.getElementById("app");
const client = new RedfishClient(() => showLogin("The session has ended. Log in again."));
let running = null;

function showLogin(notice = "") {
  running?.stop();
  running = null;
  app.replaceChildren(loginView(client, notice, showRack));
  app.querySelector("input")?.focus();
}

function showRack() {
  const store = new Store(client);
  const details = new NodeView(client, store);
  const rack = new RackView(store, (machine) => details.open(machine));
  const header = new HeaderView(store, {
    userName: client.userName,
    onfilter: (filter) => rack.filter(filter),
    onopen: (machine) => rack.select(machine),
    async onlogout() {
      await client.logout().catch(() => {});
      showLogin();
    },
  });
  details.onclose = () => rack.deselect();
  app.replaceChildren(header.element, h("div", { class: "body" }, rack.element, details.element));
  store.start();
  const onVisible = () => !document.hidden && store.start();
  document.addEventListener("visibilitychange", onVisible);
  running = {
    stop() {
      document.removeEventListener("visibilitychange", onVisible);
      store.stop();
      header.stop();
      details.close();
    },
  };
}

if (client.loggedIn) showRack();
else showLogin();
