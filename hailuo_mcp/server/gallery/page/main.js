// The page as it runs: what it knows, how it is fed, and what it does when nothing answers.

const MOST = 100; // ids of one question

/** @param {Host} host */
function applyLooks(host) {
  const root = document.documentElement;
  const { theme, styles, safeAreaInsets: insets } = host.context;
  if (["light", "dark"].includes(theme)) root.style.colorScheme = theme;
  for (const [name, value] of Object.entries(styles?.variables ?? {})) {
    if (name.startsWith("--")) root.style.setProperty(name, textOf(value));
  }
  for (const side of ["top", "right", "bottom", "left"]) {
    if (insets?.[side] >= 0) root.style.setProperty(`--inset-${side}`, `${insets[side]}px`);
  }
  setLanguage(host.locale);
}

function startGallery() {
  /** @type {Set<string>} */
  const wanted = new Set(); // the ids of the answers; GET /gallery shows the newest, or named ones
  /** What there is to say of the whole page, by what it is about. @type {Map<string, [kind: string, key: string, detail?: string]>} */
  const notices = new Map();
  let limit = 24;
  let timer = 0;
  let failures = 0;
  let inView = true;
  let told = false; // something answered
  let ended = false;
  let byQuery = false; // the host lets the page call nothing but what a model calls
  /** @type {string | null} */
  let whySignIn = null; // null: a token is not needed, or fits
  /** @type {Promise<void> | null} */
  let asking = null;
  let askAgain = false;
  let refused = ""; // the task of the last refusal, whose card says why
  /** @type {Connection} */
  let connection;

  /** @type {Gallery} */
  const gallery = {
    connection: /** @type {any} */ (null),
    cards: new Map(),
    films: new Map(),
    spending: null,
    mayBuy: false,
    draw,
    refresh,
    add,
  };

  // ---- What is seen around the cards

  function draw() {
    if (!connection) return; // a host that is ahead of its own handshake
    const { host, signedIn } = connection;
    const wide = host.mode === "fullscreen";
    const other = wide ? "inline" : "fullscreen";
    byId("fullscreen").hidden = !host.modes.includes(other);
    byId("fullscreen").textContent = say(wide ? "leaveFullscreen" : "fullscreen");
    byId("fullscreen").onclick = () => connection.show(other).then(looksChanged);
    byId("signout").hidden = !signedIn;
    byId("signin").hidden = whySignIn === null;
    byId("signin-error").textContent = whySignIn && say(whySignIn);
    byId("gallery").hidden = whySignIn !== null;
    byId("more").hidden = host.present || gallery.cards.size < limit || limit >= MOST;
    // What stays is not read aloud again.
    fill(byId("notices"), [...notices.values()], () =>
      [...notices.values()].map(([kind, key, detail]) =>
        make("p", kind === "trouble" ? { class: kind, role: "alert" } : kind,
          make("span", "", `${say(key)} `), detail && make("bdi", "", plainText(detail)))));
    // Before the first answer it says that it loads.
    if (told) drawGallery(byId("gallery"), gallery);
  }

  /** Ask the person for the token of the server. @param {string} why - A key of words.js. */
  function needToken(why) {
    notices.clear();
    whySignIn = why;
    draw();
    byId("token").focus();
  }

  byId("signin").onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    connection.signIn(byId("token").value.trim());
    if (!connection.signedIn) return needToken("tokenWrong");
    byId("token").value = "";
    refresh();
  };
  byId("signout").onclick = () => {
    connection.signIn("");
    location.reload(); // nothing of the last person's stays, and no answer that is on its way comes
  };
  byId("more").onclick = () => {
    limit = Math.min(MOST, limit * 2);
    refresh();
  };

  // ---- What it is told

  /** @param {Reply} reply - Of any tool: the host's first, or one that the page has called. */
  function add({ answer, error }) {
    notices.delete("asked");
    notices.delete("refused");
    if (error) notices.set("refused", ["trouble", "refused", error.message]);
    const ids = keep(answer);
    refused = error?.taskId ?? "";
    if (refused) ids.push(refused);
    told = true;
    draw();
    refresh(ids);
  }

  /** Keep what a tool's answer has of clips and films; their ids. @param {any} answer */
  function keep(answer) {
    const { cards, films, ids } = cardsOf(answer);
    for (const one of cards) gallery.cards.set(one.id, { ...gallery.cards.get(one.id), ...one });
    for (const one of films) gallery.films.set(one.id, { ...gallery.films.get(one.id), ...one });
    dropFilms();
    return ids;
  }

  /** A list of tasks has films too, and does not say which they are. */
  function dropFilms() {
    for (const id of gallery.films.keys()) gallery.cards.delete(id);
  }

  /** @param {any} answer - Of show_cards. */
  function take(answer) {
    for (const key of /** @type {const} */ (["cards", "films"])) {
      const now = new Map(listOf(answer[key]).filter(isObject).map((one) => [one.id, one]));
      // What is not recorded any more stays as it was told in the conversation.
      for (const [id, one] of gallery[key]) if (wanted.has(id) && !now.has(id)) now.set(id, one);
      gallery[key] = now;
    }
    dropFilms();
    if (gallery.cards.has(refused)) notices.delete("refused");
    gallery.spending = answer.spending ? { ...answer.spending, sandbox: answer.sandbox } : null;
    gallery.mayBuy = answer.may_buy === true;
  }

  // ---- What it asks

  /**
   * Ask for everything now, these ids included.
   * @param {string[]} [ids]
   * @returns {Promise<void>}
   */
  function refresh(ids = []) {
    for (const id of ids) wanted.add(id);
    clearTimeout(timer);
    askAgain = asking !== null;
    asking ??= ask().finally(() => {
      asking = null;
      return askAgain && !isHidden() ? refresh() : undefined; // shown again, it asks anyway
    });
    return asking;
  }

  async function ask() {
    if (!connection || ended || (connection.host.present && !wanted.size)) return;
    let wait = 0;
    try {
      if (!byQuery) await askForCards();
      if (byQuery) await askOneByOne();
      failures = 0;
      whySignIn = null;
      told = true;
      notices.delete("reach");
    } catch (trouble) {
      failures += 1;
      wait = failed(/** @type {Trouble} */ (trouble));
    }
    plan(wait); // first: what cannot be drawn must not end it
    draw();
  }

  async function askForCards() {
    const { present } = connection.host;
    const named = (address.get("tasks") ?? "").split(",").filter(Boolean);
    const ids = (present ? [...wanted] : named).slice(-MOST);
    const args = ids.length ? { task_ids: ids, takes: true } : { limit };
    const reply = await connection.call("show_cards", args).catch((trouble) => {
      // A host that hides such tools says so in its own way; what a model calls may still work.
      if (present && ["missing", "odd"].includes(trouble.kind)) return null;
      throw trouble;
    });
    notices.delete("cards");
    if (Array.isArray(reply?.answer.cards)) take(reply.answer);
    else if (present) byQuery = true;
    else notices.set("cards", ["trouble", "refused", reply?.error?.message]);
  }

  /** What a model would ask, for each that is unsettled; no model reads it. */
  async function askOneByOne() {
    const alone = unsettled().filter(({ film_id }) => !gallery.films.has(film_id));
    for (const { id } of alone.slice(0, 8)) {
      const reply = await connection.call("query_task", { task_id: id, wait_seconds: 0 });
      if (reply.error) throw new Trouble("missing", false);
      keep(reply.answer);
    }
  }

  /** @returns {any[]} */
  function unsettled() {
    return [...gallery.cards.values(), ...gallery.films.values()].filter(({ settled }) => !settled);
  }

  /** Seconds until it may be asked again; -1: not by itself. @param {Trouble} trouble */
  function failed({ kind, wait }) {
    const { host, signedIn } = connection;
    if (kind === "sign_in") {
      connection.signIn(""); // what opens nothing is not kept
      needToken(signedIn ? "tokenWrong" : "");
    } else if (kind === "missing" || kind === "forbidden") {
      const known = kind === "forbidden" ? "not_permitted" : host.present ? "noLook" : "refused";
      notices.set("reach", ["notice", known]);
    } else if (kind !== "ended") {
      // Beside a conversation, a missed look is nothing to speak of: what was told stands.
      if (!host.present || failures > 2) notices.set("reach", ["trouble", "away"]);
      return Math.max(wait, Math.min(60, 2 ** (failures + 1)));
    }
    return -1;
  }

  /** Ask again when there may be something new. @param {number} wait */
  function plan(wait) {
    // In a browser, clips that are asked for elsewhere appear, too; a conversation tells the page.
    const idle = connection.host.present || address.get("tasks") ? Infinity : 15;
    const soonest = Math.min(idle, ...unsettled().map((one) => one.next_check_seconds || 15));
    clearTimeout(timer);
    if (ended || wait < 0 || isHidden() || !(wait || soonest < Infinity)) return;
    timer = window.setTimeout(refresh, 1000 * (wait || Math.max(2, Math.min(15, soonest))));
  }

  function isHidden() {
    return document.visibilityState === "hidden" || !inView;
  }

  function shownAgain() {
    clearTimeout(timer);
    if (isHidden() || whySignIn !== null) return;
    if (unsettled().length || !connection.host.present) refresh();
  }

  // ---- The host

  function looksChanged() {
    applyLooks(connection.host);
    draw();
  }

  const connecting = connect({
    asked: (args) => {
      const { prompt, shots, template_id, task_id } = isObject(args) ? args : {};
      const about = prompt ?? listOf(shots)[0] ?? template_id ?? task_id;
      notices.set("asked", ["notice", "asking", shortLine(about)]);
      draw();
    },
    answered: add,
    cancelled: () => {
      told = true;
      notices.set("asked", ["notice", "cancelled"]);
      draw();
    },
    looks: looksChanged,
    ending: () => {
      ended = true;
      clearTimeout(timer);
      for (const video of document.querySelectorAll("video")) video.pause();
    },
  });
  connecting.then((made) => {
    connection = gallery.connection = made;
    looksChanged();
    document.addEventListener("visibilitychange", shownAgain);
    document.addEventListener("clipchanged", () => refresh());
    addEventListener("online", () => refresh());
    refresh();
    if (!made.host.present) return;
    new IntersectionObserver(([entry]) => {
      inView = entry.isIntersecting;
      shownAgain();
    }).observe(document.documentElement);
    new ResizeObserver(made.resized).observe(document.documentElement);
  });
}

startGallery();
