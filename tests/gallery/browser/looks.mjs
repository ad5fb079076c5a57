// How it looks: axe-core finds nothing serious, nothing is cut, and there are pictures to look at.
import { readFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

import { check, demand, until } from "./checks.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [400, 1000];

/**
 * Look at a page in both themes and widths.
 * @param frame - The page itself, which axe examines.
 * @param page - The browser's page around it.
 * @param setTheme - How its theme is changed.
 */
export async function look({ name, file, page, frame, setTheme, keep, widths = WIDTHS, themes = ["light", "dark"] }) {
  for (const theme of themes) {
    for (const width of widths) {
      await check(`${name}: ${theme}, ${width} px: axe-core finds nothing serious, nothing is cut`, async () => {
        await page.setViewportSize({ width, height: 900 });
        await setTheme(theme);
        await until("the theme is there", () =>
          frame().evaluate((wanted) => matchMedia(`(prefers-color-scheme: ${wanted})`).matches || getComputedStyle(document.documentElement).colorScheme === wanted, theme));
        await settled(frame());
        if (keep) {
          await mkdir(keep, { recursive: true });
          // All of it in view: a frame of another site is not drawn beyond the window.
          const height = await page.evaluate(() => document.documentElement.scrollHeight);
          await page.setViewportSize({ width, height: Math.min(height, 6000) });
          await until("its pictures are there", () =>
            frame().evaluate(() => [...document.images].every((each) => each.complete)));
          await settled(frame());
          await page.screenshot({ path: path.join(keep, `${file}-${theme}-${width}.png`) });
        }
        const wide = await frame().evaluate(() => document.documentElement.scrollWidth - innerWidth);
        demand(wide <= 0, `the page is ${wide} px wider than its frame`);
        const found = await serious(frame());
        demand(!found.length, found.join("\n"));
      });
    }
  }
}

/** Two frames drawn, and no transition left that would blend colours. */
async function settled(frame) {
  await frame.evaluate(async () => {
    await Promise.allSettled(
      document.getAnimations().filter((each) => each.effect?.getComputedTiming().iterations !== Infinity).map((each) => each.finished));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
}

async function serious(frame) {
  if (!(await frame.evaluate(() => "axe" in window))) await frame.evaluate(axe);
  return frame.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"], iframes: false });
    return violations
      .filter(({ impact }) => ["serious", "critical"].includes(impact))
      .map(({ id, help, nodes }) =>
        `${id}: ${help}\n${nodes.slice(0, 4).map((node) => `  ${node.target} ${node.any[0]?.message ?? ""}\n    ${node.html.slice(0, 160)}`).join("\n")}`);
  });
}
