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
 * @property {string} action - The button that opens it.
 * @property {string} question - A key of WORDS.
 * @property {string} tool
 * @property {any} price
 * @property {Record<string, any>} more - What the tool is told besides the id.
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

/** @param {any} card @returns {Offer[]} */
function offersOf({ status, error_kind, again, upgrade }) {
  const { take, price } = again ?? {};
  const resolution = upgrade?.resolution;
  return [
    // What may have been bought is settled first; what moderation refused, it would refuse again.
    take && status !== "unconfirmed" && error_kind !== "content_rejected" &&
      { action: "again", question: "askTake", tool: "retake_video", price, more: { take } },
    resolution &&
      { action: "upgradeTo", question: "askUpgrade", tool: "upgrade_video", price: upgrade.price, more: { resolution } },
  ].filter(Boolean);
}

/** @param {string} key @param {Offer} offer */
function sayOffer(key, { price, more: { take, resolution } }) {
  return say(key, { take, size: plainLine(resolution), price: amountText(price) });
}

/**
 * @param {Gallery} gallery
 * @param {any} card - A card or a film.
 * @returns {HTMLElement[]}
 */
function actionButtons(gallery, card) {
  const { connection, mayBuy } = gallery;
  const { host } = connection;
  const { id, file, url } = card;
  const is = (/** @type {string} */ action) => busy.has(`${action} ${id}`);
  /** @type {[string, any, string, (card: any) => unknown][]} */
  const all = [
    ["preview", isPlayable(card), say("preview"), (now) => showPreview(connection, now)],
    ["lastFrame", card.frame, say("lastFrame"), (now) => useFrame(gallery, now)],
    ["fetch", card.fetch, say(is("fetch") ? "fetching" : "fetch"), () => fetchAgain(gallery, id)],
    ["copyPath", file, say("copyPath"), (now) => copyText(id, now.file)],
    ["openFolder", file && host.present && host.opensLinks, say("openFolder"), (now) => openFolder(gallery, now)],
    ["save", url && (host.downloads || host.opensLinks), say(host.downloads ? "save" : "openLink"), (now) => save(gallery, now)],
  ];
  for (const offer of offersOf(card)) {
    all.push([offer.action, mayBuy, sayOffer(offer.action, offer), (now) => ask(gallery, now, offer.action)]);
  }
  return all.filter(([, there]) => there).map(([action, , words, act]) => {
    const name = action === "again" || action === "upgradeTo" ? "buy" : "quiet";
    const path = ICONS[/** @type {"again"} */ (action)];
    const button = actionButton(action, name, icon(path), make("span", "", words));
    if (is(action)) button.setAttribute("aria-disabled", "true");
    button.onclick = () => {
      const now = latest(gallery, id);
      if (now && !is(action)) act(now);
    };
    return button;
  });
}

/** The same element as long as the page lives. @param {string} id */
function panelOf(id) {
  const panel = panels.get(id) ?? make("div", { hidden: "true" });
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
  byId("status").textContent = said.join(" "); // is read aloud
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
  const opened = await connection.openLink(folderLink(card.file));
  if (!opened) tell(card.id, "bad", say("notHere"), plainLine(card.file));
}

/** @param {Gallery} gallery @param {any} card */
async function save({ connection }, { id, url, file = "" }) {
  const name = file.split(/[\\/]/).pop() || `${id}.mp4`;
  const { host, download, openLink } = connection;
  if (!(await (host.downloads ? download(url, name) : openLink(url)))) tell(id, "bad", say("notHere"));
}

/** @param {Gallery} gallery @param {string} id */
async function fetchAgain(gallery, id) {
  const key = `fetch ${id}`;
  busy.add(key);
  gallery.draw();
  const reply = await gallery.connection.call("download_video", { task_id: id }).catch(() => null);
  if (reply && !reply.error) {
    tell(id, "good", say(reply.answer.status === "saved" ? "fetched" : "fetching"));
  } else {
    tell(id, "bad", say("fetchFailed"), sayCode(reply?.error?.code));
    panelOf(id).append(serverSays(reply?.error?.message) || "");
  }
  busy.delete(key);
  await gallery.refresh([id]);
}

// ---- What costs money

/**
 * Ask for the person's yes in the card.
 * @param {Gallery} gallery
 * @param {any} card
 * @param {string} action
 */
function ask(gallery, card, action) {
  const { id, sandbox } = card;
  const offer = offersOf(card).find((one) => one.action === action);
  if (!offer) return;
  const question = sayOffer(offer.question, offer);
  const yes = actionButton("buy", "strong", say("buy"));
  const no = actionButton("close", "quiet", say("notNow"));
  const panel = panelOf(id);
  panel.className = "panel ask";
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", question);
  panel.tabIndex = -1;
  panel.replaceChildren(
    make("p", "question", question),
    make("p", "", sandbox ? say("sandbox") : budgetText(gallery.spending)),
    make("div", "row", yes, no),
  );
  panel.hidden = false;
  const close = () => {
    if (busy.has(`${action} ${id}`)) return;
    panel.hidden = true;
    focusOn(panel.closest(".card"), action);
  };
  panel.onkeydown = (event) => {
    if (event.key === "Escape") close();
    if (event.key !== "Tab") return;
    event.preventDefault();
    (document.activeElement === yes ? no : yes).focus();
  };
  no.onclick = close;
  yes.onclick = () => buy(gallery, id, offer);
  // Not on "Buy": a key held down a moment too long would press it.
  panel.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
}

/** @param {any} spending */
function budgetText(spending) {
  const { unit, left, budget } = spending ?? {};
  const text = (/** @type {string} */ amount) => amountText({ amount, unit });
  return budget ? say("budgetLeft", { left: text(left ?? "0"), budget: text(budget) }) : "";
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
    const reply = await agreed(gallery, id, offer);
    if (reply.error) {
      tellRefusal(id, reply.error);
    } else if (!reply.answer.task_id) {
      tell(id, "bad", say("unsure")); // of what it answers nothing arrived here
    } else {
      tell(id, "good", say(reply.answer.reused ? "alreadyBought" : "bought"));
      ids.push(...cardsOf(reply.answer).ids);
      gallery.add(reply);
    }
  } catch (trouble) {
    const { unsure = true, kind } = /** @type {Partial<Trouble>} */ (trouble);
    tell(id, "bad", say(unsure ? "unsure" : "notBought"), kind === "forbidden" ? say("not_permitted") : "");
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
 * @param {string} id
 * @param {Offer} offer
 */
async function agreed({ connection }, id, { tool, more, price }) {
  // A price that is only known in part is no ceiling: it would refuse every purchase.
  const most = price?.lower_bound ? 0 : Number(price?.amount ?? 0);
  const bid = { task_id: id, ...more, max_cost: most };
  const reply = await connection.call(tool, bid);
  const { code, message = "" } = reply.error ?? {};
  const confirm = code === "consent_required" && /confirm='([^']+)'/.exec(message)?.[1];
  return confirm ? connection.call(tool, { ...bid, confirm }) : reply;
}

/** @param {string} id @param {NonNullable<Reply["error"]>} error */
function tellRefusal(id, { code, charged, message }) {
  // Without a code it is not this server's refusal: what happened behind it is not known.
  const unsure = charged !== "no" || !code;
  tell(id, "bad", say(unsure ? "unsure" : "notBought"), sayCode(code));
  panelOf(id).append(serverSays(message, !known(code)) || "");
}
