// The host's page: the official AppBridge, with what a person or a model would do beside it as functions.
import { AppBridge, PostMessageTransport, buildAllowAttribute } from "@modelcontextprotocol/ext-apps/app-bridge";

/** What the page asked of its host. */
const asked = { messages: [], links: [], downloads: [], sizes: [], modes: [], logs: [], contexts: [] };
let bridge = null;
let frame = null;
let current = {};

window.host = { asked, open, change, give, teardown, height: () => frame.clientHeight };

/** Show a page as a host does when a tool that is bound to it was called. */
async function open({ proxy, resource, capabilities, context, input, result }) {
  const ui = resource._meta?.ui ?? {};
  current = context;
  frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
  frame.setAttribute("title", "Sandbox of the server's page");
  frame.setAttribute("allow", buildAllowAttribute(ui.permissions));
  const address = new URL(proxy);
  address.searchParams.set("csp", JSON.stringify(ui.csp ?? {}));
  document.body.classList.toggle("dark", context.theme === "dark");
  frame.style.colorScheme = context.theme;
  document.body.append(frame);

  bridge = new AppBridge(
    null,
    { name: "trial-host", version: "1.0.0" },
    { ...capabilities, sandbox: { csp: ui.csp, permissions: ui.permissions } },
    { hostContext: context },
  );
  bridge.oncalltool = (params) => window.callTool(params);
  bridge.onreadresource = (params) => window.readResource(params);
  bridge.onsizechange = (size) => {
    asked.sizes.push(size);
    if (size.height) frame.style.height = `${size.height}px`;
  };
  bridge.onmessage = async (params) => (asked.messages.push(params), {});
  bridge.onopenlink = async (params) => (asked.links.push(params), {});
  bridge.ondownloadfile = async (params) => (asked.downloads.push(params), {});
  bridge.onupdatemodelcontext = async (params) => (asked.contexts.push(params), {});
  bridge.onloggingmessage = (params) => asked.logs.push(params);
  bridge.onrequestdisplaymode = async ({ mode }) => {
    asked.modes.push(mode);
    change({ displayMode: mode });
    return { mode };
  };
  const proxyReady = new Promise((resolve) => (bridge.onsandboxready = resolve));
  const pageReady = new Promise((resolve) => (bridge.oninitialized = resolve));
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.src = address.href;
  await proxyReady;
  await bridge.sendSandboxResourceReady({ html: resource.text, csp: ui.csp, permissions: ui.permissions });
  await pageReady;
  await bridge.sendToolInput({ arguments: input });
  if (result) await bridge.sendToolResult(result);
  return bridge.getAppVersion();
}

/** The result of a call that took longer than the page needed to open. */
async function give(result) {
  await bridge.sendToolResult(result);
}

function change(context) {
  current = { ...current, ...context };
  if (context.theme) {
    document.body.classList.toggle("dark", context.theme === "dark");
    frame.style.colorScheme = context.theme;
  }
  bridge.setHostContext(current);
}

async function teardown() {
  await bridge.teardownResource({});
}
