// What one sees: clips, takes side by side, films as strips. Drawn again and again in place.

/**
 * @typedef {Object} Drawn - The parts of a card that change.
 * @property {HTMLElement} root
 * @property {HTMLElement} stage
 * @property {HTMLElement} over - On the stage: the ring, a sign, or the play button.
 * @property {HTMLElement} state
 * @property {HTMLElement} ago
 * @property {HTMLElement} badges
 * @property {HTMLElement} title
 * @property {HTMLElement} prompt
 * @property {HTMLElement} facts
 * @property {HTMLElement} trouble
 * @property {HTMLElement} actions
 * @property {string} was - Its state when it was last drawn.
 * @property {number} shown - Its progress when it was last drawn: it does not go back.
 *
 * @typedef {Object} Group - A shot with its takes, or a film with its shots.
 * @property {string} key
 * @property {any} film
 * @property {any[]} cards
 * @property {number} at - For the order.
 */

const UNDER_WAY = new Set(["pending", "submitting", "queued", "running"]);
const SIGNS = { failed: "!", cancelled: "–", unconfirmed: "?" };

/** @type {Map<string, Drawn>} */
const drawn = new Map();
/** @type {Map<string, HTMLElement>} */
const sections = new Map();
/** A group keeps its place when a newer take joins it. @type {Map<string, number>} */
const places = new Map();
/** What stands in an element, so that it is left alone until that changes. */
const filled = new WeakMap();
/** When a card came, for the seconds since. */
const came = new WeakMap();
/** Prompts that are shown whole. */
const whole = new Set();
let ticking = 0;
/** @type {Gallery | null} */
let shownGallery = null;

/** @param {HTMLElement} root @param {Gallery} gallery */
function drawGallery(root, gallery) {
  shownGallery = gallery;
  drawSpending(gallery.spending);
  const groups = groupsOf(gallery);
  root.dataset.count = String(groups.length);
  const elements = groups.map((group) => drawGroup(gallery, group));
  if (!groups.length) elements.push(emptyState());
  arrange(root, elements);
  forget(gallery, groups);
  clampPrompts();
  const live = [...gallery.cards.values(), ...gallery.films.values()].some(isUnderWay);
  if (live && !ticking) ticking = window.setInterval(tick, 1000);
  else if (!live && ticking) ticking = void clearInterval(ticking) ?? 0;
}

/** @returns {HTMLElement} */
function emptyState() {
  const known = sections.get("");
  const element = known ?? make("div", "empty");
  sections.set("", element);
  fill(element, "empty", () => [make("h2", "", say("empty")), make("p", "", say("emptyHow"))]);
  return element;
}

// ---- In place

/**
 * Put children in order; what stays where it is is not touched, so that a video plays on.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} children
 */
function arrange(parent, children) {
  const wanted = new Set(/** @type {Node[]} */ (children));
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let next = parent.firstChild;
  for (const child of children) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
}

/**
 * Rebuild an element's content only if its facts changed; empty, it is hidden.
 * @param {HTMLElement} element
 * @param {unknown} facts
 * @param {() => (Node | string)[]} build
 */
function fill(element, facts, build) {
  const key = JSON.stringify([chinese, facts]);
  if (filled.get(element) === key) return;
  filled.set(element, key);
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const action = element.contains(focused) ? focused?.dataset.do : undefined;
  element.replaceChildren(...build());
  element.hidden = !element.hasChildNodes();
  if (action === undefined) return;
  const heir = element.querySelector(`[data-do="${action}"]`) ?? element.querySelector("button");
  /** @type {HTMLElement | null} */ (heir)?.focus({ preventScroll: true });
}

/** Leave out what is no longer there. @param {Gallery} gallery @param {Group[]} groups */
function forget(gallery, groups) {
  const keys = new Set(groups.map((group) => group.key));
  for (const key of sections.keys()) if (key && !keys.has(key)) sections.delete(key);
  for (const id of drawn.keys()) if (!latest(gallery, id)) drawn.delete(id);
}

// ---- Groups

