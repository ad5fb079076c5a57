// Where a person finds things on the page; `view` is a page or a frame of one.
import { demand, PATIENCE, until } from "./checks.mjs";

export const card = (view, id) => view.locator(`[data-id="${id}"]`).first();

export const button = (place, name) => place.getByRole("button", { name });

/** Wait until a card says something. */
export async function says(place, text) {
  await place.getByText(text).first().waitFor({ state: "visible", timeout: PATIENCE });
}

/** Wait until a clip can be played. */
export async function ready(place) {
  await button(place, /^(Play|播放)/).first().waitFor({ state: "visible", timeout: PATIENCE });
}

/** Play a clip, and see its time move; returns where it came from. */
export async function play(place) {
  await button(place, /^(Play|播放)/).first().click();
  const video = place.locator("video");
  await video.waitFor({ state: "attached", timeout: PATIENCE });
  const time = () => video.evaluate((element) => element.currentTime);
  await until("the clip plays", async () => (await time()) > 0.2);
  const seen = await time();
  await until("the clip plays on", async () => (await time()) > seen + 0.2);
  const facts = await video.evaluate((element) => ({
    source: element.currentSrc.slice(0, 60),
    controls: element.controls,
    width: element.videoWidth,
    error: element.error?.message ?? null,
  }));
  demand(facts.controls && facts.width > 0 && !facts.error, `a video as it should be: ${JSON.stringify(facts)}`);
  await video.evaluate((element) => element.pause());
  return facts.source;
}

/** The progress ring's value, or null if there is none (any more). */
export async function progress(place) {
  const ring = place.getByRole("progressbar").first();
  if (!(await ring.count())) return null;
  const value = await ring.getAttribute("aria-valuenow", { timeout: 2000 }).catch(() => null);
  return value === null ? null : Number(value);
}

/** A price in a text, such as "2" in "Another take · 2 CNY". */
export function priceIn(text) {
  const found = text.match(/([\d.]+) (CNY|USD|credits)/);
  demand(found, `a price in “${text}”`);
  return Number(found[1]);
}
