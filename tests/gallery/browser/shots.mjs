// A draft that is made again at a higher resolution, and a film of several shots as a strip.
import { button, card, play, priceIn, ready, says } from "./view.mjs";
import { check, demand, same, until } from "./checks.mjs";
import { Conversation } from "./host.mjs";

export async function tellShots({ name, client, context, origins, sandbox, looks }) {
  await check(`${name}: a draft is upgraded from the page, with the consent that the click gave`, async () => {
    const talk = await Conversation.begin(client, context, origins);
    const args = { prompt: "A glass bridge over a canyon", model: "MiniMax-H3", resolution: "768P", duration: 4 };
    const answer = await talk.buy("generate_video", args);
    await talk.open("generate_video", args, answer, { context: looks });
    const id = answer.structuredContent.task_id;
    const place = card(talk.view, id);
    await ready(place);
    const upgrade = button(place, /Upgrade to 2K/);
    const price = priceIn(await upgrade.innerText());
    const before = await sandbox.creates();
    await upgrade.click();
    await says(place, new RegExp(`2K for ${price} CNY`));
    await button(place, /^Buy/).click();
    const made = await until("it is bought", () =>
      talk.called("upgrade_video").map((call) => call.answer?.structuredContent?.task_id).find(Boolean));
    const last = talk.called("upgrade_video").at(-1).args;
    same([last.task_id, last.max_cost, last.resolution], [id, price, "2K"], "what was ordered");
    demand(last.confirm, "this server wants a consent above 1 CNY: the click gave it");
    await ready(card(talk.view, made));
    same(await sandbox.creates(), before + 1, "creates of the upgrade");
    await talk.page.close();
  });

  await check(`${name}: a storyboard is a strip of its shots in order, and the film plays`, async () => {
    const talk = await Conversation.begin(client, context, origins);
    const shots = ["A seed in dark soil", "A green shoot in the rain", "An oak in the evening sun"];
    const args = { shots, dry_run: false };
    const answer = await talk.buy("generate_storyboard", args);
    const film = answer.structuredContent.film_id;
    await talk.open("generate_storyboard", args, answer, { context: looks });
    const strip = card(talk.view, film);
    await strip.waitFor();
    await ready(strip);
    const text = await talk.view.locator("main").evaluate((root) => root.textContent);
    const places = shots.map((shot) => text.indexOf(shot));
    demand(places[0] >= 0 && places[0] < places[1] && places[1] < places[2], `the order of the shots: ${places} in ${text}`);
    await play(strip);
    await talk.page.close();
  });
}
