// What the page says, in English and Chinese: every sentence, amount and time.

/** English, then Chinese. @type {Record<string, string>} */
const WORDS = {
  videos: "Videos|视频",
  loading: "Loading…|加载中…",
  fullscreen: "Full screen|全屏",
  leaveFullscreen: "Leave full screen|退出全屏",
  signIn: "Sign in|登录",
  signInHow: "Enter an access token of this server. It is kept for this tab only.|请输入此服务器的访问令牌，仅在本标签页内保留。",
  signOut: "Sign out|退出登录",
  token: "Access token|访问令牌",
  tokenWrong: "This token is not accepted. Check it, or ask whoever runs this server.|此令牌无效。请检查，或联系服务器管理员。",
  empty: "No videos yet|还没有视频",
  emptyHow: "Ask for one in a conversation. It appears here while it is made.|在对话中描述画面即可，生成过程会显示在这里。",
  asking: "Asked for:|已提出：",
  more: "More|更多",
  less: "Less|收起",

  planned: "Planned|已规划",
  pending: "Waiting for its turn|排队等待发送",
  submitting: "Sending|正在发送",
  queued: "In the queue|排队中",
  running: "Rendering|生成中",
  saving: "Saving|正在保存",
  saved: "Ready|已完成",
  succeeded: "Finished|已生成",
  failed: "Failed|失败",
  cancelled: "Cancelled|已取消",
  unconfirmed: "Unknown outcome|结果未知",

  left: "left|剩余",
  soon: "soon|即将完成",
  soFar: "so far|已用时",
  seconds: "{n} s|{n} 秒",
  justNow: "just now|刚刚",

  clip: "Clip|视频",
  film: "Film of {n} shots|影片，共 {n} 个镜头",
  shot: "Shot {n}|镜头 {n}",
  take: "Take {n}|第 {n} 版",
  takes: "{n} takes|{n} 个版本",
  earlier: "Earlier version|早先版本",
  sandbox: "Sandbox: play money, nothing charged|沙盒：模拟生成，不收费",
  i2v: "from a first frame|图生视频",
  fl2v: "first and last frame|首尾帧",
  s2v: "from a subject|主体参考",
  r2v: "from references|多素材参考",
  template: "from a template|模板",
  upgrade: "Upgrade|高清重制",

  charged: "{price} charged|已扣费 {price}",
  notYet: "{price} when it succeeds|成功后扣费 {price}",
  maybe: "{price} reserved: may have been charged|已预留 {price}：可能已扣费",
  notCharged: "Nothing charged|未扣费",
  worth: "would cost {price}|正式生成价格 {price}",
  noPrice: "an unknown price|未公布的价格",
  atLeast: "at least {price}|至少 {price}",
  spent_day: "{price} spent today|今日已花费 {price}",
  spent_month: "{price} spent this month|本月已花费 {price}",
  spent_total: "{price} spent in all|累计花费 {price}",
  reserved: "{price} reserved|已预留 {price}",
  uncertain: "{price} of it uncertain|其中 {price} 未确定",
  budgetLeft: "{left} left of {budget}|预算 {budget}，剩余 {left}",

  play: "Play|播放",
  preview: "Preview|预览",
  copyPath: "Copy path|复制路径",
  openFolder: "Open folder|打开文件夹",
  lastFrame: "Use last frame|使用尾帧",
  save: "Save|保存",
  openLink: "Open link|打开链接",
  fetch: "Download again|重新下载",
  fetching: "Downloading…|下载中…",
  again: "Another take · {price}|再来一版 · {price}",
  upgradeTo: "Upgrade to {size} · {price}|升级到 {size} · {price}",
  close: "Close|关闭",
  cancel: "Cancel|取消",
  tryAgain: "Try again|重试",
  copied: "Copied: {text}|已复制：{text}",
  notCopied: "Copy this yourself: {text}|请自行复制：{text}",
  notHere: "That does not work from here.|此处无法执行此操作。",
  frameMessage: "Use the last frame of this clip as the first frame of the next one: {frame}|用这段视频的最后一帧作为下一段的首帧：{frame}",
  frameSaid: "Put into the conversation: {text}|已发到对话中：{text}",
  fetched: "It is on disk.|已保存到磁盘。",
  fetchWhat: "It is finished, but its file is not here. Downloading it again is free.|已生成，但文件不在这里。重新下载不收费。",
  fetchFailed: "It could not be downloaded. Trying costs nothing.|下载失败。重试不收费。",
  tooLarge: "This clip is too large to play here.|视频过大，无法在此播放。",
  notLoaded: "The clip could not be loaded.|视频加载失败。",
  noPreview: "No preview could be made.|无法生成预览。",

  askTake: "Buy take {take} of this clip for {price}?|购买第 {take} 版：{price}？",
  askUpgrade: "Make it again at {size} for {price}?|以 {size} 重新生成：{price}？",
  buy: "Buy|购买",
  notNow: "Not now|暂不",
  buying: "Buying…|购买中…",
  bought: "Bought. It appears here while it is made.|已购买，生成过程会显示在这里。",
  alreadyBought: "This one was bought before: nothing was charged now.|这一版之前已购买，本次未扣费。",
  notBought: "It was not bought. Nothing was charged.|没有购买，没有扣费。",
  unsure: "No clear answer came: it may have been bought and charged. Nothing is sent again by itself. See whether it appears here, or look at the provider's bill, before you buy again.|没有收到明确的答复：可能已购买并扣费。不会自动重新发送。再次购买前，请查看它是否出现在这里，或核对服务商账单。",
  no_film_shot: "To make this shot again, ask for it in a conversation.|如需重做此镜头，请在对话中提出。",
  no_picture_gone: "No other take: a picture it was made from is gone.|无法再来一版：所用的图片已不存在。",
  no_take: "Another take cannot be bought from here.|无法从这里再来一版。",

  details: "What the server says|服务器的说明（英文）",
  away: "The server does not answer. What is shown may be old; it is asked again by itself.|服务器没有响应。显示的内容可能已过时，稍后会自动重试。",
  noLook: "This app does not let the page look again. Ask in the conversation how it stands.|此应用不允许页面刷新状态，请在对话中询问进展。",
  refused: "The request was refused.|请求被拒绝。",

  // Why: by our code of the error. The server's explanation says in English what to do.
  content_rejected: "Refused by moderation.|内容审核未通过，请修改提示词或图片。",
  insufficient_balance: "The account is out of credit.|账户余额不足，请充值。",
  authentication: "The provider does not accept the key.|服务商不接受此密钥，请检查密钥及其区域。",
  rate_limited: "Too many requests at the moment.|请求过多，请稍后重试。",
  quota_exceeded: "The plan does not cover it.|套餐额度已用完或不包含此项。",
  rejected_parameters: "The provider does not accept these inputs.|服务商不接受这些输入，请修改后重试。",
  invalid_request: "This cannot be made.|无法生成，请修改后重试。",
  provider_unavailable: "The provider has trouble.|服务商出现故障，请稍后重试。",
  remote_task_not_found: "The provider no longer knows it.|服务商已找不到它，请重新提出。",
  download_failed: "It could not be downloaded.|下载失败，重新下载不收费。",
  link_expired: "The link has expired.|链接已过期，重新下载不收费。",
  budget_exceeded: "It would go past the budget.|会超出预算。",
  not_permitted: "Your access does not allow this.|您的权限不允许此操作，请联系服务器管理员。",
  not_made: "The provider could not make it.|服务商未能生成。",
};

