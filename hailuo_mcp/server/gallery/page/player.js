// Posters, playing, and the sheet of a preview.

const LARGEST = 64 * 1024 * 1024; // in parts; a page that holds more of one clip slows its host

let linksBlocked = false; // the host leaves the links' origin out of the page's policy

document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  if (effectiveDirective === "media-src" && !blockedURI.startsWith("data")) linksBlocked = true;
});
document.addEventListener(
  "play",
  ({ target }) => {
    for (const video of document.querySelectorAll("video")) if (video !== target) video.pause();
  },
  true,
);

/** @param {any} card */
function clipName(card) {
  return plainLine(card.title || card.prompt || card.id);
}

// ---- Posters: fetched when they come into view, a few at a time; the stage keeps them.

/** @type {WeakMap<Element, () => Promise<void>>} */
const whenSeen = new WeakMap();
/** @type {(() => Promise<void>)[]} */
const seen = [];
let loaders = 0;
const posterWatch = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      const load = whenSeen.get(target);
      if (!isIntersecting || !load) continue;
      posterWatch.unobserve(target);
      seen.push(load);
      loadPosters();
    }
  },
  { rootMargin: "200px" },
);

async function loadPosters() {
  if (loaders >= 3) return;
  loaders += 1;
  for (let load; (load = seen.shift()); ) await load();
  loaders -= 1;
}

/**
 * Show the poster in the stage once it is in view; may be called again and again.
 * @param {Connection} connection
 * @param {any} card
 * @param {HTMLElement} stage
 */
function showPoster(connection, { id, bytes }, stage) {
  const key = `${id} ${bytes}`; // a clip can be saved anew
  if (stage.dataset.poster === key) return;
  stage.dataset.poster = key;
  whenSeen.set(stage, async () => {
    const args = { task_id: id, part: "poster" };
    const reply = await connection.call("read_media", args).catch(() => null);
    if (stage.dataset.poster !== key) return;
    if (!reply) delete stage.dataset.poster; // a later drawing asks again
    const data = textOf(reply?.answer.data);
    if (!data) return;
    const image = stage.querySelector("img") ?? document.createElement("img");
    image.alt = ""; // the prompt stands beside it
    image.src = `data:image/jpeg;base64,${data}`;
    stage.prepend(image);
  });
  posterWatch.observe(stage);
}

// ---- Playing: by its link, else in parts.

/**
 * @typedef {Object} Clip
 * @property {Connection} connection
 * @property {any} card
 * @property {HTMLElement} stage
 * @property {HTMLVideoElement} video
 * @property {AbortSignal} abort
 * @property {(part: number) => void} progress
 */

/**
 * Play a clip or a film in its stage. The stage's data-state says how it stands: loading, playing,
 * failed, or nothing of it.
 * @param {Connection} connection
 * @param {any} card
 * @param {HTMLElement} stage
 */
async function playClip(connection, card, stage) {
  if (["loading", "playing"].includes(stage.dataset.state ?? "")) return;
  clearFailure(stage);
  stage.dataset.state = "loading";
  const poster = stage.querySelector("img")?.src ?? "";
  const given = { controls: "true", playsinline: "true", "aria-label": clipName(card), poster };
  const video = /** @type {HTMLVideoElement} */ (make("video", given));
  const stop = new AbortController();
  const bar = make("progress", { max: 1, "aria-label": say("loading") });
  const percent = make("span", "", say("loading"));
  const cancel = plainButton("cancel", () => stop.abort());
  const loading = make("div", "loading", bar, percent, cancel);
  stage.append(loading);
  cancel.focus();
  const progress = (/** @type {number} */ part) => {
    bar.setAttribute("value", String(part));
    percent.textContent = `${Math.floor(part * 100)} %`;
  };
  const clip = { connection, card, stage, video, abort: stop.signal, progress };
  const why = await loadClip(clip);
  const focused = loading.contains(document.activeElement);
  loading.remove();
  if (why) return cannotPlay(why, clip, focused);
  if (stop.signal.aborted) {
    delete stage.dataset.state;
    if (focused) focusOn(stage, "play");
    return;
  }
  stage.append(video);
  stage.dataset.state = "playing";
  if (focused) video.focus();
  playOn(clip);
}

/** Play; if it stops in the middle, find it again and go on from there. @param {Clip} clip */
function playOn(clip) {
  const { video } = clip;
  video.play().catch(() => undefined); // a browser may want another click
  // A link expires, and a file may be moved, while the page is open.
  const onError = async () => {
    const at = video.currentTime;
    const focused = document.activeElement === video;
    const why = await loadClip(clip);
    if (why) {
      video.remove();
      return cannotPlay(why, clip, focused);
    }
    video.currentTime = at;
    playOn(clip);
  };
  video.addEventListener("error", onError, { once: true });
}

/** Give the video a source that loads; the key of a sentence if there is none. @param {Clip} clip */
async function loadClip(clip) {
  const { connection, card, abort } = clip;
  if (await loads(clip, card.url)) return "";
  // The link may only be old; or the file is gone.
  const reply = await connection.call("show_cards", { task_ids: [card.id] }).catch(() => null);
  const now = [...listOf(reply?.answer.cards), ...listOf(reply?.answer.films)];
  clip.card = now.find((one) => one?.id === card.id) ?? card;
  if (clip.card.fetch) return "fetchWhat";
  if (clip.card.url !== card.url && (await loads(clip, clip.card.url))) return "";
  const source = await readInParts(clip).catch(() => "notLoaded");
  const why = known(source) ? source : (await loads(clip, source)) ? "" : "notLoaded";
  return abort.aborted ? "" : why;
}

