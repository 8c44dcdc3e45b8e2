// Visits the dashboard of a service of which one machine can't be reached: it must say why.
//
// Usage: node unreachable.cjs, with the environment of page.cjs, REDDRUM_UNREACHABLE and REDDRUM_REACHABLE (names).
"use strict";

const { check, must, logIn, main, url } = require("./page.cjs");

const { REDDRUM_UNREACHABLE: unreachable, REDDRUM_REACHABLE: reachable } = process.env;

async function visit(page) {
  const conditions = page.locator("[data-condition]");

  await check("a machine that can't be reached has a tile that says so", async () => {
    await page.goto(url);
    await logIn(page);
    await page.waitForFunction((node) => document.querySelector(`[data-node="${node}"]`)?.dataset.state === "unreachable", unreachable);
  });
  await check("its panel says why and since when", async () => {
    await page.click(`[data-node="${unreachable}"]`);
    await conditions.first().waitFor();
    const text = await conditions.first().innerText();
    must(/password/i.test(text) && /since \d{4}-\d\d-\d\d/i.test(text), `it says ${text}`);
    must((await conditions.first().getAttribute("data-condition")) === "critical", "it is not marked as critical");
  });
  await check("the panel of a machine that is reached has no such line", async () => {
    await page.waitForFunction((node) => document.querySelector(`[data-node="${node}"]`)?.dataset.state === "on", reachable);
    await page.click(`[data-node="${reachable}"]`);
    await page.waitForFunction(() => document.querySelectorAll("[data-sensor]").length >= 20);
    must((await conditions.count()) === 0, "it has");
  });
}

main(visit);