/** @param {Gallery} gallery @returns {Group[]} */
function groupsOf(gallery) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const film of gallery.films.values()) {
    const key = `film ${film.id}`;
    groups.set(key, { key, film, cards: [], at: film.created_at ?? 0 });
  }
  for (const card of gallery.cards.values()) {
    const film = `film ${card.film_id}`;
    const key = groups.has(film) ? film : `shot ${shotOf(gallery, card)}`;
    const group = groups.get(key) ?? { key, film: null, cards: [], at: 0 };
    group.cards.push(card);
    group.at = Math.max(group.at, card.created_at ?? 0);
    groups.set(key, group);
  }
  for (const group of groups.values()) {
    group.at = places.get(group.key) ?? group.at;
    places.set(group.key, group.at);
    group.cards.sort(
      (one, other) =>
        (one.place ?? 0) - (other.place ?? 0) ||
        Number(Boolean(one.upgrade_of)) - Number(Boolean(other.upgrade_of)) ||
        (one.take ?? 1) - (other.take ?? 1) ||
        (one.created_at ?? 0) - (other.created_at ?? 0),
    );
  }
  return [...groups.values()].sort((one, other) => other.at - one.at);
}

/** An upgrade stands beside the take that it was made from. @param {Gallery} gallery @param {any} card */
function shotOf(gallery, card) {
  const source = gallery.cards.get(card.upgrade_of);
  return (source && source !== card && source.shot) || card.shot || card.id;
}

/** @param {Gallery} gallery @param {Group} group @returns {HTMLElement} */
function drawGroup(gallery, group) {
  let section = sections.get(group.key);
  if (!section) {
    const list = make(group.film ? "ol" : "div", group.film ? "strip" : "takes");
    section = make("section", group.film ? "film" : "shot", make("header", "head"), list);
    sections.set(group.key, section);
  }
  const head = /** @type {HTMLElement} */ (section.firstElementChild);
  const list = /** @type {HTMLElement} */ (section.lastElementChild);
  const { film, cards } = group;
  if (film) {
    drawFilm(gallery, section, head, list, group);
  } else {
    const several = cards.length > 1;
    section.dataset.takes = String(Math.min(cards.length, 4));
    const [first] = cards;
    fill(head, several && [cards.length, first.prompt, first.title], () =>
      several
        ? [
            make("h2", "", say("takes", { n: cards.length })),
            titleOf(first),
            promptOf(`takes ${group.key}`, first.prompt),
          ]
        : [],
    );
    arrange(list, cards.map((card) => drawCard(gallery, card, several).root));
  }
  return section;
}

/**
 * The joined file first, then its shots in order.
 * @param {Gallery} gallery
 * @param {HTMLElement} section
 * @param {HTMLElement} head
 * @param {HTMLElement} strip
 * @param {Group} group
 */
function drawFilm(gallery, section, head, strip, { film, cards }) {
  const count = film.shots?.length ?? cards.length;
  fill(head, count, () => [make("h2", "", say("filmShots", { n: count }))]);
  const joined = drawCard(gallery, film, false).root;
  arrange(section, [head, joined, strip]);
  strip.setAttribute("aria-label", say("shots"));
  strip.tabIndex = 0;
  const newest = new Set(film.shots);
  const items = [];
  for (let place = 1; place <= count; place++) {
    const takes = cards.filter((card) => card.place === place);
    if (!takes.length) items.push(emptyShot(film, place));
    for (const card of takes) {
      const { root } = drawCard(gallery, card, false);
      root.classList.toggle("earlier", newest.size > 0 && !newest.has(card.id));
      items.push(stripItem(card.id, root));
    }
  }
  const placed = cards.filter((card) => !(card.place >= 1 && card.place <= count));
  items.push(...placed.map((card) => stripItem(card.id, drawCard(gallery, card, false).root)));
  arrange(strip, items);
}

/** @type {Map<string, HTMLElement>} */
const stripItems = new Map();

/** @param {string} key @param {HTMLElement} content */
function stripItem(key, content) {
  const item = stripItems.get(key) ?? make("li", "");
  stripItems.set(key, item);
  if (content.parentNode !== item) item.replaceChildren(content);
  return item;
}

