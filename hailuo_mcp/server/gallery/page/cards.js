// What one sees: clips, takes side by side, films as strips. Drawn again and again in place.

/**
 * @typedef {Record<"root" | "stage" | "over" | "state" | "ago" | "badges" | "prompt" | "facts" | "why" | "actions",
 *   HTMLElement> & {shown: number}} Drawn - A card's parts that change, and how far its ring went.
 *
 * @typedef {Object} Group - A shot with its takes, or a film with its shots.
 * @property {string} key
 * @property {any} film
 * @property {any[]} cards
 * @property {number} at - For the order.
 */

const UNDER_WAY = ["pending", "submitting", "queued", "running", "saving"];
/** @type {Record<string, string>} */
const SIGNS = { failed: "!", cancelled: "–", unconfirmed: "?" };

/** @type {Map<string, Drawn>} */
const drawn = new Map();
/** @type {Map<string, HTMLElement>} */
const sections = new Map();
/** A group keeps its place when a newer take joins it. @type {Map<string, number>} */
const places = new Map();
/** When a card came, for the seconds since. */
const came = new WeakMap();
/** Prompts that are shown whole. */
const whole = new Set();
let ticking = 0;

/** @param {HTMLElement} root @param {Gallery} gallery */
function drawGallery(root, gallery) {
  const bar = document.getElementById("spending");
  if (bar) drawSpending(bar, gallery.spending);
  const groups = groupsOf(gallery);
  root.dataset.count = String(groups.length);
  const shown = groups.map((group) => drawGroup(gallery, group));
  arrange(root, shown.length ? shown : [emptyState()]);
  clampPrompts();
  clearInterval(ticking);
  /** @type {any[]} */
  const all = [...gallery.cards.values(), ...gallery.films.values()];
  const live = all.filter(isUnderWay);
  if (live.length) ticking = window.setInterval(() => tick(gallery, live), 1000);
}

/** @param {Gallery} gallery @param {any[]} live */
function tick(gallery, live) {
  if (!document.hidden) for (const card of live) drawRing(gallery, card);
}

function emptyState() {
  return make("div", "empty", make("h2", "", say("empty")), make("p", "", say("emptyHow")));
}

// ---- Groups

/** @param {Gallery} gallery @returns {Group[]} */
function groupsOf({ cards, films }) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const film of films.values()) {
    groups.set(film.id, { key: film.id, film, cards: [], at: film.created_at ?? 0 });
  }
  for (const card of cards.values()) {
    const source = cards.get(card.upgrade_of); // stands beside what it was made from
    const key = films.has(card.film_id) ? card.film_id : `shot ${source?.shot || card.shot || card.id}`;
    /** @type {Group} */
    const group = groups.get(key) ?? { key, film: null, cards: [], at: 0 };
    group.cards.push(card);
    group.at = Math.max(group.at, card.created_at ?? 0);
    groups.set(key, group);
  }
  for (const group of groups.values()) {
    group.at = places.get(group.key) ?? group.at;
    places.set(group.key, group.at);
    const rank = (/** @type {any} */ card) =>
      [card.place ?? 0, card.upgrade_of ? 1 : 0, card.take ?? 1, card.created_at ?? 0];
    group.cards.sort((one, other) => {
      const ranks = rank(other);
      return rank(one).map((value, at) => value - ranks[at]).find(Boolean) ?? 0;
    });
  }
  return [...groups.values()].sort((one, other) => other.at - one.at);
}

/** @param {Gallery} gallery @param {Group} group @returns {HTMLElement} */
function drawGroup(gallery, { key, film, cards }) {
  const section = sections.get(key) ??
    make("section", film ? "film" : "shot", make("header", "head"), make("div", film ? "strip" : "takes"));
  sections.set(key, section);
  const head = /** @type {HTMLElement} */ (section.firstElementChild);
  const list = /** @type {HTMLElement} */ (section.lastElementChild);
  if (film) {
    section.dataset.id = key;
    const shots = shotsOf(film, cards);
    const title = say("film", { n: shots.length });
    fill(head, title, () => [make("h2", "", title)]);
    arrange(section, [head, drawCard(gallery, film), list]);
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", title);
    list.tabIndex = 0; // it scrolls
    arrange(list, shots.map((card) => drawCard(gallery, card)));
  } else {
    const several = cards.length > 1;
    section.dataset.takes = String(Math.min(cards.length, 4));
    const { title, prompt } = cards[0];
    fill(head, several && [cards.length, title, prompt], () => [
      several && make("h2", "", say("takes", { n: cards.length })),
      several && promptOf(key, title, prompt),
    ]);
    arrange(list, cards.map((card) => drawCard(gallery, card, several)));
  }
  return section;
}

