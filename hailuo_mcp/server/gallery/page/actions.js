// What one can do with a clip or a film: its buttons, and the confirmation of what costs money.

/**
 * @typedef {Object} Gallery
 * @property {Connection} connection
 * @property {Map<string, any>} cards - Card of cards.py, by id.
 * @property {Map<string, any>} films - FilmCard of cards.py, by id.
 * @property {any} spending
 * @property {boolean} mayBuy
 * @property {() => void} draw
 * @property {(ids?: string[]) => Promise<void>} refresh
 * @property {(reply: Reply) => void} add
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
  lastFrame: "M2 4h8v8H2zM13 3v10",
  copyPath: "M6 2h8v9H6zM10 11v3H2V5h4",
  openFolder: "M2 4h4l2 2h6v7H2z",
  save: "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  fetch: "M13 8a5 5 0 1 1-1.5-3.5M13 1.5v3.2H9.8",
  again: "M8 3v10M3 8h10",
  upgradeTo: "M8 13V3M3.5 7.5 8 3l4.5 4.5",
};

/** What is being done, as "action id": asked for once, however often it is clicked. */
const busy = new Set();
/** Below a card's buttons: a confirmation, or what came of an action. @type {Map<string, HTMLElement>} */
const panels = new Map();

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
  const { connection, mayBuy } = gallery;
  const { host } = connection;
  const { again, upgrade, id } = card;
  const takes = mayBuy && again?.take;
  const upgrades = mayBuy && upgrade?.resolution;
  const folder = host.present && host.opensLinks && card.file;
  const saves = card.url && (host.downloads || host.opensLinks);
  const fetching = busy.has(`fetch ${id}`) ? say("fetching") : say("fetch");
  /** @type {[string, any, string, (card: any) => unknown][]} */
  const all = [
    ["preview", isPlayable(card), say("preview"), (now) => showPreview(connection, now)],
    ["lastFrame", card.frame, say("lastFrame"), (now) => useFrame(gallery, now)],
    ["fetch", card.fetch, fetching, (now) => fetchAgain(gallery, now)],
    ["copyPath", card.file, say("copyPath"), (now) => copyText(id, now.file)],
    ["openFolder", folder, say("openFolder"), (now) => openFolder(gallery, now)],
    ["save", saves, say(host.downloads ? "save" : "openLink"), (now) => save(gallery, now)],
    ["again", takes, offerText("again", again), (now) => ask(gallery, now, takeOffer(now))],
    ["upgradeTo", upgrades, offerText("upgradeTo", upgrade), (now) => ask(gallery, now, upgradeOffer(now))],
  ];
  return all.filter(([, there]) => there).map(([action, , words, act]) => {
    const name = action === "again" || action === "upgradeTo" ? "buy" : "quiet";
    const path = ICONS[/** @type {"again"} */ (action)];
    const button = actionButton(action, name, icon(path), make("span", "", words));
    if (busy.has(`${action} ${id}`)) button.setAttribute("aria-disabled", "true");
    button.addEventListener("click", () => {
      const now = latest(gallery, id);
      if (now && !busy.has(`${action} ${id}`)) act(now);
    });
    return button;
  });
}

/** @param {string} key @param {any} offered - With its price. */
function offerText(key, offered) {
  return say(key, { size: plainLine(offered?.resolution), price: amountText(offered?.price) });
}

/** The same element as long as the page lives. @param {string} id */
function panelOf(id) {
  const panel = panels.get(id) ?? make("div", { class: "panel", hidden: "hidden" });
  panels.set(id, panel);
  return panel;
}

/**
 * Say below the buttons what came of an action.
 * @param {string} id
 * @param {"" | "good" | "bad"} tone
 * @param {string[]} sentences
 */
