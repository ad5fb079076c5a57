// Cards out of what tools tell a model: what the page shows until show_cards has told it more, and
// all that it has in a host that lets it call no tools of its own.

const ENDED = ["succeeded", "failed", "cancelled"];

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
  const rows = [answer, ...listOf(answer.tasks), ...listOf(answer.shots)].filter(isObject);
  /** @type {Found} */
  const found = { cards: rows.map(cardOf), films: [], ids: [] };
  found.cards = found.cards.filter((card) => card.id);
  for (const row of rows) if (row.film_id && !row.shot) found.films.push(filmOf(row));
  for (const card of found.cards) if (listOf(answer.shots).length) card.film_id = answer.film_id;
  const film = listOf(answer.shots).length ? answer.film_id : "";
  found.ids = film
    ? [film]
    : rows.map((row) => row.task_id || row.film_id).filter((id) => typeof id === "string");
  return found;
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
  card.saved = row.saved === true || Boolean(row.file);
  card.settled = row.status === "succeeded" ? card.saved : ENDED.includes(row.status);
  card.sandbox = row.provider === "sandbox";
  if (isObject(row.cost)) card.cost = row.cost;
  if (row.created_at) card.created_at = Date.parse(row.created_at) / 1000;
  if (row.shot) [card.place, card.film_id] = [row.shot, row.film_id];
  // Its message is addressed to a model; of what failed it says why.
  if (["failed", "unconfirmed"].includes(row.status) && row.message) card.explanation = row.message;
  return card;
}

/** @param {any} row */
function filmOf(row) {
  const film = pick(row, ["status", "seconds", "width", "height", "eta_seconds",
    "next_check_seconds", "file", "url", "prompt"]);
  const shots = listOf(row.shots).filter(isObject);
  film.id = row.film_id;
  film.saved = row.saved === true || Boolean(row.file);
  film.settled = row.status === "succeeded"
    ? film.saved : [...ENDED, "planned"].includes(row.status);
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
