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
 * @property {(mode: string) => Promise<string>} show - Asks for a mode; resolves with the mode it
 *   is shown in then.
 * @property {() => void} resized
 * @property {boolean} signedIn - A token is kept for this tab.
 * @property {(token: string) => void} signIn
 * @property {() => void} signOut
 *
 * @typedef {Object} Events - What the host tells by itself.
 * @property {(args: any) => void} asked - What the tool was called with; it has not answered yet.
 * @property {(reply: Reply) => void} answered
 * @property {(reason: string) => void} cancelled
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
   * @param {"away" | "late" | "ended" | "missing" | "sign_in" | "forbidden" | "busy" | "odd"} kind
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
function connect(events) {
  return window.parent === window ? Promise.resolve(connectDirectly()) : connectToHost(events);
}

/**
 * A tool's result as the page reads it; never throws, whatever came.
 * @param {any} result
 * @returns {Reply}
 */
function readResult(result) {
  const parts = Array.isArray(result?.content) ? result.content.filter(isObject) : [];
  const texts = parts.filter((/** @type {any} */ part) => typeof part.text === "string");
  const text = texts.map((/** @type {any} */ part) => part.text).join("\n");
  let answer = result?.structuredContent;
  // Some hosts pass on only the text, which is the same object as JSON.
  if (!isObject(answer)) answer = text.startsWith("{") ? objectIn(text) : {};
  const error = result?.isError ? readError(answer, text) : null;
  const pictures = parts.filter(
    (/** @type {any} */ part) => part.type === "image" && typeof part.data === "string",
  );
  return { answer, text, pictures, error };
}

/** @param {any} answer @param {string} text */
function readError(answer, text) {
  const facts = isObject(answer.error) ? answer.error : {};
  const message = typeof answer.message === "string" ? answer.message : text;
  const [code, charged, taskId] = [facts.code, facts.charged, facts.task_id].map(
    (fact) => (typeof fact === "string" ? fact : ""),
  );
  return { code, charged, taskId, message };
}

