// The page as it runs: what it knows, how it is fed, and what it does when nothing answers.

const MOST = 100; // ids of one question

/** @param {string} id @returns {any} */
function byId(id) {
  return document.getElementById(id);
}

/** One line of untrusted text, cut. @param {unknown} text */
function shortText(text) {
  const marks = [...plainLine(text)];
  return marks.length > 100 ? `${marks.slice(0, 99).join("")}…` : marks.join("");
}

/** @param {Host} host */
function applyLooks(host) {
  const root = document.documentElement;
  const { theme, styles, safeAreaInsets: insets } = host.context;
  if (theme === "light" || theme === "dark") {
    root.dataset.theme = theme;
    root.style.colorScheme = theme;
  }
  root.dataset.mode = host.mode;
  for (const [name, value] of Object.entries(styles?.variables ?? {})) {
    if (name.startsWith("--") && typeof value === "string") root.style.setProperty(name, value);
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
    const other = host.mode === "fullscreen" ? "inline" : "fullscreen";
    byId("fullscreen").hidden = !host.modes.includes(other);
    byId("fullscreen").textContent = say(other === "inline" ? "leaveFullscreen" : "fullscreen");
    byId("fullscreen").onclick = () => connection.show(other).then(looksChanged);
    byId("signout").hidden = !signedIn;
    byId("signin").hidden = whySignIn === null;
    byId("signin-error").hidden = !whySignIn;
    byId("signin-error").textContent = whySignIn && say(whySignIn);
    byId("gallery").hidden = whySignIn !== null;
    byId("more").hidden = host.present || gallery.cards.size < limit || limit >= MOST;
    drawNotices();
    // Before the first answer it says that it loads.
    if (told) drawGallery(byId("gallery"), gallery);
  }

  function drawNotices() {
    const box = byId("notices");
    const shown = JSON.stringify([document.documentElement.lang, ...notices.values()]);
    if (box.dataset.shown === shown) return; // else it would be read aloud again
    box.dataset.shown = shown;
    const lines = [...notices.values()].map(([kind, key, detail]) => {
      const line = make("p", kind, say(key), " ");
      if (kind === "trouble") line.setAttribute("role", "alert");
      if (detail) line.append(make("bdi", "", plainText(detail)));
      return line;
    });
    box.replaceChildren(...lines);
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
    if (!connection.signedIn) return needToken("tokenOdd");
    byId("token").value = "";
    refresh();
  };
  byId("signout").onclick = () => {
    connection.signOut();
    gallery.cards.clear();
    gallery.films.clear();
    gallery.spending = null;
    drawGallery(byId("gallery"), gallery); // nothing of the last person's stays in the page
    told = false;
    needToken("");
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
    if (error) notices.set("refused", ["trouble", "refusedCall", error.message]);
    const ids = keep(answer);
    refused = error?.taskId ?? "";
    if (refused) ids.push(refused);
    told = true;
    draw();
    refresh(ids);
  }

  /** Keep what a tool's answer has of clips and films; their ids. @param {any} answer */
  function keep(answer) {
    const found = cardsOf(answer);
    for (const [all, ones] of /** @type {const} */ ([
      [gallery.cards, found.cards], [gallery.films, found.films],
    ])) {
      const known = [...all];
      const fresh = ones.filter((one) => !all.has(one.id)).map((one) => [one.id, one]);
      all.clear(); // newest first
      for (const [id, one] of [...fresh, ...known]) all.set(id, one);
      for (const one of ones) all.set(one.id, { ...all.get(one.id), ...one });
    }
    dropFilms();
    return found.ids;
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
    gallery.spending = answer.spending ?? null;
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
      return askAgain ? refresh() : undefined;
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
    draw();
    plan(wait);
  }

  async function askForCards() {
    const ids = (connection.host.present ? [...wanted] : namedTasks()).slice(-MOST);
    const reply = await connection
      .call("show_cards", ids.length ? { task_ids: ids, takes: true } : { limit })
      .catch((trouble) => {
        // A host that hides such tools says so in its own way; what a model calls may still work.
        if (connection.host.present && ["missing", "odd"].includes(trouble.kind)) return null;
        throw trouble;
      });
    notices.delete("cards");
    if (Array.isArray(reply?.answer.cards)) take(reply.answer);
    else if (connection.host.present) byQuery = true;
    else notices.set("cards", ["trouble", "noCards", reply?.error?.message]);
  }

  /** What a model would ask, for each that is unsettled; no model reads it. */
  async function askOneByOne() {
    const films = [...gallery.films.values()].filter(isOpen).map(({ id }) => id);
    const cards = [...gallery.cards.values()].filter(
      (card) => isOpen(card) && !films.includes(card.film_id),
    );
    for (const id of [...films, ...cards.map((card) => card.id)].slice(0, 8)) {
      const reply = await connection.call("query_task", { task_id: id, wait_seconds: 0 });
      if (reply.error) throw new Trouble("missing", false);
      keep(reply.answer);
    }
  }

  /** @param {any} one @returns {boolean} */
  function isOpen(one) {
    return !one.settled;
  }

  /** Seconds until it may be asked again; -1: not by itself. @param {Trouble} trouble */
  function failed({ kind, wait }) {
    const { host, signedIn } = connection;
    if (kind === "sign_in") {
      connection.signOut(); // what opens nothing is not kept
      needToken(signedIn ? "tokenWrong" : "");
    }
    if (kind === "missing" && host.present) notices.set("reach", ["notice", "reach_host"]);
    // Beside a conversation, a missed look is nothing to speak of: what was told stands.
    else if (kind !== "sign_in" && (!host.present || failures > 2)) {
      const known = ["forbidden", "busy", "missing"].includes(kind) ? kind : "away";
      if (!ended) notices.set("reach", ["trouble", `reach_${known}`]);
    }
    if (["sign_in", "ended", "missing", "forbidden"].includes(kind)) return -1;
    return Math.max(wait, Math.min(60, 2 ** (failures + 1)));
  }

  /** Ask again when there may be something new. @param {number} wait */
  function plan(wait) {
    const open = [...gallery.cards.values(), ...gallery.films.values()].filter(isOpen);
    clearTimeout(timer);
    if (ended || wait < 0 || isHidden() || !(open.length || wait)) return;
    const soonest = Math.min(...open.map((one) => one.next_check_seconds || 15));
    timer = window.setTimeout(refresh, 1000 * (wait || Math.max(2, Math.min(15, soonest))));
  }

  function isHidden() {
    return document.visibilityState === "hidden" || !inView;
  }

  function shownAgain() {
    clearTimeout(timer);
    const open = [...gallery.cards.values(), ...gallery.films.values()].some(isOpen);
    if (!isHidden() && whySignIn === null && (open || !connection.host.present)) refresh();
  }

  // ---- The host

  function looksChanged() {
    applyLooks(connection.host);
    draw();
  }

  const connecting = connect({
    asked: (args) => {
      const about = isObject(args) ? [args.prompt, ...listOf(args.shots), args.template_id, args.task_id] : [];
      notices.set("asked", ["notice", "asking", shortText(about.find(Boolean) ?? "")]);
      draw();
    },
    answered: add,
    cancelled: () => {
      told = true;
      notices.set("asked", ["notice", "cancelledCall"]);
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
    connection = made;
    gallery.connection = made;
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