/** @param {Clip} clip @param {string | undefined} source @returns {Promise<boolean>} */
function loads({ video, abort }, source) {
  return new Promise((done) => {
    const blocked = linksBlocked && !source?.startsWith("data:");
    if (!source || abort.aborted || blocked) return done(false);
    const over = new AbortController();
    const end = (/** @type {boolean} */ good) => {
      over.abort();
      if (!good) video.removeAttribute("src");
      done(good);
    };
    const on = (/** @type {EventTarget} */ target, /** @type {string} */ event) =>
      target.addEventListener(event, () => end(event === "loadedmetadata"), over);
    on(video, "loadedmetadata");
    on(video, "error");
    on(abort, "abort");
    on(AbortSignal.timeout(30_000), "abort");
    video.src = source;
  });
}

/**
 * The whole clip as a data URL, which hosts let a page play by default; or why not: the key of a
 * sentence.
 * @param {Clip} clip
 */
async function readInParts({ connection, card, abort, progress }) {
  /** @type {string[]} */
  const parts = [];
  let total = card.bytes ?? 0;
  for (let offset = 0; !offset || offset < total; ) {
    if (total > LARGEST) return "tooLarge";
    const { answer } = await readPart(connection, { task_id: card.id, part: "clip", offset });
    const text = textOf(answer.data);
    const bytes = (text.replace(/=+$/, "").length * 3) >> 2;
    // Parts are joined as text, so none but the last may be padded; and it must stay one file.
    const joins = bytes % 3 === 0 || offset + bytes === answer.total;
    if (!bytes || !joins || abort.aborted || (offset && answer.total !== total)) return "notLoaded";
    total = answer.total;
    parts.push(text);
    offset += bytes;
    progress(offset / total);
  }
  return `data:video/mp4;base64,${parts.join("")}`;
}

/** Reading may be tried again. @param {Connection} connection @param {object} args @returns {Promise<Reply>} */
async function readPart(connection, args, left = 3) {
  try {
    return await connection.call("read_media", args);
  } catch (trouble) {
    const { kind, wait } = /** @type {Trouble} */ (trouble);
    if (!left || kind !== "away") throw trouble;
    await new Promise((done) => setTimeout(done, 1000 * Math.min(10, wait || 1)));
    return readPart(connection, args, left - 1);
  }
}

/** Say why, and what else there is. @param {string} why @param {Clip} clip @param {boolean} focused */
function cannotPlay(why, { connection, card, stage }, focused) {
  stage.dataset.state = "failed";
  const box = make(
    "div", "unplayable",
    make("p", { role: "alert" }, say(why)),
    card.file && make("bdi", "", plainLine(card.file)),
    card.url && connection.host.opensLinks && plainButton("openLink", () => connection.openLink(card.url)),
    why !== "tooLarge" && plainButton("tryAgain", () => playClip(connection, card, stage)),
  );
  stage.append(box);
  if (focused) box.querySelector("button")?.focus();
  stage.dispatchEvent(new CustomEvent("clipchanged", { bubbles: true })); // the card may say more
}

/** What was said of it holds no more. @param {HTMLElement} stage */
function clearFailure(stage) {
  const box = stage.querySelector(".unplayable");
  if (!box) return;
  delete stage.dataset.state;
  const focused = box.contains(document.activeElement);
  box.remove();
  if (focused) focusOn(stage.closest(".card"), "fetch");
}

// ---- The sheet of a preview: frames of the clip, as a model sees them too.

/** @param {Connection} connection @param {any} card */
async function showPreview({ host, call }, card) {
  const opener = document.activeElement;
  const root = document.documentElement;
  const text = make("p", { role: "status" }, say("loading"));
  const dialog = /** @type {HTMLDialogElement} */ (
    make(
      "dialog", { "aria-label": say("preview") },
      // Above the sheet, which is often higher than what one sees.
      make("div", "row", make("h2", "", say("preview")), plainButton("close", () => dialog.close())), text,
    )
  );
  dialog.onclick = ({ target }) => {
    if (target === dialog) dialog.close(); // beside it
  };
  dialog.onclose = () => {
    dialog.remove();
    root.style.minHeight = "";
  };
  // A host makes the page as high as all of it, so that its middle may be far from what one sees:
  // the dialog is put where it was asked for, and room is made for it.
  const place = () => {
    if (!host.present || host.mode !== "inline") return;
    const height = dialog.offsetHeight + 16;
    root.style.minHeight = `${Math.min(height, 900)}px`;
    const middle = (opener?.getBoundingClientRect().top ?? 0) - height / 2;
    const top = Math.max(8, Math.min(middle, root.offsetHeight - height)) + scrollY;
    Object.assign(dialog.style, { position: "absolute", margin: "0 auto", top: `${top}px` });
  };
  document.body.append(dialog);
  dialog.showModal();
  place();
  const reply = await call("preview_video", { task_id: card.id }).catch(() => null);
  const picture = textOf(reply?.pictures[0]?.data);
  text.textContent = plainText(reply?.error?.message ?? (picture && reply?.text)) || say("noPreview");
  if (picture) {
    const image = document.createElement("img");
    image.alt = `${say("preview")}: ${clipName(card)}`;
    image.src = `data:image/jpeg;base64,${picture}`;
    await image.decode().catch(() => undefined);
    text.before(image);
  }
  if (dialog.open) place();
}
