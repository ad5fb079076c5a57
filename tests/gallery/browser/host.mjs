// A host of MCP Apps: the official client on the side of the server, and its page in the browser.
import { mkdirSync } from "node:fs";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { getToolUiResourceUri, RESOURCE_MIME_TYPE } from "@modelcontextprotocol/ext-apps/app-bridge";

import { demand, PATIENCE } from "./checks.mjs";
import { environ } from "./servers.mjs";

const UI = { "io.modelcontextprotocol/ui": { mimeTypes: [RESOURCE_MIME_TYPE] } };

export const VARIABLES = {
  "--color-background-primary": "light-dark(#ffffff, #30302e)",
  "--color-background-secondary": "light-dark(#f5f4ed, #262624)",
  "--color-background-tertiary": "light-dark(#faf9f5, #141413)",
  "--color-background-danger": "light-dark(#f7ecec, #602a28)",
  "--color-text-primary": "light-dark(#141413, #faf9f5)",
  "--color-text-secondary": "light-dark(#3d3d3a, #c2c0b6)",
  "--color-text-tertiary": "light-dark(#73726c, #9c9a92)",
  "--color-text-danger": "light-dark(#7f2c28, #ee8884)",
  "--color-text-success": "light-dark(#265b19, #7ab948)",
  "--color-text-warning": "light-dark(#5a4815, #d1a041)",
  "--color-text-info": "light-dark(#3266ad, #80aadd)",
  "--color-border-primary": "light-dark(#1f1e1d66, #dedcd166)",
  "--color-border-secondary": "light-dark(#1f1e1d4d, #dedcd14d)",
  "--color-border-tertiary": "light-dark(#1f1e1d26, #dedcd126)",
  "--color-ring-primary": "light-dark(#141413b3, #faf9f5b3)",
  "--font-sans": "system-ui, sans-serif",
  "--border-radius-md": "8px",
};
/** A part of what a known host gives its pages. */

/** The official client; `apps`: it says that it can show pages. */
export async function connect(transport, { apps = true, newest = false, name = "trial-host" } = {}) {
  const client = new Client(
    { name, version: "1.0.0" },
    {
      capabilities: apps ? { extensions: UI } : {},
      versionNegotiation: { mode: newest ? { pin: "2026-07-28" } : "legacy" },
    },
  );
  await client.connect(transport, { timeout: PATIENCE });
  return client;
}

export function stdio(home, more) {
  mkdirSync(home, { recursive: true });
  return new StdioClientTransport({
    command: process.env.PYTHON ?? "python3",
    args: ["-m", "hailuo_mcp"],
    env: environ(home, more),
    cwd: home,
    stderr: "ignore",
  });
}

export const http = (origin, token) =>
  new StreamableHTTPClientTransport(new URL("/mcp", origin), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  });

/** One conversation: what the model calls, and the page that is shown beside it. */
export class Conversation {
  /** Every call of the page: name, arguments, answer. */
  calls = [];

  constructor(client, page, origins) {
    Object.assign(this, { client, page, origins });
  }

  static async begin(client, context, origins) {
    const page = await context.newPage();
    const self = new Conversation(client, page, origins);
    self.tools = (await client.listTools()).tools;
    await page.exposeFunction("callTool", (params) => self.#call(params));
    await page.exposeFunction("readResource", (params) => client.readResource(params));
    await page.goto(origins.page);
    return self;
  }

  async #call({ name, arguments: args }) {
    const tool = this.tools.find((each) => each.name === name);
    demand(tool, `the page calls ${name}, which the server does not list`);
    const visibility = tool._meta?.ui?.visibility ?? ["model", "app"];
    demand(visibility.includes("app"), `the page calls ${name}, which it must not`);
    const call = { name, args };
    this.calls.push(call);
    call.answer = await this.client.callTool({ name, arguments: args }, { timeout: PATIENCE });
    return call.answer;
  }

  /** Calls of one tool by the page. */
  called(name) {
    return this.calls.filter((call) => call.name === name);
  }

  /** As a model does: the answer, and never a tool that is for pages only. */
  async ask(name, args) {
    const tool = this.tools.find((each) => each.name === name);
    const visibility = tool._meta?.ui?.visibility ?? ["model", "app"];
    demand(visibility.includes("model"), `${name} is not for the model`);
    return this.client.callTool({ name, arguments: args }, { timeout: PATIENCE });
  }

  /** The same where consent is wanted: the person has said yes. */
  async buy(name, args) {
    const answer = await this.ask(name, args);
    if (answer.structuredContent?.error?.code !== "consent_required") return answer;
    const [, confirm] = answer.content[0].text.match(/confirm='([^']+)'/);
    return this.ask(name, { ...args, confirm });
  }

  /** Call a tool and show its page; returns the answer. */
  async show(name, args, { context = {}, capabilities = {}, without = [] } = {}) {
    const result = await this.ask(name, args);
    await this.open(name, args, result, { context, capabilities, without });
    return result;
  }

  async open(name, input, result, { context = {}, capabilities = {}, without = [] } = {}) {
    const tool = this.tools.find((each) => each.name === name);
    const uri = getToolUiResourceUri(tool);
    demand(uri, `${name} is bound to no page`);
    const [resource] = (await this.client.readResource({ uri })).contents;
    demand(resource.mimeType === RESOURCE_MIME_TYPE, `the page is of the type ${resource.mimeType}`);
    const offered = {
      openLinks: {},
      downloadFile: {},
      serverTools: {},
      serverResources: {},
      logging: {},
      message: { text: {} },
      updateModelContext: { text: {} },
      ...capabilities,
    };
    for (const each of without) delete offered[each];
    const opened = this.page.evaluate((given) => window.host.open(given), {
      proxy: this.origins.proxy,
      resource,
      capabilities: offered,
      context: {
        theme: "light",
        locale: "en-US",
        timeZone: "UTC",
        platform: "desktop",
        displayMode: "inline",
        availableDisplayModes: ["inline", "fullscreen"],
        toolInfo: { tool },
        ...context,
      },
      input,
      result,
    });
    opened.catch(() => {}); // whoever waits for it below is told
    const late = new Promise((_, fail) => {
      const words = "the page did not answer its host";
      setTimeout(() => fail(new Error(words)), PATIENCE).unref();
    });
    await Promise.race([opened, late]);
  }

  /** The page itself, two frames deep. */
  get view() {
    return this.page.frameLocator("iframe").frameLocator("iframe");
  }

  /** Its frame, for what runs in it. */
  get frame() {
    return this.page.frames().find((frame) => frame.parentFrame()?.parentFrame() === this.page.mainFrame());
  }

  change(context) {
    return this.page.evaluate((given) => window.host.change(given), context);
  }

  asked(what) {
    return this.page.evaluate((name) => window.host.asked[name], what);
  }

  teardown() {
    return this.page.evaluate(() => window.host.teardown());
  }
}
