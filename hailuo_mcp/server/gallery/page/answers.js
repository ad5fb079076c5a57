// Cards out of what tools tell a model: what the page shows until show_cards has told it more, and
// all that it has in a host that lets it call no tools of its own.

/**
 * @typedef {Object} Found
 * @property {any[]} cards
 * @property {any[]} films
 * @property {string[]} ids - What the answer is about.
 */

/** What a card calls as the answers do. */
const SAME = ["status", "prompt", "provider", "model", "mode", "duration", "seconds", "resolution",
  "width", "height", "elapsed_seconds", "eta_seconds", "next_check_seconds", "error_code", "file",
  "url", "cost"];

/**
 * @param {any} answer - A VideoTask, Storyboard or TaskList; anything else has nothing.
 * @returns {Found}
 */
function cardsOf(answer) {
  const shots = listOf(answer.shots).filter(isObject);
  const rows = [answer, ...listOf(answer.tasks), ...shots].filter((row) => isObject(row) && row.task_id);
  const cards = rows.map(cardOf);
  if (!shots.length || !answer.film_id) return { cards, films: [], ids: cards.map(({ id }) => id) };
  for (const card of cards) card.film_id = answer.film_id;
  const film = {
    ...cardOf(answer),
    shots: shots.map((shot) => shot.task_id ?? ""),
    prompts: shots.map((shot) => shot.prompt ?? ""),
  };
  return { cards, films: [film], ids: [film.id] };
}

/** A clip, or a film. @param {any} row @returns {any} */
function cardOf(row) {
  const { status, message, created_at: at } = row;
  const card = Object.fromEntries(SAME.filter((key) => key in row).map((key) => [key, row[key]]));
  card.id = row.task_id ?? row.film_id;
  // While a finished clip is being saved, the answer says when to look again.
  const here = row.saved || ((row.file || row.url) && !row.next_check_seconds);
  card.saved = status === "succeeded" && Boolean(here);
  card.settled = card.saved || ["planned", "failed", "cancelled"].includes(status);
  card.sandbox = row.provider === "sandbox";
  if (at) card.created_at = Date.parse(at) / 1000;
  if (row.shot) Object.assign(card, { place: row.shot, film_id: row.film_id });
  // Its message is addressed to a model; of what failed it says why.
  if (["failed", "unconfirmed"].includes(status)) card.explanation = message;
  return card;
}
