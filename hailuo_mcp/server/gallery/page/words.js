// What the page says, in English and Chinese: every sentence, amount and time.

/** @type {Record<string, [english: string, chinese: string]>} */
const WORDS = {
  videos: ["Videos", "视频"],
  loading: ["Loading…", "加载中…"],
  fullscreen: ["Full screen", "全屏"],
  signIn: ["Sign in", "登录"],
  signOut: ["Sign out", "退出登录"],
  token: ["Access token", "访问令牌"],
  empty: ["No videos yet", "还没有视频"],

  planned: ["Planned", "已规划"],
  pending: ["Waiting for its turn", "排队等待发送"],
  submitting: ["Sending", "正在发送"],
  queued: ["In the queue", "排队中"],
  running: ["Rendering", "生成中"],
  saving: ["Saving", "正在保存"],
  saved: ["Ready", "已完成"],
  succeeded: ["Finished", "已生成"],
  failed: ["Failed", "失败"],
  cancelled: ["Cancelled", "已取消"],
  unconfirmed: ["Unknown outcome", "结果未知"],

  left: ["left", "剩余"],
  soon: ["any moment", "即将完成"],
  seconds: ["{n} s", "{n} 秒"],
  justNow: ["just now", "刚刚"],

  take: ["Take {n}", "第 {n} 版"],
  takes: ["{n} takes", "{n} 个版本"],
  upgraded: ["Upgrade", "高清版"],
  shot: ["Shot {n}", "镜头 {n}"],
  sandbox: ["Sandbox: imitation, nothing charged", "沙盒：模拟生成，不收费"],
  more: ["More", "展开"],
  less: ["Less", "收起"],

  i2v: ["from a first frame", "图生视频"],
  fl2v: ["first and last frame", "首尾帧"],
  s2v: ["from a subject", "主体参考"],
  r2v: ["from references", "多素材参考"],
  template: ["from a template", "模板"],
  upgrade: ["upgrade", "高清重制"],

  charged: ["{price} charged", "已扣费 {price}"],
  notYet: ["{price} when it succeeds", "成功后扣费 {price}"],
  maybe: ["{price} reserved: may have been charged", "已预留 {price}：可能已扣费"],
  notCharged: ["Nothing charged", "未扣费"],
  worth: ["would cost {price}", "正式生成价格 {price}"],
  noPrice: ["an unknown price", "未公布的价格"],
  atLeast: ["from {price}", "{price}起"],
  spent_day: ["{price} spent today", "今日已花费 {price}"],
  spent_month: ["{price} spent this month", "本月已花费 {price}"],
  spent_total: ["{price} spent in all", "累计花费 {price}"],
  reserved: ["{price} reserved", "已预留 {price}"],
  uncertain: ["{price} uncertain", "未确定 {price}"],
  budgetLeft: ["{left} left of {budget}", "预算 {budget}，剩余 {left}"],

  play: ["Play", "播放"],
  preview: ["Preview", "预览"],
  copyPath: ["Copy path", "复制路径"],
  openFolder: ["Open folder", "打开文件夹"],
  lastFrame: ["Use last frame", "使用尾帧"],
  save: ["Save", "保存"],
  openLink: ["Open link", "打开链接"],
  fetch: ["Download again", "重新下载"],
  fetching: ["Downloading…", "下载中…"],
  again: ["Another take · {price}", "再来一版 · {price}"],
  upgradeTo: ["Upgrade to {size} · {price}", "升级到 {size} · {price}"],
  copied: ["Copied: {text}", "已复制：{text}"],
  notCopied: ["Copy this yourself: {text}", "请自行复制：{text}"],
  notOpened: [
    "It could not be opened from here. The clip is at {text}",
    "无法从这里打开。文件位置：{text}",
  ],
  frameSaid: ["Put into the conversation: {text}", "已发到对话中：{text}"],
  fetched: ["It is on disk now.", "已保存到磁盘。"],

  askTake: ["Buy take {take} of this clip for {price}?", "购买第 {take} 版：{price}？"],
  askUpgrade: ["Make it again at {size} for {price}?", "以 {size} 重新生成：{price}？"],
  askLeft: ["{left} of your budget of {budget} are left before it.", "购买前预算 {budget} 还剩 {left}。"],
  buy: ["Buy", "购买"],
  notNow: ["Not now", "暂不"],
  buying: ["Buying…", "购买中…"],
  close: ["Close", "关闭"],
  bought: ["Bought. It appears here while it is made.", "已购买，生成过程会显示在这里。"],
  alreadyBought: [
    "This one was bought before: nothing was charged now.",
    "这一版之前已购买，本次未扣费。",
  ],
  chargedNo: ["Nothing was charged.", "没有扣费。"],
  chargedYes: ["It was charged.", "已扣费。"],
  chargedMaybe: ["It may have been charged.", "可能已扣费。"],

  signInHow: ["Enter an access token of this server. It is kept for this tab only.", "请输入此服务器的访问令牌，仅在本标签页内保留。"],
  emptyHow: [
    "Ask for one in the conversation, for example: “A red fox running through fresh snow.” It appears here while it is made.",
    "在对话中描述画面即可，例如：“一只红狐在新雪中奔跑。”生成过程会显示在这里。",
  ],
  notStarted: ["Not started", "尚未开始"],
  soFar: ["so far", "已用时"],
  clip: ["Clip", "视频"],
  film: ["Film of {n} shots", "影片，共 {n} 个镜头"],
  noPrompt: ["No prompt", "没有提示词"],
  details: ["What the server says", "服务器的说明（英文）"],
  failedWhat: ["The provider could not make it.", "服务商未能生成。"],
  cancelledWhat: ["It was withdrawn. Ask for it again whenever you like.", "已撤回，可随时重新提出。"],
  unconfirmedWhat: [
    "No clear answer came: it may have been bought. It is never sent again by itself. Look at the provider's bill, then record what it says.",
    "没有收到明确的答复：可能已购买。不会自动重新发送。请核对服务商账单后登记结果。",
  ],
  leaveFullscreen: ["Leave full screen", "退出全屏"],
  showMore: ["Show more", "显示更多"],
  asking: ["Asked for:", "已提出："],
  cancelledCall: ["The request was cancelled.", "请求已取消。"],
  refusedCall: ["The request was refused.", "请求被拒绝。"],
  noCards: ["The server could not list the videos.", "服务器无法列出视频。"],
  tokenWrong: [
    "The server does not accept this token. Check it, or ask whoever runs this server.",
    "服务器不接受此令牌。请检查，或联系服务器管理员。",
  ],
  tokenOdd: ["That is not a token: it has spaces or unusual characters.", "这不是令牌：含有空格或特殊字符。"],
  reach_away: [
    "The server does not answer. What is shown may be old; it is asked again by itself.",
    "服务器没有响应。显示的内容可能已过时，稍后会自动重试。",
  ],
  reach_busy: ["The server is busy. It is asked again by itself.", "服务器繁忙，稍后会自动重试。"],
  reach_host: ["This app does not let the page look again. Ask in the conversation how it stands.", "此应用不允许页面刷新状态，请在对话中询问进展。"],
  reach_forbidden: ["Your access does not allow this.", "您的权限不允许此操作。"],
  reach_missing: [
    "This server does not know what the page asks for. Load the page again.",
    "服务器不认识此页面的请求。请重新加载页面。",
  ],
  cancel: ["Cancel", "取消"],
  tryAgain: ["Try again", "重试"],
  loadingClip: ["Loading the clip", "正在加载视频"],
  clipGone: ["The file of this clip is not there any more.", "此视频的文件已不存在。"],
  clipTooLarge: ["This clip is too large to play here.", "视频过大，无法在此播放。"],
  clipNotLoaded: ["The clip could not be loaded.", "视频加载失败。"],
  clipNotPlayable: ["This browser cannot play the clip.", "此浏览器无法播放该视频。"],
  noPreview: ["No preview could be made.", "无法生成预览。"],
  previewOf: ["Frames of: {prompt}", "画面：{prompt}"],
  fetchWhat: ["It is finished, but its file is not here. Downloading it again is free.", "已生成，但文件不在这里。重新下载不收费。"],
  frameMessage: ["Use the last frame of this clip as the first frame of the next one: {frame}", "用这段视频的最后一帧作为下一段的首帧：{frame}"],
  notSaved: ["It could not be saved from here.", "无法从这里保存。"],
  fetchFailed: ["It could not be downloaded. Trying costs nothing.", "下载失败。重试不收费。"],
  askUnpriced: ["No price is published: the provider decides what it costs.", "没有公布价格，由服务商决定。"],
  askAtLeast: ["It costs at least this.", "实际费用可能更高。"],
  askSandbox: ["The sandbox charges nothing: this is play money.", "沙盒不收费。"],
  notBought: ["It was not bought. Nothing was charged.", "没有购买，没有扣费。"],
  unsure: [
    "No clear answer came: it may have been bought and charged. Nothing is sent again by itself. If it was bought, it appears here soon; look first, then decide.",
    "没有收到明确的答复：可能已购买并扣费。不会自动重新发送。如果已购买，很快会显示在这里；请先查看再决定。",
  ],
  unreached: ["The server could not be reached. Try again later.", "无法连接服务器，请稍后重试。"],
  no_film_shot: ["To make this shot again, ask for it in the conversation.", "如需重做此镜头，请在对话中提出。"],
  no_picture_gone: ["No other take: a picture it was made from is gone.", "无法再来一版：所用的图片已不存在。"],
  no_take: ["Another take cannot be bought from here.", "无法从这里再来一版。"],
};

