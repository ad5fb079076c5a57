// What runs beside the browser: the sandbox, the servers under trial and the host's two origins.
import { execFile, spawn } from "node:child_process";
import { createServer } from "node:http";
import { readFile, mkdir } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";

import { demand, until } from "./checks.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PYTHON = process.env.PYTHON ?? "python3";
const run = promisify(execFile);
const running = new Set();

/** End everything that was started here. */
export async function endAll() {
  const ended = [...running].map((child) => child.ended);
  for (const child of running) child.kill("SIGTERM");
  const late = setTimeout(() => [...running].forEach((child) => child.kill("SIGKILL")), 10_000);
  await Promise.all(ended);
  clearTimeout(late);
}

process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** The environment of every program of the trial: nothing of whoever runs it but paths. */
export function environ(home, more = {}) {
  return {
    PATH: process.env.PATH,
    PYTHONPATH: process.env.PYTHONPATH ?? "",
    PYTHONWARNINGS: "ignore",
    HOME: home,
    HAILUO_PROVIDER: "sandbox",
    HAILUO_STATE_DIR: path.join(home, "state"),
    HAILUO_OUTPUT_DIR: path.join(home, "videos"),
    HAILUO_POLL_SECONDS: "0.3",
    HAILUO_BUDGET: "200",
    ...more,
  };
}

/** Start `hailuo-mcp WORDS…` and wait for the first line that matches. */
export async function start(home, words, ready, more = {}) {
  await mkdir(home, { recursive: true });
  const log = createWriteStream(path.join(home, `${words[0]}.log`), { flags: "a" });
  const child = spawn(PYTHON, ["-m", "hailuo_mcp", ...words], {
    env: environ(home, more),
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.ended = new Promise((resolve) => child.once("exit", resolve)).then(() => running.delete(child));
  let told = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      told += text;
      log.write(text);
    });
  }
  const found = await until(`hailuo-mcp ${words[0]} says that it is ready`, () => {
    demand(child.exitCode === null, `hailuo-mcp ${words.join(" ")} ended:\n${told}`);
    return told.match(ready);
  });
  return { child, found, said: () => told };
}

export async function stop({ child }, signal = "SIGTERM") {
  child.kill(signal);
  await child.ended;
  return child.exitCode;
}

/** The imitation of the provider, with its account book. */
export async function startSandbox(home, ...options) {
  const words = ["sandbox", "--port", "0", "--json", ...options];
  const { found } = await start(home, words, /"base_url": "([^"]+)"/, { HAILUO_PROVIDER: "" });
  const url = found[1];
  const read = async (what) => {
    const reply = await fetch(`${url}/sandbox/${what}`);
    return reply.json();
  };
  return {
    url,
    /** How many creates came in, accepted or not. */
    async creates() {
      return (await read("book")).totals.creates_received;
    },
    book: () => read("book"),
  };
}

const DRAW = `
import sys
from pathlib import Path
from hailuo_mcp.sandbox.clips.render import render
from hailuo_mcp.sandbox.job import Job
folder = Path(sys.argv[1])
folder.mkdir(parents=True, mode=0o700)
job = Job(task_id="1", file_id="1", key="", dialect="", family="", created_at=0, seconds_to_ready=0,
          prompt="A red fox runs through fresh snow.")
render(job, folder / f"fast-{job.width}x{job.height}-{job.duration}s-{job.fps}.mp4", folder)
`;

/** Draw one clip before the sandbox starts, which then delivers it for every clip of the usual size. */
export async function drawClip(home) {
  const folder = path.join(home, "state", "sandbox", "clips");
  await mkdir(home, { recursive: true });
  await run(PYTHON, ["-c", DRAW, folder], { env: environ(home), cwd: home });
}

export async function startHttp(home, token, more) {
  const words = ["serve", "--transport", "http", "--port", "0"];
  const { found, said } = await start(home, words, /Serving MCP at (http:\S+?)\/mcp/, {
    HAILUO_HTTP_TOKENS: `alice:${token}`,
    ...more,
  });
  return { origin: found[1], said };
}

/** As the specification has it: the default, and the domains that the resource declares. */
function policy(csp) {
  const sources = (...more) => more.flat().filter(Boolean).join(" ");
  const { connectDomains = [], resourceDomains = [], frameDomains = [], baseUriDomains = [] } = csp;
  const orNone = (domains) => (domains.length ? domains.join(" ") : "'none'");
  return [
    "default-src 'none'",
    `script-src ${sources("'self' 'unsafe-inline'", resourceDomains)}`,
    `style-src ${sources("'self' 'unsafe-inline'", resourceDomains)}`,
    `img-src ${sources("'self' data:", resourceDomains)}`,
    `font-src ${sources("'self'", resourceDomains)}`,
    `media-src ${sources("'self' data:", resourceDomains)}`,
    `connect-src ${orNone(connectDomains)}`,
    `frame-src ${orNone(frameDomains)}`,
    "object-src 'none'",
    `base-uri ${baseUriDomains.length ? baseUriDomains.join(" ") : "'self'"}`,
  ].join("; ");
}

/** The host's page on one origin, the sandbox proxy on another one. */
export async function startOrigins() {
  const bundle = await build({
    entryPoints: [path.join(HERE, "host.js")],
    bundle: true,
    write: false,
    format: "iife",
    logLevel: "error",
  });
  const script = bundle.outputFiles[0].text;
  const [page, proxy] = await Promise.all(
    ["host.html", "proxy.html"].map((name) => readFile(path.join(HERE, name), "utf8")),
  );
  const send = (reply, type, text, headers = {}) => {
    reply.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store", ...headers });
    reply.end(text);
  };
  const serve = (answer) =>
    new Promise((resolve) => {
      const server = createServer((request, reply) => {
        const url = new URL(request.url, "http://127.0.0.1");
        if (url.pathname === "/favicon.ico") return reply.writeHead(204).end();
        answer(url, reply);
      });
      server.listen(0, "127.0.0.1", () => resolve(server));
    });
  const host = await serve((url, reply) =>
    url.pathname === "/host.js"
      ? send(reply, "text/javascript", script)
      : send(reply, "text/html; charset=utf-8", page),
  );
  const sandbox = await serve((url, reply) => {
    const csp = policy(JSON.parse(url.searchParams.get("csp") ?? "{}"));
    send(reply, "text/html; charset=utf-8", proxy, { "Content-Security-Policy": csp });
  });
  return {
    page: `http://127.0.0.1:${host.address().port}/`,
    // Another site, too: as in real hosts, its frames share neither process nor storage with the host.
    proxy: `http://localhost:${sandbox.address().port}/`,
    close() {
      for (const server of [host, sandbox]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}
