// How the page reaches the server: through the host around it, or by itself at GET /gallery.

/**
 * @typedef {Object} Reply
 * @property {any} answer - The structured content; {} without one.
 * @property {string} text - What the tool says in words.
 * @property {{data: string, mimeType: string}[]} pictures
 * @property {{code: string, message: string, charged: string, taskId: string} | null} error - Of a
 *   refused call. Code "" if the refusal is not this server's own.
 *
 * @typedef {Object} Host
 * @property {boolean} present - False at GET /gallery, where nothing is around the page.
 * @property {string} locale
 * @property {boolean} opensLinks
 * @property {boolean} downloads
 * @property {boolean} takesMessages - It can put words into the conversation.
 * @property {string[]} modes - How it can show the page: inline, fullscreen, pip.
 * @property {string} mode - How it shows it now.
 * @property {any} context - What it says of its looks: theme, styles, safeAreaInsets …
 *
 * @typedef {Object} Connection
 * @property {Host} host
 * @property {(name: string, args: object) => Promise<Reply>} call - Rejects with a Trouble if
 *   nothing answers. Sends once; never again by itself.
 * @property {(url: string) => Promise<boolean>} openLink
 * @property {(text: string) => Promise<boolean>} sayToModel - As the person's own message.
 * @property {(url: string, name: string) => Promise<boolean>} download
 * @property {(mode: string) => Promise<void>} show - Asks for a mode; host.mode is the one it got.
 * @property {() => void} resized
 * @property {boolean} signedIn - A token is kept for this tab.
 * @property {(token: string) => void} signIn - Empty: sign out.
 *
 * @typedef {Object} Events - What the host tells by itself.
 * @property {(args: any) => void} asked - What the tool was called with; it has not answered yet.
 * @property {(reply: Reply) => void} answered
 * @property {() => void} cancelled
 * @property {() => void} looks - The host's context changed.
 * @property {() => void} ending - The page is about to be taken away.
 */

const PAGE = { name: "hailuo-gallery", title: "Hailuo videos", version: "1" };
const UI_PROTOCOL = "2026-01-26";
const MCP_PROTOCOL = "2026-07-28";
const MOST_SECONDS = 90;

/** Why nothing answered a call. */
class Trouble extends Error {
  /**
   * @param {"away" | "odd" | "ended" | "missing" | "sign_in" | "forbidden"} kind - Away: it may
   *   answer later; odd: refused, and not in a way that the page knows.
   * @param {boolean} unsure - The server may have done it: a purchase may have been made.
   * @param {number} [wait] - Seconds after which to ask again, if the server said so.
   */
  constructor(kind, unsure, wait = 0) {
    super(kind);
    this.kind = kind;
    this.unsure = unsure;
    this.wait = wait;
  }
}

/**
 * @param {Events} events
 * @returns {Promise<Connection>}
 */
async function connect(events) {
  return window.parent === window ? connectDirectly() : connectToHost(events);
}

/**
 * A tool's result as the page reads it; never throws, whatever came.
 * @param {any} result
 * @returns {Reply}
 */
function readResult(result) {
  const parts = listOf(result?.content).filter(isObject);
  const text = parts.map(({ text }) => textOf(text)).filter(Boolean).join("\n");
  const structured = result?.structuredContent;
  // Some hosts pass on only the text, which is the same object as JSON.
  const answer = isObject(structured) ? structured : objectIn(text);
  const { code, charged, task_id } = isObject(answer.error) ? answer.error : {};
  const error = result?.isError
    ? {
        code: textOf(code),
        charged: textOf(charged),
        taskId: textOf(task_id),
        message: textOf(answer.message) || text,
      }
    : null;
  return { answer, text, error, pictures: parts.filter(({ type }) => type === "image") };
}

/** @param {any} value */
function textOf(value) {
  return typeof value === "string" ? value : "";
}

/** No list of this server's is longer. @param {any} value @returns {any[]} */
function listOf(value) {
  return Array.isArray(value) ? value.slice(0, 1000) : [];
}

