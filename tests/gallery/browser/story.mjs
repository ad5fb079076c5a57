// A clip in a conversation, from the first call to the end of the page; once for each transport.
import { rename } from "node:fs/promises";

import { button, card, play, priceIn, progress, ready, says } from "./view.mjs";
import { check, demand, PATIENCE, same, until } from "./checks.mjs";
import { Conversation } from "./host.mjs";

/**
 * @param given - name of the transport, client, context of the browser, origins, sandbox (its book),
 *   looks of the host, and `playedFrom`, which looks at what playing cost.
 */
export async function tellStory(given) {
  const { name, client, context, origins, sandbox, looks, playedFrom } = given;
  const talk = await Conversation.begin(client, context, origins);
  let first, second;

  await check(`${name}: a call shows the page, the clip progresses and is ready`, async () => {
    let place, seen;
    // Where the machine is busy, a short clip may be ready before the page is: then a longer one.
    for (const seconds of [6, 25, 75]) {
      const answer = await talk.show(
        "generate_video",
        { prompt: `A red fox runs through fresh snow. [sandbox:seconds=${seconds}]` },
        { context: looks },
      );
      first = answer.structuredContent.task_id;
      place = card(talk.view, first);
      await says(place, /A red fox runs through fresh snow/);
      seen = new Set();
      await until("the clip is ready", async () => {
        const value = await progress(place);
        if (value !== null) seen.add(value);
        return (await button(place, /^Play/).count()) > 0;
      }, PATIENCE + 1000 * seconds);
      if (seen.size >= 2) break;
    }
    demand(seen.size >= 2, `the ring moves: ${[...seen]}`);
    same([...seen], [...seen].sort((a, b) => a - b), "the ring moves forward");
    await says(place, /Hailuo-2\.3/);
    await says(place, /2 CNY/);
    same(talk.called("query_task").length, 0, "turns of a model for it");
  });

  await check(`${name}: it has its poster, and plays`, async () => {
    const place = card(talk.view, first);
    await until("the poster is shown", () =>
      place.locator("img").first().evaluate((img) => img.complete && img.naturalWidth > 0, null, { timeout: 5000 }).catch(() => false));
    await playedFrom(await play(place), talk);
  });

  await check(`${name}: the page is as high as what is on it`, async () => {
    await until("the host was told the height", async () => {
      const inner = await talk.frame.evaluate(() => document.documentElement.scrollHeight);
      return (await talk.page.evaluate(() => window.host.height())) >= inner - 1;
    });
  });

  await check(`${name}: another take is bought once, at the price that was confirmed`, async () => {
    const place = card(talk.view, first);
    const another = button(place, /Another take/);
    const price = priceIn(await another.innerText());
    const before = await sandbox.creates();

    // By keyboard, and not bought.
    await another.focus();
    await talk.page.keyboard.press("Enter");
    const buy = button(place, /^Buy/);
    await buy.waitFor();
    const inside = () => place.evaluate((root) => root.contains(document.activeElement) && document.activeElement.textContent);
    demand(!/Another take/.test(await inside()), `the focus moves into the question, not: ${await inside()}`);
    await talk.page.keyboard.press("Escape");
    await buy.waitFor({ state: "hidden" });
    await until("the focus is back on the button", async () => /Another take/.test(await inside()));
    same(await sandbox.creates(), before, "creates after a look at the price");

    // By mouse, impatiently.
    await another.click();
    await says(place, new RegExp(`take 2 of this clip for ${price} CNY`));
    await says(place, /play money/);
    await buy.dblclick();
    await until("the second take is in the book", async () => (await sandbox.creates()) > before);
    second = await until("the page has bought it", () => talk.called("retake_video")[0]?.answer?.structuredContent?.task_id);
    demand(second !== first, "the second take is another task");
    for (const { args } of talk.called("retake_video")) same([args.take, args.max_cost], [2, price], "what was ordered");
    await ready(card(talk.view, second));
    await says(card(talk.view, second), /Take 2/);
    same(await sandbox.creates(), before + 1, "creates after a double click");
  });

  await check(`${name}: a price that is known only in part is no ceiling, which would refuse it`, async () => {
    const told = await talk.frame.evaluate(async () => {
      const bids = [];
      const connection = { call: async (tool, bid) => (bids.push(bid.max_cost), { error: null }) };
      for (const price of [{ amount: "1.65", unit: "CNY", lower_bound: true }, { amount: "1.65", unit: "CNY" }, undefined]) {
        await agreed({ connection }, "v1", { tool: "retake_video", more: { take: 2 }, price });
      }
      return bids;
    });
    same(told, [0, 1.65, 0], "ceilings");
  });

  await check(`${name}: what does not say that it was bought, or that it was not, is said to be unclear`, async () => {
    const told = await talk.frame.evaluate(async () => {
      const said = [];
      for (const answer of [{ result: {} }, { error: { code: -32602 } }, { error: { code: -32000 } }, { error: { code: -32601 } }]) {
        const call = async () => {
          if (answer.error) throw troubleOf(answer.error, true);
          return readResult(answer.result);
        };
        const page = { connection: { call }, draw: () => 0, add: () => 0, refresh: async () => 0 };
        panelOf("nobody").replaceChildren(make("button", ""));
        await buy(page, "nobody", { action: "again", tool: "retake_video", more: { take: 2 } });
        const text = panelOf("nobody").textContent;
        said.push(["notBought", "unsure"].find((key) => text === say(key)));
      }
      panels.delete("nobody");
      return said;
    });
    same(told, ["unsure", "unsure", "unsure", "notBought"], "what is said");
  });

  await check(`${name}: use last frame puts it into the conversation`, async () => {
    await button(card(talk.view, second), /last frame/i).click();
    const [message] = await until("the host got the message", async () => {
      const found = await talk.asked("messages");
      return found.length && found;
    });
    demand(message.content[0].text.includes(`task:${second}#last`), JSON.stringify(message));
  });

  await check(`${name}: the preview is a sheet of the clip, and Escape closes it`, async () => {
    const open = button(card(talk.view, second), /^Preview/);
    await open.click();
    const dialog = talk.view.getByRole("dialog");
    await until("the sheet is drawn", () =>
      dialog.locator("img").first().evaluate((img) => img.complete && img.naturalWidth > 100, null, { timeout: 5000 }).catch(() => false));
    await talk.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await until("the focus is back", () => open.evaluate((element) => element === document.activeElement));
  });

  await check(`${name}: a language and a theme that change are followed`, async () => {
    const background = () => talk.frame.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    await talk.change({ locale: "zh-CN", theme: "dark" });
    await says(card(talk.view, second), /第 2 版/);
    same(await talk.frame.evaluate(() => document.documentElement.lang.slice(0, 2)), "zh", "the language of the document");
    same(await background(), "dark", "the colour scheme");
    await talk.change({ locale: "en-US", theme: "light" });
    await says(card(talk.view, second), /Take 2/);
    same(await background(), "light", "the colour scheme");
  });
  const { file } = (await talk.ask("query_task", { task_id: second })).structuredContent;
  // Over HTTP its path is the server's own.
  if (file) {
    await check(`${name}: a file that is gone is downloaded again, and plays without a second try`, async () => {
      const later = await Conversation.begin(client, context, origins);
      await later.show("list_tasks", {}, { context: looks });
      const place = card(later.view, second);
      await ready(place);
      await rename(file, `${file}.away`);
      await button(place, /^Play/).click();
      await button(place, /Download again/).click();
      await says(place, /It is on disk/);
      same(await place.getByText(/its file is not here/).count(), 0, "what was said of the file before");
      await play(place);
      await later.page.close();
    });
  }
  await talk.page.close();

  await check(`${name}: failures are shown: in the end, by moderation, without an answer`, async () => {
    const cases = [
      ["A castle in the clouds [sandbox:fail]", /Failed/, /Nothing (was )?charged/i],
      ["A crowd in the rain [sandbox:1026]", /Failed/, /moderation refused/i],
      ["A lighthouse at night [sandbox:lost]", /Unknown outcome/, /may have been bought/i],
    ];
    for (const [prompt, status, why] of cases) {
      const failing = await Conversation.begin(client, context, origins);
      const answer = await failing.show("generate_video", { prompt }, { context: looks });
      const { task_id: id = answer.structuredContent.error?.task_id } = answer.structuredContent;
      const place = card(failing.view, id);
      await says(place, status);
      await says(place, why);
      same(await button(place, /^Play/).count(), 0, "buttons that play what failed");
      if (/Unknown/.test(status)) {
        same(await button(place, /Another take/).count(), 0, "offers before it is known whether it was bought");
      }
      await failing.page.close();
    }
  });

  await check(`${name}: hidden, it asks nothing; shown again, it goes on; taken away, it stops`, async () => {
    const quiet = await Conversation.begin(client, context, origins);
    const prompt = "A slow river [sandbox:seconds=9]";
    const answer = await quiet.show("generate_video", { prompt }, { context: looks });
    const id = answer.structuredContent.task_id;
    await until("it asks by itself", () => quiet.called("show_cards").length >= 1);
    const hide = (hidden) =>
      quiet.frame.evaluate((value) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
        Object.defineProperty(document, "visibilityState", {
          configurable: true,
          get: () => (value ? "hidden" : "visible"),
        });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await hide(true);
    await until("what was under way is answered", () => quiet.calls.every((call) => call.answer));
    const asked = quiet.calls.length;
    // The clip takes longer than the page waits between two looks.
    const end = await quiet.ask("query_task", { task_id: id, wait_seconds: 45 });
    same(end.structuredContent.status, "succeeded", "the clip meanwhile");
    same(quiet.calls.length, asked, "calls of a hidden page");
    await hide(false);
    await ready(card(quiet.view, id));
    await until("it has asked what it needs", () => quiet.calls.every((call) => call.answer));

    const later = await quiet.ask("generate_video", { prompt: "Another slow river [sandbox:seconds=9]" });
    await quiet.page.evaluate((result) => window.host.give(result), later);
    await says(card(quiet.view, later.structuredContent.task_id), /Another slow river/);
    await quiet.teardown();
    await until("what was under way is answered", () => quiet.calls.every((call) => call.answer));
    const told = quiet.calls.length;
    await quiet.ask("query_task", { task_id: later.structuredContent.task_id, wait_seconds: 45 });
    same(quiet.calls.length, told, "calls after the end");
    await quiet.page.close();
  });
  return { first, second };
}