/** In order, with those that are not bought yet. @param {any} film @param {any[]} cards @returns {any[]} */
function shotsOf(film, cards) {
  const prompts = film.prompts ?? film.shots ?? [];
  const missing = prompts.map((/** @type {string} */ prompt, /** @type {number} */ at) => ({
    id: `${film.id} ${at + 1}`, place: at + 1, prompt, status: "notStarted", settled: true,
  }));
  const shots = cards.map((card) => card.place);
  return [...cards, ...missing.filter((/** @type {any} */ one) => !shots.includes(one.place))].sort(
    (one, other) => (one.place ?? 0) - (other.place ?? 0),
  );
}

// ---- A card

/** The word for its state: a key of WORDS. @param {any} card @returns {string} */
function stateOf({ status, saved, fetch, settled }) {
  if (status !== "succeeded") return status;
  return saved ? "saved" : fetch || settled ? "succeeded" : "saving";
}

/** @param {any} card */
function isUnderWay(card) {
  return UNDER_WAY.includes(stateOf(card));
}

/**
 * @param {Gallery} gallery
 * @param {any} card - Or a film.
 * @param {boolean} [inGroup] - Its prompt stands above it.
 * @returns {HTMLElement}
 */
function drawCard(gallery, card, inGroup = false) {
  const parts = drawn.get(card.id) ?? newCard(card.id);
  drawn.set(card.id, parts);
  if (!came.has(card)) came.set(card, performance.now());
  const { created_at: at, title, prompt, sandbox, cost } = card;
  const state = stateOf(card);
  parts.root.dataset.is = state;
  parts.root.setAttribute("aria-label", `${nameOf(card)}: ${say(state)}`);
  parts.stage.style.setProperty("--shape", shapeOf(gallery, card));
  fill(parts.state, state, () => [say(state)]);
  const ago = at ? agoText(at) : "";
  fill(parts.ago, ago, () => [ago]);
  if (at) parts.ago.title = dateText(at);
  const badges = [card.place && say("shot", { n: card.place }), takeText(card)].filter(Boolean);
  fill(parts.badges, [badges, sandbox], () => [
    ...badges.map((word) => make("span", "badge", word)),
    sandbox && make("span", "badge play-money", say("sandbox")),
  ]);
  const silent = inGroup || card.shots;
  fill(parts.prompt, !silent && [title, prompt], () => [!silent && promptOf(card.id, title, prompt)]);
  const [facts, money] = [factsOf(card), costOf(card)];
  fill(parts.facts, [facts, money], () => [
    facts, facts && money && " · ", money && make("span", cost?.charged === "maybe" ? "cost warn" : "cost", money),
  ]);
  drawWhy(parts.why, card);
  const buttons = actionButtons(gallery, card);
  fill(parts.actions, buttons.map((button) => button.outerHTML), () => buttons);
  drawStage(gallery, parts, card);
  return parts.root;
}

/** @param {string} id @returns {Drawn} */
function newCard(id) {
  const [over, state, ago] = [make("div", "over"), make("strong", "state"), make("span", "ago")];
  const [badges, prompt, facts] = [make("div", "badges"), make("div", ""), make("p", "facts")];
  const [why, actions] = [make("div", "why"), make("div", "actions")];
  const stage = make("div", "stage", over);
  const top = make("div", "top", state, ago);
  const body = make("div", "body", top, badges, prompt, facts, why, actions, panelOf(id));
  const root = make("article", { class: "card", "data-id": id }, make("div", "face", stage, body));
  return { root, stage, over, state, ago, badges, prompt, facts, why, actions, shown: 0 };
}

/** @param {any} card */
function nameOf(card) {
  if (card.shots) return say("film", { n: card.shots.length });
  const text = [...plainLine(card.title || card.prompt)];
  const prompt = text.length > 60 ? `${text.slice(0, 60).join("")}…` : text.join("");
  const place = card.place && say("shot", { n: card.place });
  return [place, takeText(card), prompt].filter(Boolean).join(", ") || say("clip");
}