/** A shot that is not bought yet. @param {any} film @param {number} place */
function emptyShot(film, place) {
  const item = stripItems.get(`${film.id} ${place}`) ?? make("li", "");
  stripItems.set(`${film.id} ${place}`, item);
  const prompt = film.prompts?.[place - 1];
  fill(item, prompt, () => {
    const stage = make("div", "stage", make("div", "over", make("span", "soft", say("notStarted"))));
    const badge = make("span", "badge", say("shot", { n: place }));
    const body = make("div", "body", make("div", "badges", badge), promptOf(`${film.id} ${place}`, prompt));
    return [make("article", "card", make("div", "face", stage, body))];
  });
  return item;
}

// ---- A card

/** @param {any} card */
function isUnderWay(card) {
  return UNDER_WAY.has(card.status) || (card.status === "succeeded" && !card.saved && !card.settled);
}

/** The word for its state: a key of WORDS. @param {any} card */
function stateOf(card) {
  if (card.status !== "succeeded") return card.status;
  if (card.saved) return "saved";
  return card.fetch || card.settled ? "succeeded" : "saving";
}

/**
 * @param {Gallery} gallery
 * @param {any} card - Or a film.
 * @param {boolean} inGroup - Its prompt stands above it.
 * @returns {Drawn}
 */
function drawCard(gallery, card, inGroup) {
  const parts = drawn.get(card.id) ?? newCard(card);
  drawn.set(card.id, parts);
  if (!came.has(card)) came.set(card, performance.now());
  const state = stateOf(card);
  const name = nameOf(card);
  parts.root.dataset.state = state;
  parts.root.setAttribute("aria-label", `${name}: ${say(state)}`);
  if (parts.was && parts.was !== state) announce(`${name}: ${say(state)}`);
  parts.was = state;
  parts.stage.style.setProperty("--shape", shapeOf(gallery, card));

  fill(parts.state, state, () => [say(state)]);
  const ago = card.created_at ? agoText(card.created_at) : "";
  fill(parts.ago, ago, () => (ago ? [ago] : []));
  parts.ago.title = card.created_at ? dateText(card.created_at) : "";
  drawBadges(parts.badges, card);
  fill(parts.title, !inGroup && card.title, () => (!inGroup && card.title ? [titleOf(card)] : []));
  fill(parts.prompt, !inGroup && card.prompt, () =>
    inGroup || card.prompt === undefined ? [] : [promptOf(card.id, card.prompt)],
  );
  const facts = factsOf(card);
  fill(parts.facts, facts, () => facts.flatMap(([key, words], at) => {
    const fact = make("span", key, words);
    return at ? [" · ", fact] : [fact];
  }));
  drawTrouble(parts.trouble, card);
  const buttons = actionButtons(gallery, card);
  fill(parts.actions, buttons.map((button) => button.outerHTML), () => buttons);
  drawStage(gallery, parts, card);
  return parts;
}

/** @param {any} card @returns {Drawn} */
function newCard(card) {
  const over = make("div", "over");
  const stage = make("div", "stage", over);
  const [state, ago] = [make("strong", "state"), make("time", "ago")];
  const parts = {
    badges: make("div", "badges"),
    title: make("div", ""),
    prompt: make("div", ""),
    facts: make("p", "facts"),
    trouble: make("div", "why"),
    actions: make("div", "actions"),
  };
  const body = make("div", "body", make("div", "top", state, ago), ...Object.values(parts), panelOf(card.id));
  const root = make("article", "card", make("div", "face", stage, body));
  root.dataset.id = card.id;
  return { root, stage, over, state, ago, ...parts, was: "", shown: 0 };
}

/** What a card is called. @param {any} card */
function nameOf(card) {
  if (card.shots) return say("film");
  const parts = [card.place ? say("shot", { n: card.place }) : "", takeText(card)];
  const prompt = plainLine(card.title ?? card.prompt);
  parts.push(prompt.length > 60 ? `${[...prompt].slice(0, 60).join("")}…` : prompt);
  return parts.filter(Boolean).join(", ") || say("clip");
}

