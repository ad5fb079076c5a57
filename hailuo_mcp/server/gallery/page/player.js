// Posters, playing, and the sheet of a preview.

const LARGEST = 64 * 1024 * 1024; // in parts; a page that holds more of one clip slows its host
const AT_A_TIME = 3;
const CLIPS_KEPT = 3;

/** @type {Map<string, Promise<string>>} */
const posters = new Map();
/** The newest last. @type {Map<string, string>} */
const clips = new Map();
let linksBlocked = false; // the host leaves the links' origin out of the page's policy

document.addEventListener("securitypolicyviolation", (event) => {
  if (event.effectiveDirective === "media-src" && !event.blockedURI.startsWith("data")) {
    linksBlocked = true;
  }
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

/** @param {HTMLElement} stage - Tells other parts of the page: its clip may have changed. */
function tellChanged(stage) {
  stage.dispatchEvent(new CustomEvent("clipchanged", { bubbles: true }));
}

/** @param {string} key @param {() => void} click */
function plainButton(key, click) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = say(key);
  button.addEventListener("click", click);
  return button;
}

// ---- Posters: fetched when they come into view, a few at a time, and kept.

/** @type {(() => void)[]} */
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
    if (!source || stage.dataset.poster !== key) {
      if (!source) delete stage.dataset.poster;
      return;
    }
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
  const known = posters.get(key);
  if (known) return known;
  /** @type {Promise<string>} */
  const coming = new Promise((done) => {
    posterQueue.push(async () => {
      const args = { task_id: card.id, part: "poster" };
      const reply = await connection.call("read_media", args).catch(() => null);
      // Nothing answered: a later drawing asks again.
      if (!reply) setTimeout(() => posters.delete(key), 15_000);
      done(dataUrl(reply?.answer, "image/jpeg"));
      postersLoading -= 1;
      nextPosters();
    });
  });
  posters.set(key, coming);
  nextPosters();
  return coming;
}

function nextPosters() {
  while (postersLoading < AT_A_TIME && posterQueue.length) {
    postersLoading += 1;
    posterQueue.shift()?.();
  }
}

/** @param {any} media - An answer of read_media. @param {string} type */
function dataUrl(media, type) {
  return typeof media?.data === "string" && media.data ? `data:${type};base64,${media.data}` : "";
}

// ---- Playing: by its link, else in parts.

/**
 * Play a clip or a film in its stage. The stage's data-state says how it stands: loading, playing,
 * failed, or nothing of it.
 * @param {Connection} connection
 * @param {any} card
 * @param {HTMLElement} stage
 */
async function playClip(connection, card, stage) {
  const there = stage.querySelector("video");
  if (there) return there.play().catch(() => undefined);
  if (stage.dataset.state === "loading") return;
  stage.querySelector(".unplayable")?.remove();
  const video = document.createElement("video");
  video.controls = true;
  video.playsInline = true;
  video.preload = "metadata";
  video.setAttribute("aria-label", plainLine(card.title || card.prompt || say("clip")));
  const image = stage.querySelector("img");
  if (image) video.poster = image.src;
  stage.dataset.state = "loading";
  const abort = new AbortController();
  const bar = loadingBar(() => abort.abort());
  stage.append(bar.element);
  if (stage.contains(document.activeElement) || document.activeElement === document.body) bar.focus();
  const clip = { connection, card, video, abort: abort.signal, progress: bar.set };
  const why = await loadClip(clip);
  const hadFocus = bar.element.contains(document.activeElement);
  bar.element.remove();
  if (abort.signal.aborted) {
    delete stage.dataset.state;
    if (hadFocus) stage.querySelector("button")?.focus();
  } else if (why) {
    cannotPlay(why, clip, stage, hadFocus);
  } else {
    // A link expires, and a file may be moved, while the page is open.
    video.addEventListener("error", () => goOn(clip, stage), { once: true });
    stage.append(video);
    stage.dataset.state = "playing";
    if (hadFocus) video.focus();
    video.play().catch(() => undefined); // a browser may want another click
  }
}

/**
 * @typedef {Object} Clip
 * @property {Connection} connection
 * @property {any} card
 * @property {HTMLVideoElement} video
 * @property {AbortSignal} abort
 * @property {(part: number) => void} progress
 */

