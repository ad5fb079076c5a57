// Posters, playing, and the sheet of a preview.

const LARGEST = 64 * 1024 * 1024; // in parts; a page that holds more of one clip slows its host
const CLIPS_KEPT = 3;

/** By mediaKey. @type {Map<string, Promise<string>>} */
const posters = new Map();
/** The newest last. @type {Map<string, string>} */
const clips = new Map();
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

/** Which bytes these are: a clip can be saved anew. @param {any} card */
function mediaKey(card) {
  return `${card.id} ${card.bytes ?? ""}`;
}

/** @param {any} card */
function clipName(card) {
  return plainLine(card.title || card.prompt || card.id);
}

/** @param {string} key @param {() => void} click */
function plainButton(key, click) {
  const button = make("button", "", say(key));
  button.setAttribute("type", "button");
  button.addEventListener("click", click);
  return button;
}

// ---- Posters: fetched when they come into view, a few at a time, and kept.

/** @type {(() => Promise<void>)[]} */
const posterQueue = [];
let postersLoading = 0;
/** @type {WeakMap<Element, () => void>} */
const whenSeen = new WeakMap();
const posterWatch = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      posterWatch.unobserve(target);
      whenSeen.get(target)?.();
    }
  },
  { rootMargin: "200px" },
);

/**
 * Show the poster in the stage once it is in view; may be called again and again.
 * @param {Connection} connection
 * @param {any} card
 * @param {HTMLElement} stage
 */
function showPoster(connection, card, stage) {
  const key = mediaKey(card);
  if (!card.poster || stage.dataset.poster === key) return;
  stage.dataset.poster = key;
  whenSeen.set(stage, async () => {
    const source = await posterOf(connection, card);
    if (stage.dataset.poster !== key) return;
    if (!source) return void delete stage.dataset.poster;
    const image = stage.querySelector("img") ?? document.createElement("img");
    image.alt = ""; // the prompt stands beside it
    image.src = source;
    if (!image.parentElement) stage.prepend(image);
  });
  posterWatch.observe(stage);
}

/** As a data URL; empty if there is none. @param {Connection} connection @param {any} card */
function posterOf(connection, card) {
  const key = mediaKey(card);
  /** @type {Promise<string>} */
  const poster = posters.get(key) ?? new Promise((done) => {
    posterQueue.push(async () => {
      const args = { task_id: card.id, part: "poster" };
      const reply = await connection.call("read_media", args).catch(() => null);
      // Nothing answered: a later drawing asks again.
      if (!reply) setTimeout(() => posters.delete(key), 15_000);
      const data = reply?.answer.data;
      done(typeof data === "string" && data ? `data:image/jpeg;base64,${data}` : "");
      postersLoading -= 1;
      nextPosters();
    });
  });
  posters.set(key, poster);
  nextPosters();
  return poster;
}

function nextPosters() {
  while (postersLoading < 3 && posterQueue.length) {
    postersLoading += 1;
    posterQueue.shift()?.();
  }
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
  const there = stage.querySelector("video");
  if (there) return void there.play().catch(() => undefined);
  if (stage.dataset.state === "loading") return;
  stage.querySelector(".unplayable")?.remove();
  stage.dataset.state = "loading";
  const video = document.createElement("video");
  video.controls = true;
  video.playsInline = true;
  video.preload = "metadata";
  video.setAttribute("aria-label", clipName(card));
  video.poster = stage.querySelector("img")?.src ?? "";
  const stop = new AbortController();
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", say("loadingClip"));
  const percent = make("span", "", say("loadingClip"));
  const cancel = plainButton("cancel", () => stop.abort());
  const loading = make("div", "loading", bar, percent, cancel);
  stage.append(loading);
  cancel.focus();
  const progress = (/** @type {number} */ part) => {
    bar.value = part;
    percent.textContent = `${Math.floor(part * 100)} %`;
  };
  const clip = { connection, card, stage, video, abort: stop.signal, progress };
  const why = await loadClip(clip);
  const focused = loading.contains(document.activeElement);
  loading.remove();
  if (why) return cannotPlay(why, clip, focused);
  if (stop.signal.aborted) {
    delete stage.dataset.state;
    if (focused) stage.querySelector("button")?.focus();
    return;
  }
  stage.append(video);
  stage.dataset.state = "playing";
  if (focused) video.focus();
  goOnAfterError(clip);
}

/** Play; if it stops in the middle, find it again and go on from there. @param {Clip} clip */
function goOnAfterError(clip) {
  const { video } = clip;
  video.play().catch(() => undefined); // a browser may want another click
  // A link expires, and a file may be moved, while the page is open.
  const onError = async () => {
    const at = video.currentTime;
    const why = await loadClip(clip);
    if (!video.isConnected) return;
    if (why) {
      const focused = document.activeElement === video;
      video.remove();
      return cannotPlay(why, clip, focused);
    }
    video.currentTime = at;
    goOnAfterError(clip);
  };
  video.addEventListener("error", onError, { once: true });
}

/** Give the video a source that loads; the key of a sentence if there is none. @param {Clip} clip */
async function loadClip(clip) {
  const { connection, card, abort } = clip;
  if (await loads(clip, clip.card.url)) return "";
  // The link may only be old; or the file is gone.
  const reply = await connection.call("show_cards", { task_ids: [card.id] }).catch(() => null);
  const now = [...listOf(reply?.answer.cards), ...listOf(reply?.answer.films)];
  const fresh = now.find((one) => one.id === card.id);
  if (fresh) clip.card = fresh;
  if (clip.card.fetch) return "clipGone";
  if (fresh && (await loads(clip, fresh.url))) return "";
  if (abort.aborted) return "";
  if (clip.card.bytes > LARGEST) return "clipTooLarge";
  const key = mediaKey(clip.card);
  const source = clips.get(key) ?? (await readInParts(clip).catch(() => ""));
  if (abort.aborted) return "";
  if (!source.startsWith("data:")) return source || "clipNotLoaded";
  clips.set(key, source);
  for (const oldest of [...clips.keys()].slice(0, -CLIPS_KEPT)) clips.delete(oldest);
  return (await loads(clip, source)) || abort.aborted ? "" : "clipNotPlayable";
}