/** @param {any} card */
function takeText(card) {
  if (card.upgrade_of) return say("upgraded");
  return card.take > 1 || card.again?.take > 2 ? say("take", { n: card.take ?? 1 }) : "";
}

/** @param {HTMLElement} element @param {any} card */
function drawBadges(element, card) {
  const words = [card.place ? say("shot", { n: card.place }) : "", takeText(card)].filter(Boolean);
  fill(element, [words, card.sandbox], () => [
    ...words.map((word) => make("span", "badge", word)),
    ...(card.sandbox ? [make("span", "badge play-money", say("sandbox"))] : []),
  ]);
}

/** @param {any} card */
function titleOf(card) {
  return card.title ? make("p", "title", make("bdi", "", plainLine(card.title))) : "";
}

/** Three lines of it, the rest on request. @param {string} key @param {unknown} prompt */
function promptOf(key, prompt) {
  const text = plainText(prompt).trim();
  if (!text) return make("p", "prompt soft", say("noPrompt"));
  const words = make("p", "prompt", text);
  words.dir = "auto";
  const more = make("button", "more");
  more.setAttribute("type", "button");
  more.hidden = true;
  const show = () => {
    const open = whole.has(key);
    words.classList.toggle("whole", open);
    if (open) words.tabIndex = 0;
    else words.removeAttribute("tabindex");
    more.textContent = say(open ? "less" : "more");
    more.setAttribute("aria-expanded", String(open));
  };
  more.addEventListener("click", () => {
    if (!whole.delete(key)) whole.add(key);
    show();
  });
  show();
  return make("div", "clamp", words, more);
}

/** Offer "More" only where something is cut off; reads all, then writes all. */
function clampPrompts() {
  const found = [...document.querySelectorAll(".clamp")].map((clamp) => {
    const [words, more] = /** @type {HTMLCollectionOf<HTMLElement>} */ (clamp.children);
    return { more, cut: words.classList.contains("whole") || words.scrollHeight > words.clientHeight + 2 };
  });
  for (const { more, cut } of found) if (more.hidden === cut) more.hidden = !cut;
}

/** Model, size, length, money: as [class, words]. @param {any} card @returns {[string, string][]} */
function factsOf(card) {
  const length = card.seconds ?? card.duration;
  /** @type {[string, string][]} */
  const facts = [
    ["", plainLine(card.model).replace(/^MiniMax-/i, "")],
    ["", plainLine(card.resolution) || (card.width ? `${card.width} × ${card.height}` : "")],
    ["", length ? say("seconds", { n: Math.round(length * 10) / 10 }) : ""],
    ["", card.mode && card.mode !== "t2v" && Object.hasOwn(WORDS, card.mode) ? say(card.mode) : ""],
    ["cost", costOf(card)],
  ];
  return facts.filter(([, words]) => words);
}

/** @param {any} card */
function costOf(card) {
  const { cost } = card;
  if (!cost) return "";
  const price = amountText(cost);
  if (card.sandbox) return cost.amount ? say("worth", { price }) : "";
  if (cost.charged === "no") return say("notCharged");
  if (!cost.amount) return price;
  const keys = { yes: "charged", maybe: "maybe", "not yet": "notYet" };
  const key = keys[/** @type {"yes"} */ (cost.charged)];
  return key ? say(key, { price }) : price;
}

