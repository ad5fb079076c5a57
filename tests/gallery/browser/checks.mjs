// One line for each check, and the faults of the browser, which fail whatever check they come in.

/** Milliseconds: it may share a slow processor with others. */
export const PATIENCE = 1000 * Number(process.env.TRIAL_PATIENCE ?? 90);
/** After so many failures the others are hardly news, and each may take all of the patience. */
const ENOUGH = Number(process.env.TRIAL_FAILURES ?? 4);

let failures = 0;
const began = Date.now();

/** What the browsers complained of since the last check: mostly why a check fails. */
const heard = [];

/** Run a check, print its line, and go on: what failed is known in one run. */
export async function check(name, steps) {
  if (failures >= ENOUGH) return console.log(`skipped ${name}`);
  heard.length = 0;
  const start = Date.now();
  const seconds = () => ((Date.now() - start) / 1000).toFixed(1);
  try {
    await steps();
    console.log(`ok      ${name} (${seconds()} s)`);
  } catch (error) {
    failures += 1;
    const text = String(error?.stack ?? error).replace(/\u001b\[[0-9;]*m/g, "");
    const lines = [...text.split("\n").slice(0, 14), ...heard.slice(0, 5).map((fault) => `heard: ${fault}`)];
    console.log(`FAILED  ${name} (${seconds()} s)\n${lines.join("\n").replace(/^/gm, "        ")}`);
  }
}

export function demand(holds, what) {
  if (!holds) throw new Error(what);
}

export function same(found, wanted, what) {
  const [left, right] = [found, wanted].map((value) => JSON.stringify(value));
  demand(left === right, `${what}: ${left} instead of ${right}`);
}

/** Wait until a probe gives something true, and return it. */
export async function until(what, probe, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await probe();
    if (found) return found;
    demand(Date.now() < end, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function summary() {
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  console.log(failures ? `${failures} failed (${seconds} s)` : `all passed (${seconds} s)`);
  return failures ? 1 : 0;
}

/** What a browser context must not do: it is looked at in a check of its own at the end of a story. */
export class Faults {
  found = [];
  #expected = [];

  constructor(context) {
    context.on("console", (message) => {
      // Chromium says so of every host that keeps to the specification's sandbox.
      const known = message.text().startsWith("An iframe which has both allow-scripts and allow-same-origin");
      if (["error", "warning"].includes(message.type()) && !known) {
        this.#add(`console ${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    context.on("weberror", (error) => this.#add(`page error: ${error.error()?.stack}`));
    context.on("dialog", (dialog) => {
      this.#add(`dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    context.on("request", (request) => {
      const url = new URL(request.url());
      const inside = ["127.0.0.1", "localhost"].includes(url.hostname);
      if (!inside && !["data:", "about:", "blob:"].includes(url.protocol)) this.#add(`request to ${url.href}`);
    });
  }

  #add(fault) {
    const index = this.#expected.findIndex((pattern) => pattern.test(fault));
    if (index >= 0) {
      this.#expected.splice(index, 1);
    } else {
      this.found.push(fault);
      heard.push(fault);
    }
  }

  /** The browser itself logs a refused request as an error; each of these is let through once. */
  expect(...patterns) {
    this.#expected.push(...patterns);
  }

  unmet() {
    return this.#expected.map(String);
  }
}
