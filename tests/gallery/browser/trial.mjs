// The trial: python and Chromium by the variables PYTHON and CHROMIUM.
//     node trial.mjs [--keep FOLDER] [--only types,stdio,http,gallery,hostile]
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

import { check, demand, Faults, PATIENCE, same, summary } from "./checks.mjs";
import { tellCommand, tellGallery } from "./gallery.mjs";
import { FOLDER, tellHostile } from "./hostile.mjs";
import { connect, Conversation, http, stdio, VARIABLES } from "./host.mjs";
import { look } from "./looks.mjs";
import { drawClip, endAll, startHttp, startOrigins, startSandbox } from "./servers.mjs";
import { tellShots } from "./shots.mjs";
import { tellStory } from "./story.mjs";

const run = promisify(execFile);
const option = (name) => {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? "" : process.argv[index + 1];
};
const keep = option("keep") && path.resolve(option("keep"));
const only = option("only");
const wanted = (part) => !only || only.split(",").includes(part);

const TOKEN = "a-token-of-the-browser-trial-0123456789abcdef";
const TEN = 10;
const root = await mkdtemp(path.join(os.tmpdir(), "gallery-trial-"));
const home = (name) => path.join(root, name);
const ending = [];

async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    timeout: PATIENCE,
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--disable-gpu",
      "--disable-extensions",
      // Whatever is asked for elsewhere cannot even be looked up.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    ],
  });
}

async function typed() {
  const page = path.join(process.env.PYTHONPATH.split(path.delimiter)[0], "hailuo_mcp/server/gallery/page");
  await check("the page's scripts are typed", async () => {
    const scripts = (await readdir(page)).filter((name) => name.endsWith(".js"));
    demand(scripts.length > 3, `scripts in ${page}`);
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const flags = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2023", "--lib", "es2023,dom,dom.iterable", "--moduleDetection", "legacy"];
    await run(process.execPath, [tsc, ...flags, ...scripts.map((name) => path.join(page, name))]).catch((error) => {
      throw new Error(error.stdout.replaceAll(`${page}/`, "") || error.message);
    });
  });
}

async function newContext(browser) {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1000, height: 900 } });
  context.setDefaultTimeout(PATIENCE);
  return [context, new Faults(context)];
}

function clean(name, faults) {
  return check(`${name}: no error, warning, violation or request elsewhere`, () => {
    same([faults.found, faults.unmet()], [[], []], "faults of the browser");
  });
}

/** Hosts that show no pages see no difference. */
async function withoutPages(name, transport, newest) {
  await check(`${name}: a host without pages is listed ten tools, and none of the page's`, async () => {
    const client = await connect(transport, { apps: false, newest });
    const { tools } = await client.listTools();
    same(tools.length, TEN, "tools");
    same(tools.filter(({ name: each }) => /show_cards|read_media|retake_video/.test(each)), [], "the page's tools");
    await client.close();
  });
}