/** Why there is no clip, whether money moved, what to do. @param {HTMLElement} element @param {any} card */
function drawTrouble(element, card) {
  const { error_code: code, explanation, cost, again } = card;
  const state = stateOf(card);
  const unavailable = state === "saved" || state in SIGNS ? again?.unavailable : undefined;
  fill(element, [state, code, explanation, cost, unavailable, card.fetch], () => {
    /** @type {(Node | string)[]} */
    const said = [];
    const sentence = (/** @type {string} */ kind, /** @type {string} */ text) => {
      if (text) said.push(make("p", kind, plainText(text)));
    };
    if (state in SIGNS) {
      const known = state === "failed" && code ? failureText(code) : null;
      const own = known ?? { what: say(`${state}What`), next: say(`${state}Next`, { id: card.id }) };
      // The server's English says more than our general sentence; in Chinese it stands below.
      const specific = state === "failed" && !known && !chinese && explanation;
      sentence("what", specific || own.what);
      if (!specific) sentence("", moneyText(card));
      if (!specific) sentence("", own.next);
      if (explanation && !specific) {
        const holder = make("div", "");
        serverSays(holder, explanation);
        said.push(...holder.childNodes);
      }
    } else if (card.fetch && state === "succeeded") {
      sentence("what", say("fetchWhat"));
      sentence("", say("fetchNext"));
    } else if (state === "planned") {
      sentence("", say("plannedNext"));
    }
    if (unavailable) sentence("soft", say(Object.hasOwn(WORDS, `no_${unavailable}`) ? `no_${unavailable}` : "no_again"));
    return said;
  });
}

/** @param {any} card */
function moneyText(card) {
  const { cost } = card;
  if (card.sandbox) return say("chargedNo");
  const price = amountText(cost);
  if (cost?.charged === "yes") return say("chargedYes");
  if (cost?.charged === "maybe") {
    return `${say("chargedMaybe")}${cost.amount ? ` ${say("heldBack", { price })}` : ""}`;
  }
  return say(cost?.charged === "not yet" ? "chargedNotYet" : "chargedNo");
}

// ---- The stage

/** Width through height; nothing jumps when the clip is there. @param {Gallery} gallery @param {any} card */
function shapeOf(gallery, card) {
  const relatives = [card, gallery.cards.get(card.upgrade_of), gallery.films.get(card.film_id)];
  for (const other of gallery.cards.values()) {
    if (other.shot && other.shot === card.shot) relatives.push(other);
  }
  const known = relatives.find((one) => one?.width > 0 && one?.height > 0);
  // Wider or taller than this would leave nothing of it, or push all else away.
  return String(known ? Math.min(2.6, Math.max(0.5, known.width / known.height)) : 16 / 9);
}

/** @param {Gallery} gallery @param {Drawn} parts @param {any} card */
function drawStage(gallery, parts, card) {
  const state = stateOf(card);
  const playable = isPlayable(card);
  const kind = isUnderWay(card) && !playable ? "ring" : playable ? "play" : state;
  fill(parts.over, [kind, playable && nameOf(card)], () => {
    if (kind === "ring") return [newRing()];
    if (kind === "play") return [playButton(gallery, parts, card)];
    if (Object.hasOwn(SIGNS, kind)) {
      const sign = make("span", "sign", SIGNS[/** @type {"failed"} */ (kind)]);
      sign.setAttribute("aria-hidden", "true");
      return [sign];
    }
    return [make("span", "soft", say(state))];
  });
  if (kind === "ring") drawRing(parts, card, gallery);
  if (card.poster) showPoster(gallery.connection, card, parts.stage);
}

/** @param {Gallery} gallery @param {Drawn} parts @param {any} card */
function playButton(gallery, parts, card) {
  const button = make("button", "play", icon("M5 3.2v9.6L13 8z"));
  button.setAttribute("type", "button");
  button.dataset.do = "play";
  button.setAttribute("aria-label", `${say("play")}: ${nameOf(card)}`);
  button.addEventListener("click", () =>
    playClip(gallery.connection, latest(gallery, card.id) ?? card, parts.stage),
  );
  return button;
}

/** @returns {HTMLElement} */
function newRing() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("aria-hidden", "true");
  for (const name of ["track", "arc"]) {
    const circle = document.createElementNS(svg.namespaceURI, "circle");
    for (const [key, value] of Object.entries({ class: name, cx: 50, cy: 50, r: 44, pathLength: 100 })) {
      circle.setAttribute(key, String(value));
    }
    svg.append(circle);
  }
  const ring = make("div", "ring", make("b", ""), make("span", ""));
  ring.prepend(svg);
  ring.setAttribute("role", "progressbar");
  ring.setAttribute("aria-valuemin", "0");
  ring.setAttribute("aria-valuemax", "100");
  return ring;
}