/** @param {any} card */
function takeText({ upgrade_of: draft, take, again }) {
  if (draft) return say("upgraded");
  return take > 1 || again?.take > 2 ? say("take", { n: take ?? 1 }) : "";
}

/**
 * Three lines of it, the rest on request.
 * @param {string} key
 * @param {unknown} title
 * @param {unknown} prompt
 */
function promptOf(key, title, prompt) {
  const text = plainText(prompt).trim();
  const words = make("p", { class: text ? "prompt" : "soft", dir: "auto" }, text || say("noPrompt"));
  const more = actionButton("more", "more");
  const show = () => {
    const open = whole.has(key);
    words.classList.toggle("whole", open);
    if (open) words.tabIndex = 0; // it scrolls
    else words.removeAttribute("tabindex");
    more.textContent = say(open ? "less" : "more");
    more.setAttribute("aria-expanded", String(open));
  };
  more.addEventListener("click", () => {
    if (!whole.delete(key)) whole.add(key);
    show();
  });
  more.hidden = true;
  show();
  const name = plainLine(title);
  return make("div", "clamp", name && make("p", { class: "title", dir: "auto" }, name), words, more);
}

/** Offer "More" only where something is cut off; reads all, then writes all. */
function clampPrompts() {
  const cut = [...document.querySelectorAll(".prompt")].map((words) =>
    words.classList.contains("whole") || words.scrollHeight > words.clientHeight + 2);
  document.querySelectorAll(".prompt + .more").forEach((more, at) => more.toggleAttribute("hidden", !cut[at]));
}

/** @param {any} card */
function factsOf({ model, resolution, width, height, seconds, duration, mode }) {
  const length = seconds ?? duration;
  return [
    plainLine(model),
    plainLine(resolution) || (width && `${width} × ${height}`),
    length && say("seconds", { n: Math.round(length * 10) / 10 }),
    mode && Object.hasOwn(WORDS, mode) && say(mode),
  ].filter(Boolean).join(" · ");
}

/** @type {Record<string, string>} */
const MONEY = { yes: "charged", maybe: "maybe", "not yet": "notYet", no: "notCharged" };

/** @param {any} card */
function costOf({ cost, sandbox }) {
  if (!cost) return "";
  const price = amountText(cost);
  if (sandbox) return cost.amount ? say("worth", { price }) : "";
  if (!cost.amount && cost.charged !== "no") return price;
  return Object.hasOwn(MONEY, cost.charged) ? say(MONEY[cost.charged], { price }) : price;
}

/** Why there is no clip, whether money moved, what to do. @param {HTMLElement} element @param {any} card */
function drawWhy(element, card) {
  const { error_kind: kind, explanation, cost, again, sandbox } = card;
  const state = stateOf(card);
  const gone = again?.unavailable;
  // An upgrade's own draft has the button.
  const why = gone && gone !== "upgrade" && say(Object.hasOwn(WORDS, `no_${gone}`) ? `no_${gone}` : "no_take");
  fill(element, [state, kind, explanation, cost, why, sandbox], () => {
    const ended = Object.hasOwn(SIGNS, state);
    const reason = state === "failed" ? reasonOf(kind) : null;
    const general = ended ? say(`${state}What`) : card.fetch ? say("fetchWhat") : "";
    // The server's English says it all: what happened, the money, what to do.
    const told = !chinese && explanation;
    const charged = cost?.charged === "yes" ? "chargedYes" : cost?.charged === "maybe" ? "chargedMaybe" : "chargedNo";
    return [
      reason && make("p", "what", reason.what),
      told ? make("p", { dir: "auto" }, plainText(explanation)) : (reason ? "" : general) && make("p", "", general),
      ended && !told && make("p", "", `${say(sandbox ? "chargedNo" : charged)}${reason?.next ?? ""}`),
      !told && serverSays(explanation),
      why && make("p", "soft", why),
    ];
  });
}

// ---- The stage

/** Width through height, so that nothing jumps when the clip is there. @param {Gallery} gallery @param {any} card */
function shapeOf({ cards, films }, card) {
  const takes = [...cards.values()].filter(({ shot }) => shot && shot === card.shot);
  const kin = [card, cards.get(card.upgrade_of), films.get(card.film_id), cards.get(card.shots?.[0]), ...takes];
  const known = kin.find((one) => one?.width > 0 && one?.height > 0);
  return String(known ? Math.min(2.6, Math.max(0.5, known.width / known.height)) : 16 / 9);
}

