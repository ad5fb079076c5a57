// What the page says, in English and Chinese: every sentence, amount and time.

/** @type {Record<string, [english: string, chinese: string]>} */
const WORDS = {
  videos: ["Videos", "视频"],
  loading: ["Loading…", "加载中…"],
  fullscreen: ["Full screen", "全屏"],
  signIn: ["Sign in", "登录"],
  signOut: ["Sign out", "退出登录"],
  signInHow: [
    "Enter an access token of this server. It is kept for this tab only.",
    "请输入此服务器的访问令牌，仅在本标签页内保留。",
  ],
  token: ["Access token", "访问令牌"],
  empty: ["No videos yet", "还没有视频"],
  emptyHow: [
    "Ask for one in the conversation, for example: “A red fox running through fresh snow, 6 seconds.” It appears here while it is made.",
    "在对话中描述画面即可，例如：“一只红狐在新雪中奔跑，6 秒。”生成过程会显示在这里。",
  ],

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
  notStarted: ["Not started", "尚未开始"],

  left: ["left", "剩余"],
  soon: ["any moment", "即将完成"],
  soFar: ["so far", "已用时"],
  leftLong: ["About {time} left", "大约还需 {time}"],
  progress: ["Progress", "进度"],
  seconds: ["{n} s", "{n} 秒"],
  minutes: ["{n} min", "{n} 分钟"],
  justNow: ["just now", "刚刚"],

  clip: ["Clip", "视频"],
  take: ["Take {n}", "第 {n} 版"],
  takes: ["{n} takes", "{n} 个版本"],
  upgraded: ["Upgrade", "高清版"],
  film: ["Film", "影片"],
  filmShots: ["Film of {n} shots", "影片，共 {n} 个镜头"],
  shots: ["Shots in order", "按顺序排列的镜头"],
  shot: ["Shot {n}", "镜头 {n}"],
  earlier: ["earlier version", "旧版本"],
  sandbox: ["Sandbox: imitation, nothing charged", "沙盒：模拟生成，不收费"],
  more: ["More", "展开"],
  less: ["Less", "收起"],
  details: ["What the server says", "服务器的说明"],
  noPrompt: ["No prompt", "没有提示词"],

  t2v: ["from text", "文生视频"],
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
  noPrice: ["no published price", "价格未公布"],
  atLeast: ["from {price}", "{price}起"],
  spent_day: ["{price} spent today", "今日已花费 {price}"],
  spent_month: ["{price} spent this month", "本月已花费 {price}"],
  spent_total: ["{price} spent in all", "累计花费 {price}"],
  reserved: ["{price} reserved", "已预留 {price}"],
  uncertain: ["{price} uncertain", "未确定 {price}"],
  budgetLeft: ["{left} left of {budget}", "预算 {budget}，剩余 {left}"],
  budget: ["Budget", "预算"],

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
  againPlain: ["Another take", "再来一版"],
  upgradeTo: ["Upgrade to {size} · {price}", "升级到 {size} · {price}"],
  upgradePlain: ["Upgrade to {size}", "升级到 {size}"],
  copied: ["Copied: {text}", "已复制：{text}"],
  notCopied: ["Copy this yourself: {text}", "请自行复制：{text}"],
  notOpened: [
    "It could not be opened from here. The clip is at {text}",
    "无法从这里打开。文件位置：{text}",
  ],
  notSaved: [
    "It could not be saved from here. The clip is still there; try again, or ask for its file in the conversation.",
    "无法从这里保存。视频仍在，请重试，或在对话中索取文件。",
  ],
  frameMessage: [
    "Use the last frame of this clip as the first frame of the next one: {frame}",
    "用这段视频的最后一帧作为下一段的首帧：{frame}",
  ],
  frameSaid: ["Put into the conversation: {text}", "已发到对话中：{text}"],
  fetched: ["It is on disk now.", "已保存到磁盘。"],
  fetchFailed: [
    "It could not be downloaded. Nothing was charged for trying. ",
    "下载失败。重试不收费。",
  ],

  askTake: ["Buy take {take} of this clip for {price}?", "要花费 {price} 购买第 {take} 版吗？"],
  askUpgrade: ["Make it again at {size} for {price}?", "要花费 {price} 以 {size} 重新生成吗？"],
  askTakePlain: ["Buy take {take} of this clip?", "要购买第 {take} 版吗？"],
  askUpgradePlain: ["Make it again at {size}?", "要以 {size} 重新生成吗？"],
  askUnpriced: [
    "No price is published for this: the provider decides what it costs.",
    "此项没有公布价格，由服务商决定。",
  ],
  askAtLeast: ["It costs at least this.", "实际费用可能更高。"],
  askSandbox: ["The sandbox charges nothing: this is play money.", "沙盒不收费：这是模拟金额。"],
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
  notBought: ["It was not bought.", "没有购买。"],
  boughtUnsure: ["It may have been bought.", "可能已经购买。"],
  unsure: [
    "No clear answer came, so it may have been bought and charged. Nothing is sent again by itself. If it was bought, it appears here within a minute; look first, then decide.",
    "没有收到明确的答复，可能已购买并扣费。不会自动重新发送。如果已购买，一分钟内会显示在这里；请先查看再决定。",
  ],
  unreached: [
    "The server could not be reached. The purchase was not sent. Try again when it is there.",
    "无法连接服务器，购买请求没有发出。请稍后重试。",
  ],
  refusedOver: [
    "It would go past your budget. Raise the budget, or wait for its next period.",
    "会超出预算。请提高预算，或等到下一个预算周期。",
  ],
  refusedBalance: ["The account is out of credit. Top it up, then try again.", "账户余额不足，请充值后重试。"],
  refusedRate: ["Too many requests at the moment. Try again in a minute.", "请求过多，请一分钟后重试。"],
  refusedPermit: [
    "Your access does not allow buying. Ask whoever runs this server.",
    "您的权限不允许购买，请联系服务器管理员。",
  ],
  refusedPlan: ["The quota of the plan is used up, or the plan does not include this.", "套餐额度已用完，或套餐不包含此项。"],
  chargedNo: ["Nothing was charged.", "没有扣费。"],
  chargedYes: ["It was charged.", "已扣费。"],
  chargedMaybe: ["It may have been charged.", "可能已扣费。"],
  chargedNotYet: ["Nothing is charged so far.", "目前没有扣费。"],
  heldBack: ["{price} stay reserved until it is clear.", "在确认之前预留 {price}。"],

  no_picture: [
    "Another take cannot be made from here: a picture it was made from is gone.",
    "无法从这里再来一版：所用的图片已不存在。",
  ],
  no_again: ["Another take cannot be made from here.", "无法从这里再来一版。"],

  failedWhat: ["The provider could not make this clip.", "服务商未能生成这段视频。"],
  failedNext: [
    "Change the prompt or the picture a little, or try again later.",
    "请稍微修改提示词或图片，或稍后重试。",
  ],
  cancelledWhat: ["It was withdrawn.", "已撤回。"],
  cancelledNext: ["Ask for it again whenever you like.", "需要时可以重新提出。"],
  unconfirmedWhat: [
    "The request was sent, but no clear answer came: it may have been bought. It is never sent again by itself.",
    "请求已发出，但没有收到明确的答复：可能已购买。不会自动重新发送。",
  ],
  unconfirmedNext: [
    "Look at the provider's bill, then record what you found: hailuo-mcp settle {id} bought, or not-bought.",
    "请核对服务商账单，然后记录结果：hailuo-mcp settle {id} bought（已购买）或 not-bought（未购买）。",
  ],
  fetchWhat: ["The clip is finished, but its file is not here.", "视频已生成，但文件不在这里。"],
  fetchNext: ["Downloading it again is free.", "重新下载不收费。"],
  leaveFullscreen: ["Leave full screen", "退出全屏"],
  showMore: ["Show more", "显示更多"],
  asking: ["Asked for:", "已提出："],
  cancelledCall: ["The request was cancelled.", "请求已取消。"],
  refusedCall: ["The request was refused.", "请求被拒绝。"],
  noCards: ["The server could not list the videos.", "服务器无法列出视频。"],
  changed: ["{status}: {prompt}", "{status}：{prompt}"],
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

  plannedNext: [
    "Nothing is bought yet. Agree to the plan in the conversation to make it.",
    "尚未购买。在对话中同意方案后开始生成。",
  ],
};

