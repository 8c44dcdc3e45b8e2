// Visits the dashboard of the demo as a person would.
//
// Usage: node dashboard.cjs SCREENSHOT, with the environment of page.cjs and REDDRUM_NODES.
"use strict";

const { check, must, logIn, main, url } = require("./page.cjs");

const nodeCount = Number(process.env.REDDRUM_NODES);
const screenshot = process.argv[2];

async function visit(page) {
  const complaints = [];
  const foreign = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("request", (request) => new URL(request.url()).origin === new URL(url).origin || foreign.push(request.url()));
  const tiles = page.locator("[data-node]");

  await check("a wrong password is refused in words", async () => {
    await page.goto(url);
    await logIn(page, "wrong");
    await page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent !== "");
    // The browser logs the 401 that we asked for.
    complaints.length = 0;
  });
  await check(`after the login there are ${nodeCount} tiles`, async () => {
    await logIn(page);
    await page.waitForFunction((count) => document.querySelectorAll("[data-node]").length === count, nodeCount);
  });
  await check("every tile gets a temperature", async () => {
    await page.waitForFunction(() => [...document.querySelectorAll("[data-node]")].every((tile) => tile.dataset.temperature));
  });
  await check("a tile's temperature changes", async () => {
    const before = await tiles.evaluateAll((all) => all.map((tile) => tile.dataset.temperature).join());
    await page.waitForFunction(
      (text) => [...document.querySelectorAll("[data-node]")].map((tile) => tile.dataset.temperature).join() !== text,
      before,
    );
  });
  const name = await tiles.first().getAttribute("data-node");
  const tile = page.locator(`[data-node="${name}"]`);
  await check("a tile opens the machine with its sensors", async () => {
    await tile.click();
    await page.waitForFunction(() => document.querySelectorAll("[data-sensor]").length >= 20);
  });
  await page.screenshot({ path: screenshot, fullPage: true });
  await check("power off: the tile shows it", async () => {
    await page.click("[data-reset=ForceOff]");
    await page.click("[data-confirm=ForceOff]");
    await page.waitForFunction((node) => document.querySelector(`[data-node="${node}"]`).dataset.state === "off", name);
  });
  await check("its neighbour stays on", async () => {
    const state = await tiles.nth(1).getAttribute("data-state");
    must(state === "on", `the neighbour is ${state}`);
  });
  await check("nothing is fetched from elsewhere", async () => must(foreign.length === 0, foreign.join("\n")));
  await check("the page reports no error", async () => must(complaints.length === 0, complaints.join("\n")));
}

main(visit);