async function overStdio(browser, origins, sandbox) {
  const name = "stdio";
  const client = await connect(stdio(home(name), { HAILUO_BASE_URL: sandbox.url }));
  ending.push(() => client.close());
  const [context, faults] = await newContext(browser);
  const looks = { theme: "light", locale: "en-US" };
  const playedFrom = (source, talk) => {
    demand(source.startsWith("data:video/mp4"), `played from ${source}`);
    const parts = talk.called("read_media").filter(({ args }) => args.part !== "poster");
    demand(parts.length >= 2, `read in ${parts.length} parts`);
  };
  await check("the page is below 60 KB and asks for nothing from elsewhere", async () => {
    const [page] = (await client.readResource({ uri: "ui://hailuo/gallery.html" })).contents;
    const size = Buffer.byteLength(page.text);
    demand(size < 60_000, `it has ${size} bytes`);
    same(page.text.match(/\b(src|href)="[^"]*"|@import|url\([^)]*\)/g), null, "addresses in it");
  });
  const { first, second } = await tellStory({ name, client, context, origins, sandbox, looks, playedFrom });
  const talk = await Conversation.begin(client, context, origins);
  await talk.show("list_tasks", {}, { context: looks });
  await look({ name, file: name, page: talk.page, frame: () => talk.frame, setTheme: (theme) => talk.change({ theme }), keep });
  await clean(name, faults);
  await context.close();
  await withoutPages(name, stdio(home(name), { HAILUO_BASE_URL: sandbox.url }), false);
  await tellCommand({ browser, home: home(name), more: { HAILUO_BASE_URL: sandbox.url }, ids: [first, second].filter(Boolean) });
}

async function overHttp(browser, origins, sandbox) {
  const name = "http";
  const { origin } = await startHttp(home(name), TOKEN, { HAILUO_BASE_URL: sandbox.url });
  const client = await connect(http(origin, TOKEN), { newest: true });
  ending.push(() => client.close());
  const [context, faults] = await newContext(browser);
  const answers = [];
  context.on("response", (response) => answers.push([response.status(), response.url()]));
  const looks = { theme: "dark", locale: "en-US", styles: { variables: VARIABLES } };
  const playedFrom = (source, talk) => {
    demand(source.startsWith(origin), `played from ${source}`);
    demand(answers.some(([status, url]) => status === 206 && url.startsWith(origin)), "a part of the file was asked for");
    same(talk.called("read_media").filter(({ args }) => args.part !== "poster").length, 0, "bytes through the conversation");
  };
  const { first, second } = await tellStory({ name, client, context, origins, sandbox, looks, playedFrom });
  const talk = await Conversation.begin(client, context, origins);
  await talk.show("list_tasks", {}, { context: looks });
  await look({ name: `${name}, in a host's colours`, file: name, page: talk.page, frame: () => talk.frame, setTheme: (theme) => talk.change({ theme }), keep });
  await clean(name, faults);
  await context.close();
  await withoutPages(name, http(origin, TOKEN), true);
  if (wanted("gallery")) {
    await tellGallery({ browser, origin, token: TOKEN, ids: [first, second], sandbox, keep });
  }
}

async function hostile(browser, origins, sandbox) {
  const name = "hostile";
  const more = {
    HAILUO_BASE_URL: sandbox.url,
    HAILUO_OUTPUT_DIR: path.join(home(name), FOLDER),
    HAILUO_CONFIRM_ABOVE: "1",
  };
  const client = await connect(stdio(home(name), more), { newest: true });
  ending.push(() => client.close());
  const [context, faults] = await newContext(browser);
  const looks = { theme: "light", locale: "en-US" };
  const { talk } = await tellHostile({ name, client, context, origins, looks });
  await look({ name, file: name, page: talk.page, frame: () => talk.frame, setTheme: (theme) => talk.change({ theme }), keep, themes: ["dark"] });
  await talk.page.close();
  await tellShots({ name: "shots", client, context, origins, sandbox, looks });
  await clean(name, faults);
  await context.close();
}

async function main() {
  if (wanted("types")) await typed();
  const [browser, origins, drawn, plain] = await Promise.all([
    launch(),
    startOrigins(),
    // Its clips are large enough to come in several parts.
    drawClip(home("drawn")).then(() => startSandbox(home("drawn"), "--fast-clips")),
    startSandbox(home("plain"), "--fast-clips", "--seconds", "2"),
  ]);
  ending.push(() => browser.close(), () => origins.close());
  if (wanted("stdio")) await overStdio(browser, origins, drawn);
  if (wanted("http")) await overHttp(browser, origins, plain);
  if (wanted("hostile")) await hostile(browser, origins, plain);
}

let code = 1;
process.on("exit", () => rmSync(root, { recursive: true, force: true }));
setTimeout(() => {
  console.log("FAILED  the trial took longer than 20 minutes");
  process.exit(1);
}, 20 * 60_000).unref();
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(130));
try {
  await main();
  code = summary();
} catch (error) {
  console.log(`FAILED  the trial itself: ${error.stack}`);
} finally {
  for (const end of ending.reverse()) await Promise.resolve(end()).catch(() => {});
  await endAll();
}
process.exit(code);