/** What a failure means and what to do, by the code that the server gives. */
/** @type {[codes: string, what: [string, string], next: [string, string]][]} */
const FAILURES = [
  [
    "1026 unprocessable_entity_error moderation content_rejected",
    ["Moderation refused the prompt or a picture.", "内容审核未通过：提示词或图片。"],
    ["Change the wording or the picture, then ask again.", "请修改措辞或图片后重试。"],
  ],
  [
    "1027",
    ["Moderation refused the finished clip.", "内容审核未通过：生成的视频。"],
    ["Change the wording or the picture, then ask again.", "请修改措辞或图片后重试。"],
  ],
  [
    "1008 payment_required insufficient_balance_error http_402 insufficient_balance",
    ["The account is out of credit.", "账户余额不足。"],
    ["Top it up at the provider, then ask again.", "请在服务商处充值后重试。"],
  ],
  [
    "1004 2049 authentication_error authorized_error http_401 http_403 authentication",
    ["The provider did not accept the key.", "服务商不接受此密钥。"],
    [
      "Check the key and its region with: hailuo-mcp doctor",
      "请运行 hailuo-mcp doctor 检查密钥及其区域。",
    ],
  ],
  [
    "1002 1039 1041 2045 rate_limit_error http_429 rate_limited",
    ["The provider accepts no more requests for now.", "服务商暂时不再接受请求。"],
    ["Wait a few minutes, then ask again.", "请等几分钟再试。"],
  ],
  [
    "1028 1030 2056 2061 quota_exceeded",
    ["The quota of the plan is used up, or the plan does not include this.", "套餐额度已用完，或套餐不包含此项。"],
    ["Wait for its next period, choose another model, or change the plan.", "请等待下一周期、换一个模型或更换套餐。"],
  ],
  [
    "2013 invalid_request_error invalid_request bad_request_error http_400 http_422 rejected_parameters 1042 http_413 sandbox_marker",
    ["The provider does not accept these inputs.", "服务商不接受这些输入。"],
    ["Change the prompt, the pictures, the size or the length, then ask again.", "请修改提示词、图片、尺寸或时长后重试。"],
  ],
  [
    "1000 1001 1013 1024 1033 server_error task_query_failed http_408 overloaded_error http_529 provider_not_found submit_failed provider_unavailable",
    ["The provider had an internal error, or is overloaded.", "服务商内部错误或负载过高。"],
    ["Try again later.", "请稍后重试。"],
  ],
  [
    "upstream_not_found_or_no_permission remote_task_not_found",
    ["The provider no longer knows this clip.", "服务商已找不到这段视频。"],
    ["Ask for it again.", "请重新提出。"],
  ],
  [
    "download_url_missing download_failed link_expired",
    ["The clip was made, but could not be fetched.", "视频已生成，但无法取回。"],
    ["Download it again: that is free.", "请重新下载，不收费。"],
  ],
];

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