/**
 * Give the video a source that loads; the key of a sentence if there is none.
 * @param {Clip} clip
 * @returns {Promise<string>}
 */
async function loadClip(clip) {
  const { connection, video, abort } = clip;
  if (await loadsLink(clip, clip.card)) return "";
  // The link may only be old. Else the file may be gone; this says that too.
  const fresh = await freshCard(connection, clip.card.id);
  if (fresh) clip.card = fresh;
  if (clip.card.fetch) return "clipGone";
  if (clip.card.url && !linksBlocked && fresh && (await loadsLink(clip, fresh))) return "";
  const key = mediaKey(clip.card);
  let source = clips.get(key) ?? "";
  if (!source) {
    if (clip.card.bytes > LARGEST) return "clipTooLarge";
    try {
      source = await readInParts(clip);
    } catch (why) {
      return why instanceof Unplayable ? why.message : "clipNotLoaded";
    }
    clips.set(key, source);
    for (const oldest of [...clips.keys()].slice(0, -CLIPS_KEPT)) clips.delete(oldest);
  }
  if (abort.aborted) return "";
  return (await loads(video, source, abort)) ? "" : "clipNotPlayable";
}

/** @param {Clip} clip @param {any} card */
async function loadsLink({ video, abort }, card) {
  return card.url && !linksBlocked && !abort.aborted ? loads(video, card.url, abort) : false;
}

/**
 * @param {HTMLVideoElement} video
 * @param {string} source
 * @param {AbortSignal} abort
 * @returns {Promise<boolean>}
 */
function loads(video, source, abort) {
  return new Promise((done) => {
    const over = new AbortController();
    const end = (/** @type {boolean} */ good) => {
      over.abort();
      clearTimeout(late);
      if (!good) video.removeAttribute("src");
      done(good);
    };
    // Where the host lets nothing out, some browsers say nothing either.
    const late = setTimeout(() => end(false), 20_000);
    video.addEventListener("loadedmetadata", () => end(true), { signal: over.signal });
    video.addEventListener("error", () => end(false), { signal: over.signal });
    abort.addEventListener("abort", () => end(false), { signal: over.signal });
    video.src = source;
  });
}

/** @param {Connection} connection @param {string} id @returns {Promise<any>} */
async function freshCard(connection, id) {
  const reply = await connection.call("show_cards", { task_ids: [id] }).catch(() => null);
  const { cards, films } = reply?.answer ?? {};
  return [...listOf(cards), ...listOf(films)].find((one) => one.id === id) ?? null;
}

/** The key of a sentence why a clip cannot be played. */
class Unplayable extends Error {}

/**
 * The whole clip as a data URL: what hosts let a page play without a word about it.
 * @param {Clip} clip
 */
async function readInParts({ connection, card, abort, progress }) {
  /** @type {string[]} */
  const parts = [];
  let offset = 0;
  let total = Infinity;
  while (offset < total && !abort.aborted) {
    const { answer, error } = await readPart(connection, card.id, offset);
    if (error) throw new Unplayable("clipNotLoaded");
    const bytes = base64Bytes(answer.data ?? "");
    const whole = Number(answer.total);
    // Parts are joined as text, so that none but the last may be padded.
    const odd = bytes % 3 !== 0 && offset + bytes < whole;
    if (!bytes || odd || (total !== Infinity && whole !== total)) {
      throw new Unplayable("clipNotLoaded");
    }
    total = whole;
    if (total > LARGEST) throw new Unplayable("clipTooLarge");
    parts.push(answer.data);
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
      await new Promise((done) => setTimeout(done, Math.min(10, wait || 1) * 1000));
    }
  }
}

/** @param {string} text */
function base64Bytes(text) {
  return (text.length / 4) * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
}

/** @param {() => void} cancel */
function loadingBar(cancel) {
  const element = document.createElement("div");
  element.className = "loading";
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", say("loadingClip"));
  const percent = document.createElement("span");
  percent.textContent = say("loadingClip");
  const button = plainButton("cancel", cancel);
  element.append(bar, percent, button);
  return {
    element,
    focus: () => button.focus(),
    set: (/** @type {number} */ part) => {
      bar.value = part;
      percent.textContent = `${Math.floor(part * 100)} %`;
    },
  };
}

