// What one can do with a clip or a film: its buttons, and the confirmation of what costs money.

/**
 * @typedef {Object} Gallery
 * @property {Connection} connection
 * @property {Map<string, any>} cards - Card of cards.py, by id.
 * @property {Map<string, any>} films - FilmCard of cards.py, by id.
 * @property {any} spending
 * @property {boolean} mayBuy
 * @property {() => void} draw
 * @property {(ids: string[]) => any} refresh
 * @property {(reply: Reply) => any} add
 *
 * @typedef {Object} Offer - What the person is asked to buy; it does not change while they read.
 * @property {string} action - The button that opened it.
 * @property {string} question
 * @property {any} price
 * @property {string} tool
 * @property {Record<string, any>} args
 */

const ICONS = {
  preview: "M2 3h12v10H2zM2 8h12M6 3v10M10 3v10",
  frame: "M2 4h8v8H2zM13 3v10",
  copy: "M6 2h8v9H6zM10 11v3H2V5h4",
  folder: "M2 4h4l2 2h6v7H2z",
  save: "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  fetch: "M13 8a5 5 0 1 1-1.5-3.5M13 1.5v3.2H9.8",
  again: "M8 3v10M3 8h10",
  upgrade: "M8 13V3M3.5 7.5 8 3l4.5 4.5",
};

/** What is being done, as "action id": asked for once, however often it is clicked. */
const busy = new Set();
/** Below a card's buttons: a confirmation, or what an action came to. @type {Map<string, HTMLElement>} */
const panels = new Map();

/** @param {string} path */
function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS(svg.namespaceURI, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/**
 * @param {string} tag
 * @param {string} name - Its class.
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

/** The card as it is now. @param {Gallery} gallery @param {string} id */
function latest(gallery, id) {
  return gallery.cards.get(id) ?? gallery.films.get(id);
}

/** @param {any} card */
function isPlayable(card) {
  return card.status === "succeeded" && Boolean(card.saved || card.url);
}

/**
 * @param {Gallery} gallery
 * @param {any} card - A card or a film.
 * @returns {HTMLElement[]}
 */
function actionButtons(gallery, card) {
  const { host } = gallery.connection;
  /** @type {HTMLElement[]} */
  const buttons = [];
  /**
   * @param {string} action
   * @param {string} path
   * @param {string} words
   * @param {(card: any) => unknown} act
   */
  function add(action, path, words, act) {
    const button = make("button", "quiet", icon(path), make("span", "", words));
    button.setAttribute("type", "button");
    button.dataset.do = action;
    if (busy.has(`${action} ${card.id}`)) button.setAttribute("aria-disabled", "true");
    button.addEventListener("click", () => {
      const now = latest(gallery, card.id);
      if (now && !busy.has(`${action} ${card.id}`)) act(now);
    });
    buttons.push(button);
    return button;
  }

  if (isPlayable(card)) {
    add("preview", ICONS.preview, say("preview"), (now) => showPreview(gallery.connection, now));
  }
  if (card.frame) add("frame", ICONS.frame, say("lastFrame"), (now) => useFrame(gallery, now));
  if (card.fetch) {
    const words = say(busy.has(`fetch ${card.id}`) ? "fetching" : "fetch");
    add("fetch", ICONS.fetch, words, (now) => fetchAgain(gallery, now));
  }
  if (card.file) {
    add("copy", ICONS.copy, say("copyPath"), (now) => copyText(now.id, now.file));
    if (host.present && host.opensLinks) {
      add("folder", ICONS.folder, say("openFolder"), (now) => openFolder(gallery, now));
    }
  }
  if (card.url && (host.downloads || host.opensLinks)) {
    add("save", ICONS.save, say(host.downloads ? "save" : "openLink"), (now) => save(gallery, now));
  }
  if (gallery.mayBuy && card.again?.take) {
    const { price } = card.again;
    const words = price ? say("again", { price: amountText(price) }) : say("againPlain");
    add("again", ICONS.again, words, (now) => ask(gallery, now, takeOffer(now))).className = "buy";
  }
  if (gallery.mayBuy && card.upgrade?.resolution) {
    const { price, resolution } = card.upgrade;
    const size = plainLine(resolution);
    const words = price
      ? say("upgradeTo", { size, price: amountText(price) })
      : say("upgradePlain", { size });
    const button = add("upgrade", ICONS.upgrade, words, (now) =>
      ask(gallery, now, upgradeOffer(now)),
    );
    button.className = "buy";
  }
  return buttons;
}

/** Where a card shows its confirmations and outcomes; the same element as long as the page lives. @param {string} id */
function panelOf(id) {
  let panel = panels.get(id);
  if (!panel) {
    panel = make("div", "panel");
    panel.hidden = true;
    panels.set(id, panel);
  }
  return panel;
}

/**
 * @param {string} id
 * @param {"" | "good" | "bad"} tone
 * @param {...string} sentences
 */
function tell(id, tone, ...sentences) {
  const panel = panelOf(id);
  panel.className = `panel ${tone}`;
  panel.removeAttribute("role");
  panel.onkeydown = null;
  const said = sentences.filter(Boolean);
  panel.replaceChildren(...said.map((sentence) => make("p", "", plainText(sentence))));
  panel.hidden = false;
  announce(said.join(" "));
  return panel;
}

// ---- Free actions

/** @param {string} id @param {string} text */
async function copyText(id, text) {
  const done = await writeClipboard(text);
  tell(id, "", say(done ? "copied" : "notCopied", { text: plainLine(text) }));
}

/** @param {string} text */
async function writeClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Frames are often not allowed to; this older way they mostly are.
    const back = /** @type {HTMLElement | null} */ (document.activeElement);
    const area = document.createElement("textarea");
    area.className = "hidden";
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    back?.focus({ preventScroll: true });
    return done;
  }
}

