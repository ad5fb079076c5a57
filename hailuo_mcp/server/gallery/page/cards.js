// What one sees: clips, takes side by side, films as strips. Drawn again and again in place.

/**
 * @typedef {Record<"root" | "stage" | "over" | "state" | "ago" | "badges" | "words" | "facts" | "why" | "actions",
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
  const { cards, films, spending } = gallery;
  drawSpending(spending);
  const shown = groupsOf(gallery).map((group) => drawGroup(gallery, group));
  root.dataset.count = String(shown.length);
  const empty = () => make("div", "empty", make("h2", "", say("empty")), make("p", "", say("emptyHow")));
  arrange(root, shown.length ? shown : [empty()]);
  clampPrompts();
  clearInterval(ticking);
  /** @type {any[]} */
  const live = [...cards.values(), ...films.values()].filter(isUnderWay);
  if (!live.length) return;
  ticking = window.setInterval(() => {
    if (!document.hidden) for (const card of live) drawRing(gallery, card);
  }, 1000);
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
  const [head, list] = /** @type {HTMLElement[]} */ ([section.firstElementChild, section.lastElementChild]);
  const several = cards.length > 1;
  if (film) {
    section.dataset.id = key;
    fill(head, film.shots.length, () => [make("h2", "", nameOf(film))]);
    arrange(section, [head, drawCard(gallery, film), list]);
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", nameOf(film));
    list.tabIndex = 0; // it scrolls
  } else {
    const [{ title, prompt }] = cards;
    section.dataset.takes = String(Math.min(cards.length, 4));
    const n = cards.filter((card) => !card.upgrade_of).length;
    const names = [n > 1 ? say("takes", { n }) : say("clip"), n < cards.length && say("upgrade")];
    fill(head, several && [names, title, prompt], () =>
      several ? [make("h2", "", names.filter(Boolean).join(" + ")), promptOf(key, title, prompt)] : []);
  }
  const shown = film ? shotsOf(film, cards) : cards;
  arrange(list, shown.map((card) => drawCard(gallery, card, several && !film)));
  return section;
}

/** In order, with those that are not bought yet. @param {any} film @param {any[]} cards @returns {any[]} */
function shotsOf(film, cards) {
  const missing = listOf(film.prompts)
    .map((prompt, at) => ({ id: `${film.id} ${at + 1}`, place: at + 1, prompt, status: "planned", settled: true }))
    .filter(({ place }) => !cards.some((card) => card.place === place));
  return [...cards, ...missing].sort((one, other) => (one.place ?? 0) - (other.place ?? 0));
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
  const { id, created_at: at, title, prompt, sandbox, cost, shots, place, film_id, upgrade_of } = card;
  const state = stateOf(card);
  parts.root.dataset.is = state;
  parts.root.setAttribute("aria-label", `${nameOf(card)}: ${say(state)}`);
  parts.stage.style.setProperty("--shape", shapeOf(gallery, card));
  parts.state.textContent = say(state);
  parts.ago.textContent = at ? agoText(at) : "";
  if (at) parts.ago.title = dateText(at);
  const newest = gallery.films.get(film_id)?.shots; // a shot that was made again has older ones
  const earlier = newest && place && !upgrade_of && !newest.includes(id);
  const badges = [place && say("shot", { n: place }), takeText(card), earlier && say("earlier")].filter(Boolean);
  fill(parts.badges, [badges, sandbox], () => [
    ...badges.map((word) => make("span", "badge", word)),
    sandbox && make("span", "badge play-money", say("sandbox")),
  ]);
  const told = !inGroup && !shots && [title, prompt];
  fill(parts.words, told, () => [told && promptOf(id, title, prompt)]);
  const [facts, money] = [factsOf(card), costOf(card)];
  fill(parts.facts, [facts, money], () => [
    facts, facts && money && " · ", money && make("span", cost.charged === "maybe" ? "warn" : "cost", money),
  ]);
  drawWhy(parts.why, card);
  const buttons = actionButtons(gallery, card);
  fill(parts.actions, buttons.map((button) => button.outerHTML), () => buttons);
  drawStage(gallery, parts, card);
  return parts.root;
}

