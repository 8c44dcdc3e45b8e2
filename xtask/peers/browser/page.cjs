// What the scripts in this folder share: checks, printed as one line of JSON each, {"check": name, "error": text or
// null}, and a page of the dashboard.
//
// A script is started with REDDRUM_URL, REDDRUM_USERNAME, REDDRUM_PASSWORD and REDDRUM_CHROMIUM (the browser) set.
"use strict";

const { chromium } = require("playwright-core");

const { REDDRUM_URL: url, REDDRUM_USERNAME: username, REDDRUM_PASSWORD: password } = process.env;
const PATIENCE_MS = 30_000;

let failed = false;

async function check(name, body) {
  let error = null;
  try {
    await body();
  } catch (caught) {
    error = String(caught?.message ?? caught);
    failed = true;
  }
  console.log(JSON.stringify({ check: name, error }));
}

function must(holds, what) {
  if (!holds) throw new Error(what);
}

/** Types name and password, as a person would. */
async function logIn(page, withPassword = password) {
  await page.fill("input[name=username]", username);
  await page.fill("input[name=password]", withPassword);
  await page.click("button[type=submit]");
}

/** Opens the browser, visits, closes it; the process leaves with 1 where a check failed, 2 where the visit broke. */
async function run(visit) {
  const browser = await chromium.launch({
    executablePath: process.env.REDDRUM_CHROMIUM,
    // Chromium's sandbox needs privileges that a container may not give; the page is our own.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(PATIENCE_MS);
    await visit(await context.newPage());
  } finally {
    await browser.close();
  }
  process.exitCode = failed ? 1 : 0;
}

/** As `run`; an error is told on standard error. */
function main(visit) {
  run(visit).catch((error) => {
    console.error(error);
    process.exitCode = 2;
  });
}

module.exports = { check, must, logIn, main, url };
