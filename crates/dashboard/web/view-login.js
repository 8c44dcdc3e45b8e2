// The login form.

import { h, setText } from "./dom.js";

/** A form that opens a session and then calls `onLoggedIn`. */
export function loginView(client, notice, onLoggedIn) {
  const message = h("p", { class: "form-message", role: "alert" }, notice);
  const button = h("button", { type: "submit", class: "primary" }, "Log in");
  const form = h(
    "form",
    { class: "login", "aria-label": "Log in" },
    h("h1", {}, h("img", { src: "/favicon.svg", alt: "", width: "28", height: "28" }), "RedDrum"),
    h("label", {}, "User name", h("input", { name: "username", autocomplete: "username", required: true, spellcheck: "false", autocapitalize: "none" })),
    h("label", {}, "Password", h("input", { name: "password", type: "password", autocomplete: "current-password", required: true })),
    button,
    message,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { username, password } = form.elements;
    button.disabled = true;
    setText(message, "");
    try {
      await client.login(username.value, password.value);
      onLoggedIn();
    } catch (error) {
      setText(message, error.status === 401 ? "User name or password is wrong." : error.message);
      password.value = "";
      password.focus();
    } finally {
      button.disabled = false;
    }
  });
  return h("main", { class: "login-page" }, form);
}