function tell(id, tone, ...sentences) {
  const panel = panelOf(id);
  const said = sentences.filter(Boolean);
  panel.className = `panel ${tone}`;
  panel.removeAttribute("role");
  panel.onkeydown = null;
  panel.replaceChildren(...said.map((sentence) => make("p", "", sentence)));
  panel.hidden = false;
  announce(said.join(" "));
}

/** The server's own sentences, which are English. @param {unknown} message @param {boolean} [open] */
function serverSays(message, open = false) {
  const text = plainText(message);
  const words = make("p", { lang: "en", dir: "auto" }, text);
  const details = make("details", "", make("summary", "", say("details")), words);
  details.toggleAttribute("open", open);
  return text && details;
}

// ---- What is free

/** @param {string} id @param {string} text */
async function copyText(id, text) {
  tell(id, "", say((await toClipboard(text)) ? "copied" : "notCopied", { text: plainLine(text) }));
}

/** @param {string} text */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Frames are often not allowed to; this older way they mostly are.
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const area = /** @type {HTMLTextAreaElement} */ (make("textarea", "hidden"));
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    before?.focus({ preventScroll: true });
    return done;
  }
}

/** @param {Gallery} gallery @param {any} card */
async function useFrame({ connection }, card) {
  const text = say("frameMessage", { frame: card.frame });
  if (connection.host.takesMessages && (await connection.sayToModel(text))) {
    tell(card.id, "good", say("frameSaid", { text }));
  } else {
    await copyText(card.id, card.frame);
  }
}

/** The folder of a file, on any system, as a link. @param {string} file */
function folderLink(file) {
  const parts = /^([a-z]:|\\\\)/i.test(file) ? file.split(/[\\/]/) : file.split("/");
  const path = parts.slice(0, -1).map(encodeURIComponent).join("/").replace(/^([a-z])%3A/i, "/$1:");
  return `file:${path.startsWith("//") ? "" : "//"}${path}/`;
}

/** @param {Gallery} gallery @param {any} card */
async function openFolder({ connection }, card) {
  if (await connection.openLink(folderLink(card.file))) return;
  tell(card.id, "", say("notOpened", { text: plainLine(card.file) }));
}

/** @param {Gallery} gallery @param {any} card */
async function save({ connection }, card) {
  const name = (card.file ?? "").split(/[\\/]/).pop() || `${card.id}.mp4`;
  const done = connection.host.downloads
    ? await connection.download(card.url, name)
    : await connection.openLink(card.url);
  if (!done) tell(card.id, "bad", say("notSaved"));
}

/** @param {Gallery} gallery @param {any} card */
async function fetchAgain(gallery, { id }) {
  const key = `fetch ${id}`;
  busy.add(key);
  gallery.draw();
  try {
    const { answer, error } = await gallery.connection.call("download_video", { task_id: id });
    if (error) {
      tell(id, "bad", say("fetchFailed"), reasonOf(error.code)?.what ?? "");
      panelOf(id).append(serverSays(error.message));
    } else {
      tell(id, "good", say(answer.status === "saved" ? "fetched" : "fetching"));
    }
  } catch {
    tell(id, "bad", say("fetchFailed"));
  }
  busy.delete(key);
  gallery.draw();
  await gallery.refresh([id]);
}

// ---- What costs money

/** @param {any} card @returns {Offer} */
function takeOffer({ id, again: { take, price } }) {
  const question = say("askTake", { take, price: amountText(price, true) });
  return { action: "again", question, price, tool: "retake_video", args: { task_id: id, take } };
}

/** @param {any} card @returns {Offer} */
function upgradeOffer({ id, upgrade: { resolution, price } }) {
  const question = say("askUpgrade", { size: plainLine(resolution), price: amountText(price, true) });
  const args = { task_id: id, resolution };
  return { action: "upgradeTo", question, price, tool: "upgrade_video", args };
}

/**
 * Ask for the person's yes in the card.
 * @param {Gallery} gallery
 * @param {any} card
 * @param {Offer} offer
 */