/** @param {Gallery} gallery @param {any} card */
async function useFrame(gallery, card) {
  const { connection } = gallery;
  const text = say("frameMessage", { frame: card.frame });
  if (connection.host.takesMessages && (await connection.sayToModel(text))) {
    tell(card.id, "good", say("frameSaid", { text }));
  } else {
    await copyText(card.id, card.frame);
  }
}

/** The folder of a file as a link. @param {string} file */
function folderLink(file) {
  const parts = file.replaceAll("\\", "/").split("/").slice(0, -1);
  const path = parts.map((part, at) => (at === 0 ? part : encodeURIComponent(part))).join("/");
  // C:/… needs a third slash; //server/share has its own two.
  return path.startsWith("//") ? `file:${path}/` : `file://${path.startsWith("/") ? "" : "/"}${path}/`;
}

/** @param {Gallery} gallery @param {any} card */
async function openFolder(gallery, card) {
  const opened = await gallery.connection.openLink(folderLink(card.file));
  if (!opened) tell(card.id, "", say("notOpened", { text: plainLine(card.file) }));
}

/** @param {Gallery} gallery @param {any} card */
async function save(gallery, card) {
  const { connection } = gallery;
  const name = (card.file ?? "").split(/[\\/]/).pop() || `${card.id}.mp4`;
  const done = connection.host.downloads
    ? await connection.download(card.url, name)
    : await connection.openLink(card.url);
  if (!done) tell(card.id, "bad", say("notSaved"));
}

/** @param {Gallery} gallery @param {any} card */
async function fetchAgain(gallery, card) {
  const key = `fetch ${card.id}`;
  busy.add(key);
  gallery.draw();
  try {
    const reply = await gallery.connection.call("download_video", { task_id: card.id });
    if (reply.error) {
      const told = failureText(reply.error.code);
      serverSays(tell(card.id, "bad", say("fetchFailed"), told?.what ?? ""), reply.error.message);
    } else {
      const saved = reply.answer.status === "saved";
      tell(card.id, "good", say(saved ? "fetched" : "fetching"));
    }
    await gallery.refresh([card.id]);
  } catch {
    tell(card.id, "bad", say("fetchFailed"));
  } finally {
    busy.delete(key);
    gallery.draw();
  }
}

// ---- Buying

/** @param {any} card @returns {Offer} */
function takeOffer(card) {
  const { take, price } = card.again;
  return {
    action: "again",
    question: say(price ? "askTake" : "askTakePlain", { take, price: amountText(price) }),
    price,
    tool: "retake_video",
    args: { task_id: card.id, take },
  };
}

/** @param {any} card @returns {Offer} */
function upgradeOffer(card) {
  const { resolution, price } = card.upgrade;
  const size = plainLine(resolution);
  return {
    action: "upgrade",
    question: say(price ? "askUpgrade" : "askUpgradePlain", { size, price: amountText(price) }),
    price,
    tool: "upgrade_video",
    args: { task_id: card.id, resolution },
  };
}

/**
 * Ask for the person's yes in the card.
 * @param {Gallery} gallery
 * @param {any} card
 * @param {Offer} offer
 */
function ask(gallery, card, offer) {
  const panel = panelOf(card.id);
  const { spending } = gallery;
  const question = make("p", "question", offer.question);
  const notes = [];
  if (!offer.price) notes.push(say("askUnpriced"));
  else if (offer.price.lower_bound) notes.push(say("askAtLeast"));
  if (card.sandbox) notes.push(say("askSandbox"));
  else if (spending?.left && spending.budget) {
    const { unit } = spending;
    const [left, budget] = [spending.left, spending.budget].map((amount) =>
      amountText({ amount, unit }),
    );
    notes.push(say("askLeft", { left, budget }));
  }
  const note = make("p", "", notes.join(" "));
  const yes = make("button", "strong", say("buy"));
  const no = make("button", "quiet", say("notNow"));
  for (const button of [yes, no]) button.setAttribute("type", "button");
  question.id = `q-${card.id}`;
  note.id = `n-${card.id}`;
  panel.className = "panel ask";
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-labelledby", question.id);
  panel.setAttribute("aria-describedby", note.id);
  panel.tabIndex = -1;
  panel.replaceChildren(question, note, make("div", "row", yes, no));
  panel.hidden = false;
  panel.onkeydown = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      closePanel(card.id, offer.action);
    } else if (event.key === "Tab") {
      event.preventDefault();
      (document.activeElement === yes ? no : yes).focus();
    }
  };
  no.addEventListener("click", () => closePanel(card.id, offer.action));
  yes.addEventListener("click", () => buy(gallery, card, offer));
  // Not on "Buy": a key held down a moment too long would press it.
  panel.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
}