/** @param {any} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {string} text @returns {any} */
function objectIn(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** @param {any} error - A JSON-RPC error. @param {boolean} ofCall - It answers the call of a tool. */
function troubleOf(error, ofCall) {
  const missing = [-32601, -32602].includes(error.code);
  // Only "method not found" says that nothing was run: a host's client says -32602 also of an answer
  // that it cannot read.
  return new Trouble(missing ? "missing" : "odd", ofCall && error.code !== -32601);
}

// ---- Through the host (MCP Apps): JSON-RPC over postMessage with the window around this one.

/**
 * @param {Events} events
 * @returns {Promise<Connection>}
 */
async function connectToHost(events) {
  /** @type {Map<number, {ofCall: boolean, done: (result: any) => void, fail: (trouble: Trouble) => void}>} */
  const pending = new Map();
  let last = 0;
  let ended = false;

  /** @param {object} message */
  function post(message) {
    // The host's origin is not known to the page, and differs between hosts.
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  /** @param {string} method @param {object} params @returns {Promise<any>} */
  function request(method, params) {
    return new Promise((done, fail) => {
      if (ended) return fail(new Trouble("ended", false));
      const id = ++last;
      const ofCall = method === "tools/call";
      pending.set(id, { ofCall, done, fail });
      post({ id, method, params });
      // A host may take its time to begin.
      if (id > 1) {
        setTimeout(() => pending.delete(id) && fail(new Trouble("away", ofCall)), MOST_SECONDS * 1000);
      }
    });
  }

  /** @param {any} context */
  function readContext(context) {
    if (!isObject(context)) return;
    host.context = { ...host.context, ...context };
    host.locale = textOf(context.locale) || host.locale;
    host.mode = textOf(context.displayMode) || host.mode;
    host.modes = listOf(host.context.availableDisplayModes);
  }

  function end() {
    ended = true;
    events.ending();
    for (const { ofCall, fail } of pending.values()) fail(new Trouble("ended", ofCall));
    pending.clear();
  }

  /** @type {Record<string, (params: any) => void>} */
  const notifications = {
    "tool-input": (params) => events.asked(params.arguments),
    "tool-result": (params) => events.answered(readResult(params)),
    "tool-cancelled": events.cancelled,
    "host-context-changed": (params) => {
      readContext(params);
      events.looks();
    },
  };

  addEventListener("message", ({ source, data: message }) => {
    if (source !== window.parent || message?.jsonrpc !== "2.0") return;
    const { id, method, params, result, error } = message;
    if (typeof method !== "string") {
      const call = pending.get(id);
      if (!call || !(result !== undefined || isObject(error))) return;
      pending.delete(id);
      if (error) call.fail(troubleOf(error, call.ofCall));
      else call.done(result);
    } else if (id === undefined) {
      const name = method.replace("ui/notifications/", "");
      if (Object.hasOwn(notifications, name)) notifications[name](isObject(params) ? params : {});
    } else if (method === "ping" || method === "ui/resource-teardown") {
      if (method !== "ping") end();
      post({ id, result: {} });
    } else {
      post({ id, error: { code: -32601, message: "The page has no such method." } });
    }
  });

  /** @type {Host} */
  const host = {
    present: true,
    locale: navigator.language,
    opensLinks: false,
    downloads: false,
    takesMessages: false,
    modes: [],
    mode: "inline",
    context: {},
  };
  const told = await request("ui/initialize", {
    protocolVersion: UI_PROTOCOL,
    appInfo: PAGE,
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
  });
  const { openLinks, downloadFile, message } = told?.hostCapabilities ?? {};
  host.opensLinks = isObject(openLinks);
  host.downloads = isObject(downloadFile);
  host.takesMessages = isObject(message);
  readContext(told?.hostContext);
  post({ method: "ui/notifications/initialized", params: {} });

  /**
   * @param {string} method
   * @param {object} params
   * @returns {Promise<boolean>} Whether the host did it.
   */
  async function ask(method, params) {
    const answer = await request(method, params).catch(() => null);
    return answer !== null && !answer?.isError;
  }

  return {
    host,
    call: async (name, args) => readResult(await request("tools/call", { name, arguments: args })),
    openLink: (url) => ask("ui/open-link", { url }),
    sayToModel: (text) => ask("ui/message", { role: "user", content: [{ type: "text", text }] }),
    download: (uri, name) =>
      ask("ui/download-file", {
        contents: [{ type: "resource_link", uri, name, mimeType: "video/mp4" }],
      }),
    show: async (mode) => {
      const answer = await request("ui/request-display-mode", { mode }).catch(() => null);
      host.mode = textOf(answer?.mode) || host.mode;
    },
    resized: () => {
      const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
      const params = { width: window.innerWidth, height };
      if (!ended) post({ method: "ui/notifications/size-changed", params });
    },
    signedIn: false,
    signIn: () => undefined,
  };
}

// ---- By itself: MCP over HTTP with the server that the page came from, one POST for each call.

const TOKEN = "hailuo-token";
const MCP = "io.modelcontextprotocol/";
/** What the address says to the page alone: a token, and the tasks of `hailuo-mcp gallery ID`. */
const address = new URLSearchParams(location.hash.slice(1));

/** @returns {Connection} */
function connectDirectly() {
  const given = address.get("token");
  let token = keptToken(given || undefined);
  // Another address of this page, pasted over this one, loads nothing by itself.
  addEventListener("hashchange", () => location.reload());
  if (given) {
    address.delete("token"); // before anybody sees it
    history.replaceState(null, "", `${location.pathname}${location.search}#${address}`.replace(/#$/, ""));
  }

  /** @param {string} name @param {object} args @returns {Promise<Reply>} */
  async function call(name, args) {
    const method = "tools/call";
    const _meta = {
      [`${MCP}protocolVersion`]: MCP_PROTOCOL,
      [`${MCP}clientInfo`]: PAGE,
      [`${MCP}clientCapabilities`]: {
        extensions: { [`${MCP}ui`]: { mimeTypes: ["text/html;profile=mcp-app"] } },
      },
    };
    const params = { name, arguments: args, _meta };
    /** @type {Record<string, string>} */
    const headers = {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": MCP_PROTOCOL,
      "Mcp-Method": method,
      "Mcp-Name": name,
    };
    if (token) headers.Authorization = `Bearer ${token}`;
    let response, text;
    try {
      // Relative to the page: behind a proxy both may be below another path.
      response = await fetch("mcp", {
        method: "POST",
        headers,
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        signal: AbortSignal.timeout(MOST_SECONDS * 1000),
        credentials: "omit",
        redirect: "error",
      });
      text = await response.text();
    } catch {
      throw new Trouble("away", true);
    }
    const { result, error } = answerIn(text);
    if (result) return readResult(result);
    throw error && response.status !== 401 ? troubleOf(error, true) : troubleOfStatus(response);
  }

  return {
    host: {
      present: false,
      locale: navigator.language,
      opensLinks: true,
      downloads: true,
      takesMessages: false,
      modes: [],
      mode: "fullscreen",
      context: {},
    },
    call,
    openLink: async (url) => {
      window.open(url, "_blank", "noopener");
      return true;
    },
    sayToModel: async () => false,
    download: async (href, download) => {
      make("a", { href, download }).click();
      return true;
    },
    show: async () => undefined,
    resized: () => undefined,
    get signedIn() {
      return token !== "";
    },
    signIn: (given) => {
      // Anything else could not stand in a header.
      token = keptToken(/^[\x21-\x7e]*$/.test(given) ? given : "");
    },
  };
}

/** For this tab only; where a browser keeps nothing, for this page. @param {string} [token] - A new one. */
function keptToken(token) {
  try {
    if (token !== undefined) sessionStorage.setItem(TOKEN, token);
    return sessionStorage.getItem(TOKEN) ?? "";
  } catch {
    return token ?? "";
  }
}

/** The JSON-RPC answer in a body: plain, or as an event of a stream. @param {string} text @returns {any} */
function answerIn(text) {
  const messages = text.split(/\r?\n/).map((line) => objectIn(line.replace(/^data:/, "")));
  return messages.find(({ jsonrpc, method }) => jsonrpc === "2.0" && !method) ?? {};
}

/** @param {Response} response */
function troubleOfStatus({ status, headers }) {
  const wait = Number(headers.get("Retry-After")) || 0;
  // A wall names the way in; an access that was withdrawn in the middle of a call does not.
  if (status === 401) return new Trouble("sign_in", !headers.has("WWW-Authenticate"));
  if (status === 403) return new Trouble("forbidden", false);
  if (status === 404) return new Trouble("missing", false);
  // What is behind a proxy that gave up (502, 504) may have done it; so may the server that says
  // 500. Its walls answer 503 before anything is run, but so may a proxy afterwards.
  const away = status === 429 || status >= 500;
  return new Trouble(away ? "away" : "odd", status < 400 || status >= 500, wait);
}