let chinese = false;

/** @param {string} locale - Such as zh-CN. */
function setLanguage(locale) {
  chinese = /^zh\b/i.test(locale);
  document.documentElement.lang = chinese ? "zh-CN" : "en";
  document.title = say("videos");
  for (const element of document.querySelectorAll("[data-say]")) {
    element.textContent = say(/** @type {HTMLElement} */ (element).dataset.say ?? "");
  }
}

/** @param {string} key @param {Record<string, string | number>} [values] */
function say(key, values = {}) {
  const words = known(key) ? WORDS[key].split("|")[chinese ? 1 : 0] : String(key);
  return words.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Whether there are words for it. @param {string} key */
function known(key) {
  return Object.hasOwn(WORDS, key);
}

/** In words, if there are any: a code of an error, or of a mode. @param {string} [code] */
function sayCode(code = "") {
  return known(code) ? say(code) : "";
}

/** @type {Record<string, string>} */
const UNITS_ZH = { CNY: "元", USD: "美元", credits: "积分" };

/** @param {{amount?: string, unit?: string, lower_bound?: boolean} | undefined} price */
function amountText(price) {
  if (!price?.amount) return say("noPrice");
  const { amount, unit = "", lower_bound } = price;
  // Digits that say nothing: 2.00 is 2.
  const number = String(amount).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  const text = plainLine(`${number} ${(chinese && UNITS_ZH[unit]) || unit}`);
  return lower_bound ? say("atLeast", { price: text }) : text;
}

/** Minutes and seconds, as on a clock. @param {number} seconds */
function clockText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** How long ago. @param {number} at - Unix seconds. */
function agoText(at) {
  const ago = Date.now() / 1000 - at;
  const [size, unit] = /** @type {[number, Intl.RelativeTimeFormatUnit]} */ (
    [[86400, "day"], [3600, "hour"], [60, "minute"]].find(([size]) => ago >= Number(size)) ?? [0, ""]
  );
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short" });
  return size ? format.format(-Math.floor(ago / size), unit) : say("justNow");
}

/** @param {number} at - Unix seconds. */
function dateText(at) {
  return new Date(at * 1000).toLocaleString(document.documentElement.lang);
}
