// GET /gallery for a signed-in person, and `hailuo-mcp gallery`: the same page without a host.
import { button, card, play, priceIn, ready, says } from "./view.mjs";
import { check, demand, Faults, same, until } from "./checks.mjs";
import { connect, http } from "./host.mjs";
import { look } from "./looks.mjs";
import { start, stop } from "./servers.mjs";

const REFUSED = /console error: Failed to load resource: the server responded with a status of 401/;

export async function tellGallery({ browser, origin, token, ids, sandbox, keep }) {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1000, height: 900 } });
  const faults = new Faults(context);
  const page = await context.newPage();
  const ranges = [];
  page.on("response", (response) => {
    if (response.status() === 206) ranges.push(response.url());
  });
  const field = page.getByLabel(/Access token/);

  await check("GET /gallery: without a token it asks for one, under a strict policy", async () => {
    faults.expect(REFUSED, REFUSED); // the page, and its look whether a token is needed at all
    const answer = await page.goto(`${origin}/gallery`);
    same(answer.status(), 401, "its status");
    const policy = answer.headers()["content-security-policy"];
    demand(/default-src 'none'/.test(policy) && !/unsafe|\*/.test(policy), `its policy: ${policy}`);
    await field.waitFor();
    same(await page.getByText(/CNY/).count(), 0, "what is told to a stranger");
  });

  await check("GET /gallery: a wrong token is refused, in words", async () => {
    faults.expect(REFUSED);
    await field.fill("not-the-token-of-this-server-at-all");
    await page.keyboard.press("Enter");
    await until("it says so", async () => /token/i.test(await page.getByRole("alert").allInnerTexts().then((all) => all.join(" "))));
    demand(await field.isVisible(), "it asks again");
  });

  await check("GET /gallery: with a token it shows the same clips, and plays", async () => {
    await field.fill(token);
    await button(page, /^Sign in/).click();
    for (const id of ids) await card(page, id).waitFor();
    const source = await play(card(page, ids[0]));
    demand(source.startsWith(origin), `played from ${source}`);
    demand(ranges.length, "a part of the file was asked for");
    demand(!page.url().includes(token), "the address names no token");
  });

  await check("GET /gallery: a clip that is asked for elsewhere appears by itself", async () => {
    const other = await connect(http(origin, token));
    const asked = { prompt: "A kite over the dunes" };
    const { structuredContent } = await other.callTool({ name: "generate_video", arguments: asked });
    await ready(card(page, structuredContent.task_id));
    await other.close();
  });

  await check("GET /gallery: another take is bought once", async () => {
    const place = card(page, ids.at(-1));
    const another = button(place, /Another take/).first();
    const price = priceIn(await another.innerText());
    const before = await sandbox.creates();
    await another.click();
    await says(place, new RegExp(`${price} CNY`));
    await button(place, /^Buy/).dblclick();
    await until("it is in the book", async () => (await sandbox.creates()) > before);
    await says(page.locator("body"), /Take 3/);
    same(await sandbox.creates(), before + 1, "creates");
  });

  await look({
    name: "GET /gallery",
    file: "gallery",
    page,
    frame: () => page.mainFrame(),
    setTheme: (theme) => page.emulateMedia({ colorScheme: theme }),
    keep,
  });

  await check("GET /gallery: a reload keeps the sign-in, Sign out ends it", async () => {
    await page.emulateMedia({ colorScheme: "light" });
    faults.expect(REFUSED); // the page itself; its own calls carry the token
    await page.reload();
    await card(page, ids[0]).waitFor();
    faults.expect(REFUSED, REFUSED); // the page begins anew, without a token
    await button(page, /Sign out/).click();
    await field.waitFor();
    same(await page.locator("[data-id]").filter({ visible: true }).count(), 0, "clips after signing out");
    faults.expect(REFUSED, REFUSED);
    await page.reload();
    await field.waitFor();
    same(await page.evaluate((secret) => JSON.stringify({ ...sessionStorage, ...localStorage }).includes(secret), token), false, "whether the token is still kept");
  });

  await check("GET /gallery: an address with a token, pasted over the open page, signs in", async () => {
    faults.expect(REFUSED);
    await page.evaluate((secret) => (location.hash = `token=${secret}`), token);
    await card(page, ids[0]).waitFor();
    demand(!page.url().includes(token), "the address names no token");
  });

  await check("GET /gallery: no error, warning, violation or request elsewhere", () => {
    same([faults.found, faults.unmet()], [[], []], "faults of the browser");
  });
  await context.close();
}

/** The same journal as the conversation over stdio, for the person at this computer. */
export async function tellCommand({ browser, home, more, ids }) {
  const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 1000, height: 900 } });
  const faults = new Faults(context);
  await check("hailuo-mcp gallery: it opens the journal of this computer, in the browser's language, and plays", async () => {
    const served = await start(home, ["gallery", "--no-open"], /(http:\S+\/gallery#token=\S+)/, more);
    const page = await context.newPage();
    await page.goto(served.found[1]);
    await until("the token is out of the address", () => !page.url().includes("token"));
    for (const id of ids) await card(page, id).waitFor();
    await says(page.locator("body"), /已完成/);
    await play(card(page, ids[0]));
    await page.close();
    same(await stop(served, "SIGINT"), 0, "its exit code after Ctrl-C");
    demand(!/Traceback/.test(served.said()), served.said());
    same([faults.found, faults.unmet()], [[], []], "faults of the browser");
  });
  await context.close();
}