/**
 * What a refusal is called, and in Chinese what to do: the server says the latter in English.
 * @type {Record<string, [english: string, chinese: string, next: string]>}
 */
const REASONS = {
  content_rejected: ["Refused by moderation", "内容审核未通过", "请修改提示词或图片后重试。"],
  insufficient_balance: ["The account is out of credit", "账户余额不足", "请充值后重试。"],
  authentication: ["The provider does not accept the key", "服务商不接受此密钥", "请检查密钥及其区域。"],
  rate_limited: ["Too many requests at the moment", "请求过多", "请几分钟后重试。"],
  quota_exceeded: ["The plan does not cover it", "套餐额度已用完或不包含此项", "请等待下一周期或更换套餐。"],
  rejected_parameters: ["The provider does not accept these inputs", "服务商不接受这些输入", "请修改提示词、图片、尺寸或时长。"],
  invalid_request: ["This cannot be made", "无法生成", "请修改后重试。"],
  provider_unavailable: ["The provider has trouble", "服务商出现故障", "请稍后重试。"],
  remote_task_not_found: ["The provider no longer knows it", "服务商已找不到它", "请重新提出。"],
  download_failed: ["It could not be downloaded", "下载失败", "请重新下载，不收费。"],
  link_expired: ["The link has expired", "链接已过期", "请重新下载，不收费。"],
  budget_exceeded: ["It would go past the budget", "会超出预算", "请提高预算，或等到下一个周期。"],
  not_permitted: ["Your access does not allow it", "您的权限不允许此操作", "请联系服务器管理员。"],
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
  const words = Object.hasOwn(WORDS, key) ? WORDS[key][chinese ? 1 : 0] : key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** @param {string} [kind] - Our code of an error. @returns {{what: string, next: string} | null} */
function reasonOf(kind = "") {
  if (!Object.hasOwn(REASONS, kind)) return null;
  const [english, what, next] = REASONS[kind];
  return chinese ? { what, next } : { what: english, next: "" };
}

/** @type {Record<string, string>} */
const UNITS_ZH = { CNY: "元", USD: "美元", credits: "积分" };

/**
 * @param {{amount?: string, unit?: string, lower_bound?: boolean} | undefined} price
 * @param {boolean} [plain] - That it is a lower bound is said elsewhere.
 */
function amountText(price, plain = false) {
  if (!price?.amount) return say("noPrice");
  const unit = price.unit ?? "";
  // Two digits that say nothing: 2.00 is 2.
  const amount = price.amount.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  const word = (chinese && UNITS_ZH[unit]) || unit;
  const text = plainLine(`${amount} ${amount === "1" ? word.replace("credits", "credit") : word}`);
  return price.lower_bound && !plain ? say("atLeast", { price: text }) : text;
}

/** Minutes and seconds, as on a clock. @param {number} seconds */
function clockText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** How long ago. @param {number} at - Unix seconds. @param {number} [now] */
function agoText(at, now = Date.now() / 1000) {
  const ago = now - at;
  if (!(ago >= 60)) return say("justNow");
  const format = new Intl.RelativeTimeFormat(chinese ? "zh-CN" : "en", { style: "short" });
  if (ago < 3600) return format.format(-Math.floor(ago / 60), "minute");
  if (ago < 86400) return format.format(-Math.floor(ago / 3600), "hour");
  return format.format(-Math.floor(ago / 86400), "day");
}

/** @param {number} at - Unix seconds. */
function dateText(at) {
  return new Date(at * 1000).toLocaleString(chinese ? "zh-CN" : "en");
}