/** A clip stopped in the middle: find it again and go on from there. @param {Clip} clip @param {HTMLElement} stage */
async function goOn(clip, stage) {
  const { video } = clip;
  const at = video.currentTime;
  const why = await loadClip({ ...clip, progress: () => undefined });
  if (!video.isConnected) return;
  if (why) {
    const hadFocus = document.activeElement === video;
    video.remove();
    return cannotPlay(why, clip, stage, hadFocus);
  }
  video.addEventListener("error", () => goOn(clip, stage), { once: true });
  video.currentTime = at;
  video.play().catch(() => undefined);
}

/**
 * Say why, and what else there is.
 * @param {string} why
 * @param {Clip} clip
 * @param {HTMLElement} stage
 * @param {boolean} hadFocus
 */
function cannotPlay(why, { connection, card }, stage, hadFocus) {
  stage.dataset.state = "failed";
  const box = document.createElement("div");
  box.className = "unplayable";
  const text = document.createElement("p");
  text.setAttribute("role", "alert");
  text.textContent = say(why);
  box.append(text);
  if (card.file) {
    const path = document.createElement("code");
    const isolated = document.createElement("bdi");
    isolated.textContent = plainLine(card.file);
    path.append(isolated);
    box.append(path);
  }
  if (card.url && connection.host.opensLinks) {
    box.append(plainButton("openLink", () => connection.openLink(card.url)));
  }
  if (why !== "clipTooLarge") {
    box.append(plainButton("tryAgain", () => playClip(connection, card, stage)));
  }
  stage.append(box);
  if (hadFocus) box.querySelector("button")?.focus();
  tellChanged(stage);
}

// ---- The sheet of a preview: frames of the clip, as a model sees them too.

/**
 * @param {Connection} connection
 * @param {any} card
 */
async function showPreview(connection, card) {
  const opener = document.activeElement;
  const dialog = document.createElement("dialog");
  dialog.className = "preview";
  const title = document.createElement("h2");
  title.id = "preview-title";
  title.textContent = say("preview");
  dialog.setAttribute("aria-labelledby", title.id);
  const text = document.createElement("p");
  text.setAttribute("role", "status");
  text.textContent = say("loading");
  const close = plainButton("close", () => dialog.close());
  dialog.append(title, text, close);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    document.documentElement.style.removeProperty("min-height");
  });
  document.body.append(dialog);
  dialog.showModal();
  placeDialog(connection, dialog, opener);
  const reply = await connection.call("preview_video", { task_id: card.id }).catch(() => null);
  if (!dialog.open) return;
  const [picture] = reply?.pictures ?? [];
  if (!reply || reply.error || !picture) {
    text.textContent = reply?.error ? plainText(reply.error.message) : say("noPreview");
    return;
  }
  text.textContent = plainText(reply.text);
  const image = document.createElement("img");
  image.alt = say("previewOf", { prompt: plainLine(card.title || card.prompt || card.id) });
  image.addEventListener("load", () => placeDialog(connection, dialog, opener));
  image.src = `data:${picture.mimeType === "image/png" ? "image/png" : "image/jpeg"};base64,${picture.data}`;
  text.before(image);
}

/**
 * A host makes the page as high as all of it, so that its middle may be far from what one sees: put
 * a dialog where it was asked for, and make room for it.
 * @param {Connection} connection
 * @param {HTMLDialogElement} dialog
 * @param {Element | null} opener
 */
function placeDialog(connection, dialog, opener) {
  if (!connection.host.present || connection.host.mode !== "inline") return;
  const root = document.documentElement;
  const height = dialog.offsetHeight + 16;
  root.style.setProperty("min-height", `${Math.min(height, 900)}px`);
  const whole = Math.max(root.offsetHeight, height);
  const at = opener?.getBoundingClientRect().top ?? 0;
  const top = Math.max(8, Math.min(at - height / 2, whole - height));
  dialog.style.setProperty("position", "absolute");
  dialog.style.setProperty("margin", "0 auto");
  dialog.style.setProperty("top", `${top + window.scrollY}px`);
}