/** @param {Gallery} gallery @param {Drawn} parts @param {any} card */
function drawStage(gallery, { over, stage }, card) {
  const state = stateOf(card);
  const kind = isPlayable(card) ? "play" : isUnderWay(card) ? "ring" : state;
  fill(over, [kind, kind === "play" && nameOf(card)], () => {
    if (kind === "ring") return [newRing()];
    if (kind === "play") return [playButton(gallery, stage, card)];
    return [make("span", Object.hasOwn(SIGNS, state) ? "sign" : "soft", SIGNS[state] ?? say(state))];
  });
  if (kind === "ring") drawRing(gallery, card);
  if (card.poster) showPoster(gallery.connection, card, stage);
}

/** @param {Gallery} gallery @param {HTMLElement} stage @param {any} card */
function playButton(gallery, stage, card) {
  const button = actionButton("play", "play", icon("M5 3.2v9.6L13 8z"));
  button.setAttribute("aria-label", `${say("play")}: ${nameOf(card)}`);
  button.addEventListener("click", () =>
    playClip(gallery.connection, latest(gallery, card.id) ?? card, stage));
  return button;
}

function newRing() {
  const circle = { tag: "circle", cx: "50", cy: "50", r: "44", pathLength: "100" };
  const svg = drawing("", "0 0 100 100", circle, { ...circle, class: "arc" });
  return make(
    "div", { class: "ring", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" },
    svg, make("b", ""), make("span", ""),
  );
}

/** The ring as it is this second. @param {Gallery} gallery @param {any} card */
function drawRing(gallery, card) {
  const parts = drawn.get(card.id);
  const ring = /** @type {HTMLElement | null} */ (parts?.over.querySelector(".ring"));
  if (!parts || !ring) return;
  const since = (performance.now() - came.get(card)) / 1000;
  const { elapsed_seconds: told, eta_seconds: eta, created_at: at, shots } = card;
  const elapsed = told === undefined ? Math.max(0, Date.now() / 1000 - (at ?? Infinity)) : told + since;
  const left = eta === undefined ? undefined : eta - since;
  let done = left === undefined ? undefined : elapsed / (elapsed + Math.max(left, 0) || 1);
  if (shots) done = shots.filter((/** @type {string} */ id) => gallery.cards.get(id)?.saved).length / shots.length;
  ring.classList.toggle("unknown", done === undefined);
  if (done === undefined) {
    ring.removeAttribute("aria-valuenow");
  } else {
    parts.shown = Math.min(0.99, Math.max(parts.shown, done)); // it does not go back
    ring.style.setProperty("--done", String(parts.shown * 100));
    ring.setAttribute("aria-valuenow", String(Math.round(parts.shown * 100)));
  }
  const soon = left !== undefined && left < 1;
  const clock = soon ? "" : clockText(left ?? elapsed);
  const words = say(soon ? "soon" : left === undefined ? "soFar" : "left");
  const [, time, unit] = ring.children;
  if (time.textContent !== clock) time.textContent = clock;
  if (unit.textContent !== words) unit.textContent = words;
  ring.setAttribute("aria-label", nameOf(card));
  ring.setAttribute("aria-valuetext", `${say(stateOf(card))}, ${clock} ${words}`);
}

// ---- The budget

/** @param {HTMLElement} element @param {any} spending */
function drawSpending(element, spending) {
  fill(element, spending, () => {
    const { unit, period, spent, reserved, uncertain, budget, left } = spending ?? {};
    if (!unit || spent === undefined) return [];
    const text = (/** @type {string} */ amount) => amountText({ amount, unit });
    const said = [say(`spent_${period ?? "total"}`, { price: text(spent) })];
    if (Number(reserved)) said.push(say("reserved", { price: text(reserved) }));
    if (Number(uncertain)) said.push(say("uncertain", { price: text(uncertain) }));
    const words = say("budgetLeft", { left: text(left ?? "0"), budget: text(budget ?? "0") });
    return [
      make("span", "", said.join(" · ")),
      budget && make("span", "budget", make("meter", { value: left ?? 0, max: budget, "aria-label": words }), words),
    ];
  });
}
