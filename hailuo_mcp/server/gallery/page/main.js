// The page as it runs: what it knows, how it is fed, and what it does when nothing answers.

/**
 * @typedef {Object} Notice - Something about the whole page.
 * @property {"wait" | "info" | "error"} kind
 * @property {string} text
 * @property {string} [detail] - Untrusted text, shown as such below it.
 *
 * @typedef {Object} Gallery
 * @property {Connection} connection
 * @property {Map<string, any>} cards - By id, newest first.
 * @property {Map<string, any>} films
 * @property {any} spending
 * @property {boolean} mayBuy
 * @property {string} language
 * @property {number} seenAt - When the cards were told, in the milliseconds of Date.now().
 * @property {Map<string, Notice>} notices - By what they are about.
 * @property {() => void} draw
 * @property {(ids?: string[]) => Promise<void>} refresh - Ask for everything now, these included.
 * @property {(reply: Reply) => void} add - What a tool answered.
 */

const SHORTEST = 2;
const LONGEST = 15;
const AT_ONCE = 24;
const MOST = 100;

/** @param {string} id @param {string} [tag] @returns {HTMLElement} */
function slot(id, tag = "div") {
  const there = document.getElementById(id);
  if (there) return there;
  const made = document.createElement(tag);
  made.id = id;
  const root = document.getElementById("gallery");
  root?.parentElement?.insertBefore(made, root);
  return made;
}

/** One line of untrusted text, cut. @param {string} text */
function shortText(text) {
  const marks = [...plainLine(text)];
  return marks.length > 100 ? `${marks.slice(0, 99).join("")}…` : marks.join("");
}

/** @param {Host} host */
function applyLooks(host) {
  const { documentElement: root } = document;
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
    const size = Number(insets?.[side]);
    if (size >= 0) root.style.setProperty(`--inset-${side}`, `${size}px`);
  }
  if (typeof styles?.css?.fonts === "string") slot("fonts", "style").textContent = styles.css.fonts;
}