/**
 * The ring as it is this second. @param {Drawn} parts @param {any} card @param {Gallery} gallery
 */
function drawRing(parts, card, gallery) {
  const ring = /** @type {HTMLElement | null} */ (parts.over.querySelector(".ring"));
  if (!ring) return;
  const since = (performance.now() - (came.get(card) ?? performance.now())) / 1000;
  const started = card.created_at ? Date.now() / 1000 - card.created_at : 0;
  const elapsed = card.elapsed_seconds === undefined ? started : card.elapsed_seconds + since;
  const left = card.eta_seconds === undefined ? undefined : card.eta_seconds - since;
  let done = left === undefined ? undefined : elapsed / (elapsed + Math.max(left, 0) || 1);
  if (card.shots?.length) {
    const ready = card.shots.filter((/** @type {string} */ id) => gallery.cards.get(id)?.saved);
    done = ready.length / card.shots.length;
  }
  if (done !== undefined) {
    parts.shown = Math.min(0.99, Math.max(parts.shown, done));
    ring.style.setProperty("--done", String(Math.round(parts.shown * 1000) / 10));
    ring.setAttribute("aria-valuenow", String(Math.round(parts.shown * 100)));
  } else {
    ring.removeAttribute("aria-valuenow");
  }
  ring.classList.toggle("unknown", done === undefined);
  const soon = left !== undefined && left < 1;
  const [time, words] = /** @type {HTMLElement[]} */ ([ring.children[1], ring.children[2]]);
  const clock = left === undefined ? clockText(elapsed) : soon ? "" : clockText(left);
  if (time.textContent !== clock) time.textContent = clock;
  const unit = say(left === undefined ? "soFar" : soon ? "soon" : "left");
  if (words.textContent !== unit) words.textContent = unit;
  ring.setAttribute("aria-label", `${say("progress")}: ${nameOf(card)}`);
  ring.setAttribute(
    "aria-valuetext",
    left === undefined || soon
      ? `${say(stateOf(card))}, ${soon ? say("soon") : `${aboutText(elapsed)} ${say("soFar")}`}`
      : say("leftLong", { time: aboutText(left) }),
  );
}

/** Each second, while something is under way. */
function tick() {
  const gallery = shownGallery;
  if (document.hidden || !gallery) return;
  for (const [id, parts] of drawn) {
    const card = latest(gallery, id);
    if (card && isUnderWay(card)) drawRing(parts, card, gallery);
  }
}

// ---- The budget

/** @param {any} spending */
function drawSpending(spending) {
  const element = document.getElementById("spending");
  if (!element) return;
  fill(element, spending ?? null, () => {
    if (!spending?.unit || spending.spent === undefined) return [];
    const { unit } = spending;
    const text = (/** @type {string} */ amount) => amountText({ amount, unit });
    const said = [say(`spent_${spending.period ?? "total"}`, { price: text(spending.spent) })];
    if (Number(spending.reserved) > 0) said.push(say("reserved", { price: text(spending.reserved) }));
    if (Number(spending.uncertain) > 0) said.push(say("uncertain", { price: text(spending.uncertain) }));
    const line = make("span", "", said.join(" · "));
    if (!spending.budget) return [line];
    const left = make("span", "", say("budgetLeft", { left: text(spending.left ?? "0"), budget: text(spending.budget) }));
    const meter = make("span", "meter");
    const used = 100 - (100 * Number(spending.left ?? 0)) / (Number(spending.budget) || 1);
    meter.setAttribute("role", "meter");
    meter.setAttribute("aria-label", say("budget"));
    meter.setAttribute("aria-valuenow", String(Math.round(Math.min(100, Math.max(0, used)))));
    meter.setAttribute("aria-valuetext", left.textContent ?? "");
    meter.style.setProperty("--used", `${Math.min(100, Math.max(0, used))}%`);
    return [line, meter, left];
  });
}
