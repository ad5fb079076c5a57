// Cards out of what tools tell a model: what the page shows until show_cards has told it more, and
// all that it has in a host that lets it call no tools of its own.

const ENDED = ["planned", "failed", "cancelled", "succeeded"];

/**
 * @typedef {Object} Found
 * @property {any[]} cards
 * @property {any[]} films
 * @property {string[]} ids - What the answer is about.
 */

/**
 * @param {any} answer - A VideoTask, Storyboard or TaskList; anything else has nothing.
 * @returns {Found}
 */
function cardsOf(answer) {
  const shots = listOf(answer.shots).filter(isObject);
  const rows = [answer, ...listOf(answer.tasks), ...shots].filter(isObject);
  const cards = rows.map(cardOf).filter((card) => card.id);
  if (!shots.length) return { cards, films: [], ids: cards.map((card) => card.id) };
  for (const card of cards) card.film_id = answer.film_id;
  return { cards, films: [filmOf(answer)], ids: [answer.film_id] };
}

/** @param {any} value @returns {any[]} */
function listOf(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {any} row */
function cardOf(row) {
  const same = ["status", "prompt", "provider", "model", "mode", "duration", "resolution", "width",
    "height", "elapsed_seconds", "eta_seconds", "next_check_seconds", "error_code", "file", "url"];
  const card = pick(row, same);
  card.id = row.task_id ?? "";
  Object.assign(card, endOf(row));
  card.sandbox = row.provider === "sandbox";
  if (isObject(row.cost)) card.cost = row.cost;
  if (row.created_at) card.created_at = Date.parse(row.created_at) / 1000;
  if (row.shot) [card.place, card.film_id] = [row.shot, row.film_id];
  // Its message is addressed to a model; of what failed it says why.
  if (["failed", "unconfirmed"].includes(row.status) && row.message) card.explanation = row.message;
  return card;
}

/** @param {any} row */
function endOf(row) {
  // While a finished clip is being saved, the answer says when to look again.
  const there = row.saved || ((row.file || row.url) && !row.next_check_seconds);
  const saved = row.status === "succeeded" && Boolean(there);
  return { saved, settled: ENDED.includes(row.status) && (saved || row.status !== "succeeded") };
}

/** @param {any} row */
function filmOf(row) {
  const film = pick(row, ["status", "seconds", "width", "height", "eta_seconds",
    "next_check_seconds", "file", "url", "prompt"]);
  const shots = listOf(row.shots).filter(isObject);
  film.id = row.film_id;
  Object.assign(film, endOf(row));
  film.shots = shots.map((shot) => shot.task_id ?? "");
  film.prompts = shots.map((shot) => shot.prompt ?? "");
  if (isObject(row.cost)) film.cost = row.cost;
  if (row.created_at) film.created_at = Date.parse(row.created_at) / 1000;
  return film;
}

/** @param {any} from @param {string[]} keys @returns {any} */
function pick(from, keys) {
  return Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]]));
}