/** @param {string} id @returns {Drawn} */
function newCard(id) {
  const [over, state, ago, badges, words, facts, why, actions] =
    ["over", "state", "ago", "badges", "words", "facts", "why", "actions"].map((name) => make("div", name));
  const stage = make("div", "stage", over);
  const top = make("div", "top", state, ago);
  const body = make("div", "body", top, badges, words, facts, why, actions, panelOf(id));
  const root = make("article", { class: "card", "data-id": id }, make("div", "face", stage, body));
  return { root, stage, over, state, ago, badges, words, facts, why, actions, shown: 0 };
}

/** @param {any} card */
function nameOf(card) {
  const { shots, place, title, prompt } = card;
  if (shots) return say("film", { n: shots.length });
  const names = [place && say("shot", { n: place }), takeText(card), shortLine(title || prompt)];
  return names.filter(Boolean).join(", ") || say("clip");
}

/** @param {any} card */
function takeText({ upgrade_of, take = 1, again }) {
  if (upgrade_of) return say("upgrade");
  return take > 1 || again?.take > 2 ? say("take", { n: take }) : "";
}

/**
 * Three lines of it, the rest on request.
 * @param {string} key
 * @param {unknown} title
 * @param {unknown} prompt
 */
function promptOf(key, title, prompt) {
  const words = make("p", { class: "prompt", dir: "auto" }, plainText(prompt).trim());
  const more = actionButton("more", "more");
  const show = () => {
    const open = whole.has(key);
    words.classList.toggle("whole", open);
    words.tabIndex = open ? 0 : -1; // it scrolls
    more.textContent = say(open ? "less" : "more");
    more.setAttribute("aria-expanded", String(open));
  };
  more.onclick = () => {
    if (!whole.delete(key)) whole.add(key);
    show();
  };
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
    sayCode(mode),
  ].filter(Boolean).join(" · ");
}

/** @type {Record<string, string>} */
const MONEY = { yes: "charged", maybe: "maybe", "not yet": "notYet", no: "notCharged" };

/** @param {any} card */
function costOf({ cost, sandbox }) {
  const { amount, charged } = cost ?? {};
  if (!cost || (sandbox && !amount)) return "";
  const price = amountText(cost);
  const key = sandbox && charged !== "no" ? "worth" : amount || charged === "no" ? MONEY[charged] : "";
  return key ? say(key, { price }) : price;
}

/** Why there is no clip, and what to do. @param {HTMLElement} element @param {any} card */
function drawWhy(element, card) {
  const { error_kind: kind, explanation, again, fetch } = card;
  const state = stateOf(card);
  const gone = again?.unavailable;
  // An upgrade's own draft has the button.
  const why = gone && gone !== "upgrade" && !isUnderWay(card) && say(known(`no_${gone}`) ? `no_${gone}` : "no_take");
  const reason = state === "failed" && sayCode(kind);
  const general = state === "unconfirmed" ? "unsure" : fetch ? "fetchWhat" : state === "failed" && !reason && "not_made";
  fill(element, [state, kind, explanation, why, fetch], () => [
    reason && make("p", "what", reason),
    // The server's English says it all: what happened, the money, what to do.
    !chinese && explanation
      ? make("p", { dir: "auto" }, plainText(explanation))
      : general && make("p", "", say(general)),
    chinese && serverSays(explanation),
    why && make("p", "soft", why),
  ]);
}

// ---- The stage

/** Width through height, so that nothing jumps when the clip is there. @param {Gallery} gallery @param {any} card */
function shapeOf({ cards, films }, { shot, ...card }) {
  const takes = [...cards.values()].filter((one) => shot && one.shot === shot);
  const kin = [card, cards.get(card.upgrade_of), films.get(card.film_id), cards.get(card.shots?.[0]), ...takes];
  const { width, height } = kin.find((one) => one?.width > 0 && one.height > 0) ?? { width: 16, height: 9 };
  return String(Math.min(2.6, Math.max(0.5, width / height)));
}

