// How the page reaches the server: through the host around it, or by itself at GET /gallery.

/**
 * @typedef {Object} Reply
 * @property {any} answer - The structured content; {} without one.
 * @property {{data: string, mimeType: string}[]} pictures
 * @property {{code: string, message: string, charged: string} | null} error - Of a refused call.
 *
 * @typedef {Object} Host
 * @property {string} locale
 * @property {boolean} opensLinks
 * @property {boolean} downloads
 * @property {boolean} takesMessages - It can put words into the conversation.
 *
 * @typedef {Object} Connection
 * @property {Host} host
 * @property {(name: string, args: object) => Promise<Reply>} call - Rejects if nothing answers.
 * @property {(url: string) => Promise<boolean>} openLink
 * @property {(text: string) => Promise<boolean>} sayToModel - As the person's own message.
 * @property {(url: string, name: string) => Promise<boolean>} download
 * @property {() => void} resized
 */