/** @param {string} id @param {string} action - Whose button gets the focus back. */
function closePanel(id, action) {
  const panel = panelOf(id);
  if (busy.has(`${action} ${id}`)) return;
  panel.hidden = true;
  panel.replaceChildren();
  panel.onkeydown = null;
  focusAction(id, action);
}

/** @param {string} id @param {string} action */
function focusAction(id, action) {
  const card = panelOf(id).closest("[data-id]");
  const button = card?.querySelector(`[data-do="${action}"]`) ?? card?.querySelector("[data-do]");
  /** @type {HTMLElement | null | undefined} */ (button)?.focus({ preventScroll: true });
}

/**
 * Buy what the person agreed to; sent once.
 * @param {Gallery} gallery
 * @param {any} card
 * @param {Offer} offer
 */
async function buy(gallery, card, offer) {
  const key = `${offer.action} ${card.id}`;
  if (busy.has(key)) return;
  busy.add(key);
  const panel = panelOf(card.id);
  const hadFocus = panel.contains(document.activeElement);
  for (const button of panel.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  const [yes] = panel.querySelectorAll("button");
  yes.textContent = say("buying");
  gallery.draw();
  let ids = [card.id];
  try {
    const reply = await agreed(gallery, offer);
    if (reply.error) {
      tellRefusal(card.id, reply.error);
    } else {
      gallery.add(reply);
      ids = [card.id, reply.answer.task_id ?? ""].filter(Boolean);
      tell(card.id, "good", say(reply.answer.reused ? "alreadyBought" : "bought"));
    }
  } catch (trouble) {
    tellTrouble(card.id, trouble);
  } finally {
    busy.delete(key);
    gallery.draw();
    if (hadFocus && !panel.contains(document.activeElement)) focusAction(card.id, offer.action);
  }
  // Only looks; after an unclear answer this is how a clip that was bought is found.
  await Promise.resolve(gallery.refresh(ids)).catch(() => undefined);
}

/**
 * The call, with the code of a refusal that wants the yes which was given a moment ago.
 * @param {Gallery} gallery
 * @param {Offer} offer
 */
async function agreed(gallery, offer) {
  const args = { ...offer.args, max_cost: Number(offer.price?.amount ?? 0) };
  const reply = await gallery.connection.call(offer.tool, args);
  if (reply.error?.code !== "consent_required") return reply;
  const confirm = /confirm='([^']+)'/.exec(reply.error.message)?.[1];
  return confirm ? gallery.connection.call(offer.tool, { ...args, confirm }) : reply;
}

const REFUSED = {
  budget_exceeded: "refusedOver",
  insufficient_balance: "refusedBalance",
  rate_limited: "refusedRate",
  not_permitted: "refusedPermit",
  quota_exceeded: "refusedPlan",
};

/** @param {string} id @param {NonNullable<Reply["error"]>} error */
function tellRefusal(id, error) {
  const { code, charged, message } = error;
  // Without a code it is the host's own refusal, or something between here and the server.
  const unsure = charged === "maybe" || !code;
  const key = Object.hasOwn(REFUSED, code) ? REFUSED[/** @type {"rate_limited"} */ (code)] : "";
  const reason = key ? say(key) : (failureText(code)?.what ?? "");
  const money = unsure
    ? say("unsure")
    : say(charged === "yes" ? "chargedYes" : "chargedNo");
  const panel = tell(id, "bad", say(unsure ? "boughtUnsure" : "notBought"), reason, money);
  serverSays(panel, message, !reason);
}

/** @param {string} id @param {any} trouble - A Trouble, or what nobody expected. */
function tellTrouble(id, trouble) {
  if (trouble?.unsure !== false) tell(id, "bad", say("boughtUnsure"), say("unsure"));
  else if (trouble.kind === "forbidden") tell(id, "bad", say("notBought"), say("refusedPermit"), say("chargedNo"));
  else if (trouble.kind === "busy") tell(id, "bad", say("notBought"), say("refusedRate"), say("chargedNo"));
  else tell(id, "bad", say("notBought"), say("unreached"), say("chargedNo"));
}

/**
 * The server's own sentences, which are English and written for a model.
 * @param {HTMLElement} panel
 * @param {string} message
 * @param {boolean} [open]
 */
function serverSays(panel, message, open = false) {
  if (!message) return;
  const details = make("details", "", make("summary", "", say("details")), make("p", "", plainText(message)));
  details.toggleAttribute("open", open);
  panel.append(details);
}