/** @param {Gallery} gallery @param {Drawn} parts @param {any} card */
function drawStage(gallery, { over, stage }, card) {
  const state = stateOf(card);
  const kind = isPlayable(card) ? "play" : isUnderWay(card) ? "ring" : state;
  fill(over, [kind, kind === "play" && nameOf(card)], () => {
    clearFailure(stage);
    if (kind === "ring") return [newRing()];
    if (kind === "play") return [playButton(gallery, stage, card)];
    return [make("span", SIGNS[state] ? "sign" : "soft", SIGNS[state] ?? say(state))];
  });
  if (kind === "ring") drawRing(gallery, card);
  if (card.poster) showPoster(gallery.connection, card, stage);
}

/** @param {Gallery} gallery @param {HTMLElement} stage @param {any} card */
function playButton(gallery, stage, card) {
  const button = actionButton("play", "play", icon("M5 3.2v9.6L13 8z"));
  button.setAttribute("aria-label", `${say("play")}: ${nameOf(card)}`);
  button.onclick = () => playClip(gallery.connection, latest(gallery, card.id) ?? card, stage);
  return button;
}

function newRing() {
  const circle = { tag: "circle", cx: "50", cy: "50", r: "44", pathLength: "100" };
  const svg = drawing("", "0 0 100 100", circle, { ...circle, class: "arc" });
  const given = { class: "ring", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" };
  return make("div", given, svg, make("b", ""), make("span", ""));
}

/** The ring as it is this second. @param {Gallery} gallery @param {any} card */
function drawRing(gallery, card) {
  const parts = drawn.get(card.id);
  const ring = /** @type {HTMLElement | null} */ (parts?.over.querySelector(".ring"));
  if (!parts || !ring) return;
  const since = (performance.now() - came.get(card)) / 1000;
  const { elapsed_seconds: told, eta_seconds: eta, created_at: at, shots } = card;
  // What is not known is NaN.
  const elapsed = told + since || Math.max(0, Date.now() / 1000 - at) || 0;
  const left = eta - since;
  const done = shots
    ? shots.filter((/** @type {string} */ id) => gallery.cards.get(id)?.saved).length / shots.length
    : elapsed / (elapsed + Math.max(left, 0.1));
  const counts = done >= 0;
  ring.classList.toggle("unknown", !counts);
  if (counts) parts.shown = Math.min(0.99, Math.max(parts.shown, done)); // it does not go back
  ring.style.setProperty("--done", String(parts.shown * 100));
  if (counts) ring.setAttribute("aria-valuenow", String(Math.round(parts.shown * 100)));
  else ring.removeAttribute("aria-valuenow");
  const soon = left < 1;
  const clock = soon ? "" : clockText(left || elapsed);
  const words = say(soon ? "soon" : left ? "left" : "soFar");
  const [, time, unit] = ring.children;
  time.textContent = clock;
  unit.textContent = words;
  ring.setAttribute("aria-label", nameOf(card));
  ring.setAttribute("aria-valuetext", `${say(stateOf(card))}, ${clock} ${words}`);
}

// ---- The budget

/** @param {any} spending */
function drawSpending(spending) {
  fill(byId("spending"), spending, () => {
    const { unit, period = "total", budget, left = 0, ...amounts } = spending ?? {};
    if (!unit || amounts.spent === undefined) return [];
    const words = budgetText(spending);
    const said = ["spent", "reserved", "uncertain"]
      .filter((key) => key === "spent" || Number(amounts[key]))
      .map((key) => say(key === "spent" ? `spent_${period}` : key, { price: amountText({ amount: amounts[key], unit }) }));
    return [
      spending.sandbox && make("span", "badge play-money", say("sandbox")),
      make("span", "", said.join(" · ")),
      budget && make("span", "budget", make("meter", { value: left, max: budget, "aria-label": words }), words),
    ];
  });
}