/** @param {string} code @returns {{what: string, next: string} | null} */
function failureText(code) {
  const row = FAILURES.find(([codes]) => codes.split(" ").includes(code));
  return row ? { what: row[1][chinese ? 1 : 0], next: row[2][chinese ? 1 : 0] } : null;
}

/**
 * Untrusted text as it may be shown: without characters that turn or hide what stands around them.
 * @param {unknown} text
 */
function plainText(text) {
  return String(text ?? "")
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, "");
}

/** The same on one line, line ends visible: for names and paths. @param {unknown} text */
function plainLine(text) {
  return plainText(text).replace(/\n/g, "⏎").replace(/\t/g, "⇥");
}

const UNITS_ZH = { CNY: "元", USD: "美元", credits: "积分" };

/** @param {{amount?: string, unit?: string, lower_bound?: boolean} | undefined} price */
function amountText(price) {
  if (!price?.amount) return say("noPrice");
  const unit = price.unit ?? "";
  // Two digits that say nothing: 2.00 is 2.
  const amount = price.amount.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  const word = chinese && Object.hasOwn(UNITS_ZH, unit) ? UNITS_ZH[/** @type {"CNY"} */ (unit)] : unit;
  const text = plainLine(`${amount} ${word}`);
  return price.lower_bound ? say("atLeast", { price: text }) : text;
}

/** Minutes and seconds, as on a clock. @param {number} seconds */
function clockText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** A length of time in words. @param {number} seconds */
function aboutText(seconds) {
  return seconds < 90
    ? say("seconds", { n: Math.max(1, Math.round(seconds)) })
    : say("minutes", { n: Math.round(seconds / 60) });
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

/** Tell a screen reader, once it has finished its sentence. @param {string} text */
function announce(text) {
  const region = document.getElementById("status");
  if (region) region.textContent = text;
}