/** @param {Clip} clip @param {string | undefined} source @returns {Promise<boolean>} */
function loads({ video, abort }, source) {
  return new Promise((done) => {
    const link = source && !source.startsWith("data:");
    if (!source || abort.aborted || (link && linksBlocked)) return done(false);
    const over = new AbortController();
    const { signal } = over;
    const end = (/** @type {boolean} */ good) => {
      over.abort();
      clearTimeout(late);
      if (!good) video.removeAttribute("src");
      done(good);
    };
    const late = setTimeout(() => end(false), 30_000);
    video.addEventListener("loadedmetadata", () => end(true), { signal });
    video.addEventListener("error", () => end(false), { signal });
    abort.addEventListener("abort", () => end(false), { signal });
    video.src = source;
  });
}

/**
 * The whole clip as a data URL, which hosts let a page play by default; or why not: the key of a
 * sentence. Empty if it was stopped.
 * @param {Clip} clip
 */
async function readInParts({ connection, card, abort, progress }) {
  /** @type {string[]} */
  const parts = [];
  for (let offset = 0, total = Infinity; offset < total; ) {
    const { answer, error } = await readPart(connection, card.id, offset);
    if (abort.aborted) return "";
    const text = error ? "" : String(answer.data ?? "");
    const bytes = (text.length / 4) * 3 - (text.match(/=*$/)?.[0].length ?? 0);
    // Parts are joined as text, so none but the last may be padded; and it must stay one file.
    const joins = bytes % 3 === 0 || offset + bytes === answer.total;
    if (!bytes || !joins || (offset && answer.total !== total)) return "clipNotLoaded";
    total = answer.total;
    if (total > LARGEST) return "clipTooLarge";
    parts.push(text);
    offset += bytes;
    progress(offset / total);
  }
  return `data:video/mp4;base64,${parts.join("")}`;
}

/** Reading may be tried again. @param {Connection} connection @param {string} id @param {number} offset */
async function readPart(connection, id, offset) {
  for (let left = 3; ; left -= 1) {
    try {
      return await connection.call("read_media", { task_id: id, part: "clip", offset });
    } catch (trouble) {
      const { kind, wait } = /** @type {Trouble} */ (trouble);
      if (!left || !["busy", "away", "late"].includes(kind)) throw trouble;
      await new Promise((done) => setTimeout(done, 1000 * Math.min(10, wait || 1)));
    }
  }
}

/** Say why, and what else there is. @param {string} why @param {Clip} clip @param {boolean} focused */
function cannotPlay(why, { connection, card, stage }, focused) {
  stage.dataset.state = "failed";
  const text = make("p", "", say(why));
  text.setAttribute("role", "alert");
  const box = make("div", "unplayable", text);
  if (card.file) box.append(make("bdi", "path", plainLine(card.file)));
  if (card.url && connection.host.opensLinks) {
    box.append(plainButton("openLink", () => connection.openLink(card.url)));
  }
  if (why !== "clipTooLarge") {
    box.append(plainButton("tryAgain", () => playClip(connection, card, stage)));
  }
  stage.append(box);
  if (focused) box.querySelector("button")?.focus();
  stage.dispatchEvent(new CustomEvent("clipchanged", { bubbles: true })); // the card may say more
}

// ---- The sheet of a preview: frames of the clip, as a model sees them too.

/** @param {Connection} connection @param {any} card */
async function showPreview(connection, card) {
  const opener = document.activeElement;
  const title = make("h2", "", say("preview"));
  title.id = "preview-title";
  const text = make("p", "", say("loading"));
  text.setAttribute("role", "status");
  const dialog = document.createElement("dialog");
  dialog.className = "preview";
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.append(title, text, plainButton("close", () => dialog.close()));
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close(); // beside it
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    document.documentElement.style.removeProperty("min-height");
  });
  document.body.append(dialog);
  dialog.showModal();
  placeDialog(connection, dialog, opener);
  const reply = await connection.call("preview_video", { task_id: card.id }).catch(() => null);
  const [picture] = reply?.pictures ?? [];
  const refusal = reply?.error?.message ?? "";
  text.textContent = picture ? plainText(reply?.text) : plainText(refusal) || say("noPreview");
  if (picture) {
    const image = document.createElement("img");
    image.alt = say("previewOf", { prompt: clipName(card) });
    image.src = `data:image/jpeg;base64,${picture.data}`;
    await image.decode().catch(() => undefined);
    text.before(image);
  }
  if (dialog.open) placeDialog(connection, dialog, opener);
}

/**
 * A host makes the page as high as all of it, so that its middle may be far from what one sees: put
 * a dialog where it was asked for, and make room for it.
 * @param {Connection} connection
 * @param {HTMLDialogElement} dialog
 * @param {Element | null} opener
 */
function placeDialog({ host }, dialog, opener) {
  if (!host.present || host.mode !== "inline") return;
  const root = document.documentElement;
  const height = dialog.offsetHeight + 16;
  root.style.minHeight = `${Math.min(height, 900)}px`;
  const middle = (opener?.getBoundingClientRect().top ?? 0) - height / 2;
  const top = Math.max(8, Math.min(middle, root.offsetHeight - height)) + scrollY;
  Object.assign(dialog.style, { position: "absolute", margin: "0 auto", top: `${top}px` });
}