/** @param {any} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {string} text */
function objectIn(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * @param {string} method
 * @param {any} error - A JSON-RPC error.
 */
function troubleOf(method, error) {
  // Only these say that nothing was run; a host's own time limit, for one, is another code.
  const unknown = error?.code === -32601 || error?.code === -32602;
  return new Trouble(unknown ? "missing" : "odd", method === "tools/call" && !unknown);
}

// ---- Through the host (MCP Apps): JSON-RPC over postMessage with the window around this one.

/**
 * @param {Events} events
 * @returns {Promise<Connection>}
 */
async function connectToHost(events) {
  /** @type {Map<number, {method: string, done: (result: any) => void, fail: (trouble: Trouble) => void}>} */
  const pending = new Map();
  let last = 0;
  let ended = false;
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

  /** @param {object} message */
  function post(message) {
    // The host's origin is not known to the page, and differs between hosts.
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  /**
   * @param {string} method
   * @param {object} params
   * @param {number} [seconds] - 0: as long as it takes.
   * @returns {Promise<any>}
   */
  function request(method, params, seconds = MOST_SECONDS) {
    return new Promise((done, fail) => {
      if (ended) return fail(new Trouble("ended", false));
      const id = ++last;
      const late = () => {
        if (pending.delete(id)) fail(new Trouble("late", method === "tools/call"));
      };
      const timer = seconds ? setTimeout(late, seconds * 1000) : 0;
      const settle = (/** @type {(value: any) => void} */ how) => (/** @type {any} */ value) => {
        clearTimeout(timer);
        how(value);
      };
      pending.set(id, { method, done: settle(done), fail: settle(fail) });
      post({ id, method, params });
    });
  }

  /** @param {any} context */
  function readContext(context) {
    if (!isObject(context)) return;
    host.context = { ...host.context, ...context };
    if (typeof context.locale === "string") host.locale = context.locale;
    if (typeof context.displayMode === "string") host.mode = context.displayMode;
    if (Array.isArray(context.availableDisplayModes)) host.modes = context.availableDisplayModes;
  }

  function end() {
    ended = true;
    events.ending();
    for (const { method, fail } of pending.values()) {
      fail(new Trouble("ended", method === "tools/call"));
    }
    pending.clear();
  }

  /** @type {Record<string, (params: any) => void>} */
  const notifications = {
    "ui/notifications/tool-input": (params) => events.asked(params.arguments),
    "ui/notifications/tool-result": (params) => events.answered(readResult(params)),
    "ui/notifications/tool-cancelled": (params) =>
      events.cancelled(typeof params.reason === "string" ? params.reason : ""),
    "ui/notifications/host-context-changed": (params) => {
      readContext(params);
      events.looks();
    },
  };

  addEventListener("message", (event) => {
    const message = event.data;
    if (event.source !== window.parent || !isObject(message) || message.jsonrpc !== "2.0") return;
    const { id, method } = message;
    if (typeof method !== "string") {
      const call = pending.get(id);
      if (!call || !("result" in message || isObject(message.error))) return;
      pending.delete(id);
      if ("result" in message) call.done(message.result);
      else call.fail(troubleOf(call.method, message.error));
    } else if (id === undefined) {
      const params = isObject(message.params) ? message.params : {};
      if (Object.hasOwn(notifications, method)) notifications[method](params);
    } else if (method === "ping") {
      post({ id, result: {} });
    } else if (method === "ui/resource-teardown") {
      end();
      post({ id, result: {} });
    } else {
      post({ id, error: { code: -32601, message: "The page has no such method." } });
    }
  });

  const wanted = { availableDisplayModes: ["inline", "fullscreen"] };
  const told = await request(
    "ui/initialize",
    { protocolVersion: UI_PROTOCOL, appInfo: PAGE, appCapabilities: wanted },
    0,
  );
  const can = isObject(told?.hostCapabilities) ? told.hostCapabilities : {};
  host.opensLinks = isObject(can.openLinks);
  host.downloads = isObject(can.downloadFile);
  host.takesMessages = isObject(can.message);
  readContext(told?.hostContext);
  post({ method: "ui/notifications/initialized", params: {} });

  /**
   * @param {string} method
   * @param {object} params
   * @returns {Promise<boolean>} Whether the host did it.
   */
  async function ask(method, params) {
    try {
      return !(await request(method, params))?.isError;
    } catch {
      return false;
    }
  }

  return {
    host,
    call: async (name, args) => readResult(await request("tools/call", { name, arguments: args })),
    openLink: (url) => ask("ui/open-link", { url }),
    sayToModel: (text) =>
      ask("ui/message", { role: "user", content: [{ type: "text", text }] }),
    download: (uri, name) =>
      ask("ui/download-file", {
        contents: [{ type: "resource_link", uri, name, mimeType: "video/mp4" }],
      }),
    show: async (mode) => {
      const answer = await request("ui/request-display-mode", { mode }).catch(() => null);
      if (typeof answer?.mode === "string") host.mode = answer.mode;
      return host.mode;
    },
    resized: () => {
      const { height } = document.documentElement.getBoundingClientRect();
      const size = { width: window.innerWidth, height: Math.ceil(height) };
      if (!ended) post({ method: "ui/notifications/size-changed", params: size });
    },
    signedIn: false,
    signIn: () => undefined,
    signOut: () => undefined,
  };
}

// ---- By itself: MCP over HTTP with the server that the page came from, one POST for each call.

const TOKEN = "hailuo-token";

/** @returns {Connection} */
function connectDirectly() {
  let token = takeToken() || kept();
  let last = 0;

  /** @param {string} name @param {object} args @returns {Promise<Reply>} */
  async function call(name, args) {
    const id = ++last;
    const meta = {
      "io.modelcontextprotocol/protocolVersion": MCP_PROTOCOL,
      "io.modelcontextprotocol/clientInfo": PAGE,
      "io.modelcontextprotocol/clientCapabilities": {
        extensions: {
          "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] },
        },
      },
    };
    const params = { name, arguments: args, _meta: meta };
    /** @type {Record<string, string>} */
    const headers = {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": MCP_PROTOCOL,
      "Mcp-Method": "tools/call",
      "Mcp-Name": name,
    };
    if (token) headers.Authorization = `Bearer ${token}`;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
    const signal = AbortSignal.timeout(MOST_SECONDS * 1000);
    let response, text;
    try {
      // Relative to the page: behind a proxy both may be below another path.
      response = await fetch("mcp", {
        method: "POST", headers, body, signal, credentials: "omit", redirect: "error",
      });
      text = await response.text();
    } catch {
      throw new Trouble(signal.aborted ? "late" : "away", true);
    }
    const answer = answerIn(text, response.headers.get("Content-Type") ?? "", id);
    if (answer && "result" in answer) return readResult(answer.result);
    if (answer && isObject(answer.error) && response.status !== 401) {
      throw troubleOf("tools/call", answer.error);
    }
    throw troubleOfStatus(response);
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
    openLink: async (url) => window.open(url, "_blank", "noopener") !== undefined,
    sayToModel: async () => false,
    download: async (url, name) => {
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      return true;
    },
    show: async () => "fullscreen",
    resized: () => undefined,
    get signedIn() {
      return token !== "";
    },
    signIn: (given) => {
      token = keep(given);
    },
    signOut: () => {
      token = keep("");
    },
  };
}

/** The token in the address, which no server ever sees there; it is removed from it at once. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1));
  const token = given.get("token") ?? "";
  if (!token) return "";
  given.delete("token");
  const rest = `${given}`;
  history.replaceState(null, "", location.pathname + location.search + (rest && `#${rest}`));
  return keep(token);
}

/** What the address names: `hailuo-mcp gallery ID` shows only these. @returns {string[]} */
function namedTasks() {
  const given = new URLSearchParams(location.hash.slice(1)).get("tasks") ?? "";
  return given.split(",").filter(Boolean);
}

/** For this tab only; where a browser keeps nothing, for this page. @param {string} token */
function keep(token) {
  // Anything else could not stand in a header.
  const plain = /^[\x21-\x7e]+$/.test(token) ? token : "";
  try {
    if (plain) sessionStorage.setItem(TOKEN, plain);
    else sessionStorage.removeItem(TOKEN);
  } catch {
    // Storage is switched off.
  }
  return plain;
}

function kept() {
  try {
    return sessionStorage.getItem(TOKEN) ?? "";
  } catch {
    return "";
  }
}

/**
 * The JSON-RPC answer in a body: plain, or as an event of a stream.
 * @param {string} text
 * @param {string} type
 * @param {number} id
 * @returns {any}
 */
function answerIn(text, type, id) {
  if (!type.startsWith("text/event-stream")) {
    const answer = type.startsWith("application/json") ? objectIn(text) : {};
    return answer.jsonrpc === "2.0" ? answer : null;
  }
  const events = text.split(/\r?\n\r?\n/).map((event) =>
    event.split(/\r?\n/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trim())
      .join("\n"),
  );
  return events.map(objectIn).find((message) => message.id === id && !message.method) ?? null;
}

/** @param {Response} response */
function troubleOfStatus(response) {
  const wait = Number(response.headers.get("Retry-After")) || 0;
  const { status } = response;
  // A wall names the way in; an access that was withdrawn in the middle of a call does not.
  if (status === 401) return new Trouble("sign_in", !response.headers.has("WWW-Authenticate"));
  if (status === 403) return new Trouble("forbidden", false);
  if (status === 429) return new Trouble("busy", false, wait);
  // A proxy that gave up (502, 504) cannot say what the server behind it did; nor can this one's
  // own 500. Its walls answer 503 before anything is run, but so may a proxy afterwards.
  if (status === 503) return new Trouble("busy", true, wait);
  if (status >= 500) return new Trouble("away", true);
  return new Trouble(status === 404 ? "missing" : "odd", status < 400);
}
