// Texts that would be more than text: on the page they are shown, and nothing runs.
import { button, card, ready, says } from "./view.mjs";
import { check, demand, same, until } from "./checks.mjs";
import { Conversation } from "./host.mjs";

const RUN = "window.ran=1;window.top.ran=1";
/** What a file's name may have on POSIX: all but a slash. */
export const FOLDER = `clips <img src=x onerror=${RUN}> \u202Egpj.exe "'&lt;`;

const PROMPTS = [
  ["markup", `<img src=x onerror="${RUN}"><svg onload="${RUN}"><b>bold</b> &lt;i&gt; &amp; "quoted" 'too'`],
  ["a script", `</script><script>${RUN}</script><style>*{display:none}</style><!-- ]]> {{7*7}} \${7*7}`],
  ["a link", `javascript:${RUN} [click](javascript:${RUN}) <a href="javascript:${RUN}">here</a> data:text/html,<script>${RUN}</script>`],
  ["writing direction", "A boat named \u202Egnp.tac\u202C and \u2067عربى\u2069 sails past the harbour at dusk, seen from the pier"],
  ["2,000 emoji", "😀".repeat(2000)],
  ["one long word", "w".repeat(1990)],
  ["combining marks", `Z${"\u0335\u0301".repeat(40)} in a field of very tall and very green grass, filmed from a low angle with a wide lens in the evening light`],
];

export async function tellHostile({ name, client, context, origins, looks }) {
  const talk = await Conversation.begin(client, context, origins);
  const ids = new Map();

  await check(`${name}: hostile prompts and file names show as text, and nothing runs`, async () => {
    for (const [what, prompt] of PROMPTS) {
      const answer = await talk.buy("generate_video", { prompt });
      const id = answer.structuredContent.task_id;
      if (id) ids.set(what, id);
      else demand(answer.isError, `${what} is taken or refused`);
    }
    demand(ids.size >= 5, `most are taken: ${[...ids.keys()]}`);
    for (const id of ids.values()) await talk.ask("query_task", { task_id: id, wait_seconds: 45 });
    const answer = await talk.show("list_tasks", {}, { context: looks });
    for (const [what, id] of ids) {
      const place = card(talk.view, id);
      await ready(place);
      const text = await place.evaluate((root) => root.textContent);
      const start = PROMPTS.find(([each]) => each === what)[1].slice(0, 8);
      if (!/direction|marks/.test(what)) demand(text.includes(start), `${what}: its text is there: ${text.slice(0, 300)}`);
    }
    same(answer.isError ?? false, false, "the list of tasks");
  });

  await check(`${name}: and it stays in its place`, async () => {
    const facts = await talk.frame.evaluate(() => ({
      ran: window.ran ?? null,
      strange: [...document.querySelectorAll("main :is(script, svg[onload], b, a[href^='javascript:'], style, img[src='x'])")].map((each) => each.outerHTML.slice(0, 80)),
      wide: document.documentElement.scrollWidth - innerWidth,
      title: document.title,
    }));
    same([facts.ran, facts.strange], [null, []], "what ran, and elements out of texts");
    demand(facts.wide <= 0, `nothing is wider than the page: ${facts.wide} px`);
    same(await talk.page.evaluate(() => window.ran ?? null), null, "what ran in the host");
    for (const [what, id] of ids) {
      const height = await card(talk.view, id).evaluate((root) => root.getBoundingClientRect().height);
      demand(height < 900, `${what}: the card is ${height} px high`);
    }
  });

  await check(`${name}: a long prompt is cut, and opens`, async () => {
    const place = card(talk.view, ids.get("2,000 emoji") ?? ids.get("one long word"));
    const height = () => place.evaluate((root) => root.getBoundingClientRect().height);
    const before = await height();
    await button(place, /^More/).click();
    await until("the card is higher", async () => (await height()) > before);
    await button(place, /^Less/).click();
    await until("the card is as before", async () => (await height()) <= before + 1);
  });

  await check(`${name}: a path with markup is copied as it is`, async () => {
    const place = card(talk.view, ids.get("markup"));
    await button(place, /Copy path/).click();
    const copied = await until("it is said what was copied", async () => {
      const text = await talk.view.locator("body").evaluate((root) => root.textContent);
      return text.match(/Copied: [^\n]*<img src=x[^\n]*\.mp4|Copy this yourself[^\n]*<img/)?.[0];
    });
    demand(copied, "the path");
  });

  await check(`${name}: a host's own nonsense does no harm`, async () => {
    const strange = await Conversation.begin(client, context, origins);
    await strange.open("list_tasks", {}, {
      content: [{ type: "text", text: `<img src=x onerror="${RUN}">` }],
      structuredContent: {
        message: `<script>${RUN}</script>`,
        tasks: [
          { task_id: `x"><img src=x onerror=${RUN}>`, status: "<b>done</b>", prompt: "\u0000\u0007\u001b[31m a bell", url: `javascript:${RUN}`, file: `<img src=x onerror=${RUN}>` },
          { task_id: "__proto__", status: "constructor", prompt: { toString: "no" }, cost: { amount: "<i>1</i>", unit: "<u>x</u>" } },
          null,
          7,
          { task_id: 7, status: 5, prompt: 9, cost: { amount: 3, unit: 4, charged: "toString" }, created_at: {}, file: {}, url: [] },
          { task_id: [1], status: null, prompt: "the last of the strange ones", model: {}, seconds: "x" },
          ...Array.from({ length: 10_000 }, (_, at) => ({ task_id: `many-${at}`, status: "cancelled", prompt: "one of many" })),
        ],
      },
    }, { context: { locale: "en-US", theme: "<b>", styles: { variables: { "--color-text-primary": "red;}</style>" } } } });
    await says(strange.view.locator("body"), /a bell/);
    await says(strange.view.locator("body"), /the last of the strange ones/);
    same(await strange.frame.evaluate(() => [window.ran ?? null, document.querySelectorAll("img[src='x'], main script").length]), [null, 0], "what ran");
    await strange.page.close();
  });
  return { talk, ids };
}