/** @returns {Gallery} */
function newGallery() {
  /** @type {Set<string>} */
  const wanted = new Set(); // the answers' ids; GET /gallery shows the newest, or what its address names
  let limit = AT_ONCE;
  let timer = 0;
  let failures = 0;
  let ended = false;
  let inView = true;
  let told = false;
  /** @type {string | null} */
  let whySignIn = null; // null: a token is not needed, or fits
  let byQuery = false; // the host lets the page call nothing but what a model calls
  /** @type {Promise<void> | null} */
  let asking = null;
  let askAgain = false;

  /** @type {Gallery} */
  const gallery = {
    connection: /** @type {any} */ (null),
    cards: new Map(),
    films: new Map(),
    spending: null,
    mayBuy: false,
    language: navigator.language,
    seenAt: Date.now(),
    notices: new Map(),
    draw,
    refresh,
    add,
  };

  function draw() {
    drawBar();
    drawNotices();
    drawSignIn();
    // Before the first answer it says that it loads.
    if (told) drawGallery(slot("gallery"), gallery);
    drawMore();
  }

  function drawBar() {
    const { host, signedIn } = gallery.connection;
    const other = host.mode === "fullscreen" ? "inline" : "fullscreen";
    const button = slot("fullscreen", "button");
    button.hidden = !host.present || !host.modes.includes(other);
    button.textContent = say(other === "inline" ? "leaveFullscreen" : "fullscreen");
    button.onclick = () => change(other);
    slot("signout", "button").hidden = !signedIn;
    slot("signout").onclick = signOut;
  }

  /** @param {string} mode */
  async function change(mode) {
    await gallery.connection.show(mode);
    applyLooks(gallery.connection.host);
    draw();
  }

  function signOut() {
    gallery.connection.signOut();
    gallery.cards.clear();
    gallery.films.clear();
    gallery.spending = null;
    gallery.notices.clear();
    limit = AT_ONCE;
    needToken("");
  }

  function drawNotices() {
    const box = slot("notices");
    const seen = JSON.stringify([...gallery.notices]);
    if (box.dataset.has === seen) return;
    box.dataset.has = seen;
    box.replaceChildren(
      ...[...gallery.notices.values()].map(({ kind, text, detail }) => {
        const line = document.createElement("p");
        line.className = kind === "error" ? "trouble" : "notice";
        if (kind === "error") line.setAttribute("role", "alert");
        line.textContent = text;
        if (detail) {
          const quoted = document.createElement("bdi");
          quoted.textContent = plainText(detail);
          line.append(" ", quoted);
        }
        return line;
      }),
    );
  }

  function drawMore() {
    const box = slot("more");
    const all = gallery.connection.host.present || gallery.cards.size < limit || limit >= MOST;
    if (all === (box.childElementCount === 0)) return;
    slot("gallery").after(box);
    box.replaceChildren();
    if (all) return;
    const button = plainButton("showMore", () => {
      limit = Math.min(MOST, limit * 2);
      refresh();
    });
    box.append(button);
  }

  /** Ask the person for the token of the server. @param {string} why - A key of words.js. */
  function needToken(why) {
    gallery.notices.delete("reach");
    whySignIn = why;
    draw();
  }

  function drawSignIn() {
    const form = slot("signin", "form");
    const opening = form.hidden && whySignIn !== null;
    form.hidden = whySignIn === null;
    slot("gallery").hidden = whySignIn !== null;
    const alert = slot("signin-error", "p");
    alert.hidden = !whySignIn;
    alert.textContent = whySignIn && say(whySignIn);
    const input = /** @type {HTMLInputElement} */ (slot("token", "input"));
    form.onsubmit = (event) => {
      event.preventDefault();
      gallery.connection.signIn(input.value.trim());
      if (!gallery.connection.signedIn) return needToken("tokenOdd");
      input.value = "";
      refresh();
    };
    if (opening) input.focus();
  }

  /** @param {Reply} reply */
  function add(reply) {
    gallery.notices.delete("asked");
    const { answer, error } = reply;
    if (error) {
      gallery.notices.set("refused", { kind: "error", text: say("refusedCall"), detail: error.message });
      if (error.taskId) wanted.add(error.taskId);
    } else {
      gallery.notices.delete("refused");
    }
    const found = cardsOf(answer);
    for (const id of found.ids) wanted.add(id);
    for (const card of found.cards) merge(gallery.cards, card);
    for (const film of found.films) merge(gallery.films, film);
    if (isObject(answer.spending)) gallery.spending = answer.spending;
    told = true;
    gallery.seenAt = Date.now();
    draw();
    if (wanted.size) refresh();
  }

  /** @param {Map<string, any>} all @param {any} one */
  function merge(all, one) {
    const known = all.get(one.id);
    // Newest first, as show_cards has them.
    if (known) return void all.set(one.id, { ...known, ...one });
    const others = [...all];
    all.clear();
    all.set(one.id, one);
    for (const [id, other] of others) all.set(id, other);
  }

  /** @param {any} answer - Of show_cards. */
  function take(answer) {
    const cards = new Map(listOf(answer.cards).filter(isObject).map((card) => [card.id, card]));
    const films = new Map(listOf(answer.films).filter(isObject).map((film) => [film.id, film]));
    tellChanges(cards);
    if (gallery.connection.host.present) {
      // What the answer leaves out, such as a clip that is not recorded any more, stays as told.
      for (const [id, card] of gallery.cards) if (!cards.has(id) && wanted.has(id)) cards.set(id, card);
      for (const [id, film] of gallery.films) if (!films.has(id)) films.set(id, film);
    }
    gallery.cards = cards;
    gallery.films = films;
    if (isObject(answer.spending)) gallery.spending = answer.spending;
    gallery.mayBuy = answer.may_buy === true;
  }

  /** Say to those who listen what has changed, once. @param {Map<string, any>} cards */
  function tellChanges(cards) {
    const lines = [];
    for (const [id, card] of cards) {
      const before = gallery.cards.get(id);
      if (!before || before.status === card.status) continue;
      lines.push(say("changed", { status: say(card.status), prompt: shortText(card.title || card.prompt || id) }));
    }
    if (lines.length) announce(lines.join(" "));
  }

  /** @param {string[]} [ids] @returns {Promise<void>} */
  function refresh(ids = []) {
    for (const id of ids) wanted.add(id);
    clearTimeout(timer);
    if (asking) {
      askAgain = true;
      return asking;
    }
    asking = ask().finally(() => {
      asking = null;
      if (askAgain) {
        askAgain = false;
        return refresh();
      }
    });
    return asking;
  }

  async function ask() {
    const { host } = gallery.connection;
    if (ended || (host.present && !wanted.size)) return;
    let wait = 0;
    try {
      if (byQuery) await askOneByOne();
      else await askForCards();
      failures = 0;
      whySignIn = null;
      told = true;
      gallery.seenAt = Date.now();
      gallery.notices.delete("reach");
    } catch (trouble) {
      failures += 1;
      wait = failed(/** @type {Trouble} */ (trouble));
    }
    draw();
    plan(wait);
  }

  async function askForCards() {
    const ids = (gallery.connection.host.present ? [...wanted] : namedTasks()).slice(-MOST);
    const reply = await gallery.connection
      .call("show_cards", ids.length ? { task_ids: ids, takes: true } : { limit })
      .catch((trouble) => {
        // A host that hides such tools says so in its own way; what a model calls may still work.
        if (gallery.connection.host.present && ["missing", "odd"].includes(trouble.kind)) return null;
        throw trouble;
      });
    if (Array.isArray(reply?.answer.cards)) return take(reply.answer);
    if (!gallery.connection.host.present) {
      const detail = reply?.error?.message ?? "";
      gallery.notices.set("refused", { kind: "error", text: say("noCards"), detail });
      return;
    }
    byQuery = true;
    return askOneByOne();
  }

  /** What a model would ask, for each that is unsettled; no model reads it. */
  async function askOneByOne() {
    const films = new Set([...gallery.films.values()].filter(unsettled).map(({ id }) => id));
    const cards = [...gallery.cards.values()].filter(
      (card) => unsettled(card) && !films.has(card.film_id),
    );
    for (const id of [...films, ...cards.map((card) => card.id)].slice(0, 8)) {
      const { answer, error } = await gallery.connection.call("query_task", {
        task_id: id, wait_seconds: 0,
      });
      if (error) throw new Trouble("missing", false);
      const found = cardsOf(answer);
      tellChanges(new Map(found.cards.map((card) => [card.id, card])));
      for (const card of found.cards) merge(gallery.cards, card);
      for (const film of found.films) merge(gallery.films, film);
    }
  }

  /** @param {any} one @returns {boolean} */
  function unsettled(one) {
    return !one.settled;
  }

  /** Seconds until it may be asked again; -1: not by itself. @param {Trouble} trouble */
  function failed({ kind, wait }) {
    const { host } = gallery.connection;
    if (kind === "ended") return -1;
    if (kind === "sign_in") {
      needToken(gallery.connection.signedIn ? "tokenWrong" : "");
      return -1;
    }
    if (kind === "missing" && host.present) return -1;
    const backoff = Math.max(wait, Math.min(60, SHORTEST * 2 ** failures));
    // Beside a conversation one missed look is nothing to speak of.
    if (!host.present || failures > 2) {
      const known = ["forbidden", "busy", "missing"].includes(kind) ? kind : "away";
      gallery.notices.set("reach", { kind: "error", text: say(`reach_${known}`) });
    }
    return ["forbidden", "missing"].includes(kind) ? -1 : backoff;
  }

  /** Ask again when there may be something new. @param {number} wait */
  function plan(wait) {
    clearTimeout(timer);
    const open = [...gallery.cards.values(), ...gallery.films.values()].filter(unsettled);
    if (ended || wait < 0 || hidden() || (!open.length && !wait)) return;
    const soonest = Math.min(...open.map((one) => one.next_check_seconds || LONGEST));
    const seconds = wait || Math.max(SHORTEST, Math.min(LONGEST, soonest));
    timer = setTimeout(refresh, seconds * 1000);
  }

  function hidden() {
    return document.visibilityState === "hidden" || !inView;
  }

  function shownAgain() {
    if (hidden()) return clearTimeout(timer);
    const { host } = gallery.connection ?? {};
    const open = [...gallery.cards.values(), ...gallery.films.values()].some(unsettled);
    if (host && whySignIn === null && (!host.present || open)) refresh();
  }

  /** @type {Events} */
  const events = {
    asked: (args) => {
      const about = isObject(args)
        ? [args.prompt, args.template_id, ...listOf(args.shots), args.task_id].find(
            (word) => typeof word === "string" && word,
          )
        : "";
      gallery.notices.set("asked", { kind: "wait", text: say("asking"), detail: shortText(about ?? "") });
      draw();
    },
    answered: add,
    cancelled: () => {
      told = true;
      gallery.notices.set("asked", { kind: "info", text: say("cancelledCall") });
      draw();
    },
    looks: (host) => {
      setLanguage(host.locale);
      gallery.language = host.locale;
      applyLooks(host);
      if (gallery.connection) draw();
    },
    ending: () => {
      ended = true;
      clearTimeout(timer);
    },
  };

  async function start() {
    gallery.connection = await connect(events);
    applyLooks(gallery.connection.host);
    setLanguage(gallery.connection.host.locale);
    draw();
    document.addEventListener("visibilitychange", shownAgain);
    addEventListener("online", () => refresh());
    document.addEventListener("clipchanged", () => refresh());
    if (!gallery.connection.host.present) return refresh();
    new IntersectionObserver(([entry]) => {
      inView = entry.isIntersecting;
      shownAgain();
    }).observe(document.documentElement);
    new ResizeObserver(gallery.connection.resized).observe(document.documentElement);
  }

  start();
  return gallery;
}

newGallery();