function ask(gallery, card, offer) {
  const { id, sandbox } = card;
  const { price, question } = offer;
  const { unit, left, budget } = gallery.spending ?? {};
  const notes = [
    price ? price.lower_bound && say("askAtLeast") : say("askUnpriced"),
    sandbox && say("askSandbox"),
    left && budget && !sandbox &&
      say("askLeft", { left: amountText({ amount: left, unit }), budget: amountText({ amount: budget, unit }) }),
  ];
  const yes = actionButton("buy", "strong", say("buy"));
  const no = actionButton("close", "quiet", say("notNow"));
  const panel = panelOf(id);
  panel.className = "panel ask";
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", question);
  panel.tabIndex = -1;
  panel.replaceChildren(
    make("p", "question", question),
    make("p", "", notes.filter(Boolean).join(" ")),
    make("div", "row", yes, no),
  );
  panel.hidden = false;
  const close = () => {
    if (busy.has(`${offer.action} ${id}`)) return;
    panel.hidden = true;
    focusOn(panel.closest(".card"), offer.action);
  };
  panel.onkeydown = (event) => {
    if (event.key === "Escape") close();
    if (event.key !== "Tab") return;
    event.preventDefault();
    (document.activeElement === yes ? no : yes).focus();
  };
  no.addEventListener("click", close);
  yes.addEventListener("click", () => buy(gallery, id, offer));
  // Not on "Buy": a key held down a moment too long would press it.
  panel.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
}

/**
 * Buy what the person agreed to; sent once.
 * @param {Gallery} gallery
 * @param {string} id
 * @param {Offer} offer
 */
async function buy(gallery, id, offer) {
  const key = `${offer.action} ${id}`;
  if (busy.has(key)) return;
  busy.add(key);
  const panel = panelOf(id);
  const hadFocus = panel.contains(document.activeElement);
  const buttons = panel.querySelectorAll("button");
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  buttons[0].textContent = say("buying");
  gallery.draw();
  const ids = [id];
  try {
    const reply = await agreed(gallery, offer);
    if (reply.error) {
      tellRefusal(id, reply.error);
    } else {
      tell(id, "good", say(reply.answer.reused ? "alreadyBought" : "bought"));
      if (reply.answer.task_id) ids.push(reply.answer.task_id);
      gallery.add(reply);
    }
  } catch (trouble) {
    const { unsure = true, kind } = /** @type {any} */ (trouble) ?? {};
    const why = kind === "forbidden" ? reasonOf("not_permitted")?.what : say("unreached");
    if (unsure) tell(id, "bad", say("unsure"));
    else tell(id, "bad", say("notBought"), why ?? "");
  }
  busy.delete(key);
  gallery.draw();
  if (hadFocus) focusOn(panel.closest(".card"), offer.action);
  // Only looks; after an unclear answer this is how a clip that was bought is found.
  await gallery.refresh(ids);
}

/**
 * The call, with the code of a refusal that wants the yes which was given a moment ago.
 * @param {Gallery} gallery
 * @param {Offer} offer
 */
async function agreed({ connection }, { tool, args, price }) {
  const bid = { ...args, max_cost: Number(price?.amount ?? 0) };
  const reply = await connection.call(tool, bid);
  const wanted = reply.error?.code === "consent_required";
  const confirm = wanted && /confirm='([^']+)'/.exec(reply.error?.message ?? "")?.[1];
  return confirm ? connection.call(tool, { ...bid, confirm }) : reply;
}

/** @param {string} id @param {NonNullable<Reply["error"]>} error */
function tellRefusal(id, { code, charged, message }) {
  const reason = reasonOf(code);
  // Without a code it is not this server's refusal: what happened behind it is not known.
  const unsure = charged !== "no" || !code;
  tell(id, "bad", say(unsure ? "unsure" : "notBought"), reason?.what ?? "", reason?.next ?? "");
  panelOf(id).append(serverSays(message, !reason));
}
