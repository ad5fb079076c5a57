// The scene of scene.py for clients that run in Node: the same steps, the same cells.

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const SLOW = 40
const IMPATIENT = 3
const PROMPT = (seconds) => `A paper boat on a rainy street [sandbox:seconds=${seconds}]`

export const server = JSON.parse(process.env.MATRIX_SERVER)
const tools = JSON.parse(process.env.MATRIX_TOOLS)
const cells = {}

/** A tool error that the client hands over as a text. */
export class Refused extends Error {}
/** This client has no such setting. */
export class CannotSet extends Error {}

/** Import a package of the scratch folder, which is not where this file lies. */
export async function load(name) {
  const require = createRequire(`${process.env.MATRIX_MODULES}/x.js`)
  try {
    return await import(pathToFileURL(resolveAsImport(name) ?? require.resolve(name)))
  } catch (error) {
    if (error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error
    return import(pathToFileURL(resolveAsImport(name)))
  }
}

/** What `import` would choose out of the package's exports; `require` would choose its CommonJS. */
function resolveAsImport(name) {
  const parts = name.split('/')
  const own = name.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]
  const folder = `${process.env.MATRIX_MODULES}/${own}`
  const { exports, module } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  let found = exports?.[`.${name.slice(own.length)}`]
  while (found && typeof found === 'object') found = found.import ?? found.node ?? found.default
  return found ? `${folder}/${found}` : module && name === own ? `${folder}/${module}` : null
}

function put(cell, ok, said) {
  cells[cell] = { ok, said }
  writeFileSync(process.env.MATRIX_REPORT, JSON.stringify(cells))
}

async function act(cell, step) {
  try {
    put(cell, true, await step())
    return true
  } catch (error) {
    const cannot = error instanceof CannotSet
    put(cell, cannot ? null : false, reason(error).slice(0, 200))
    return cannot
  }
}

const reason = (error) => `${error?.name}: ${error?.message ?? error}`.replace(/\s+/g, ' ')

/** Some clients put the JSON into another JSON's string. */
function plain(text) {
  while (text.includes('\\"')) text = text.replaceAll('\\\\"', '\\"').replaceAll('\\"', '"')
  return text
}

function value(text, key) {
  const found = new RegExp(`['"]${key}['"]\\s*:\\s*['"]([^'"]*)['"]`).exec(text)
  if (!found) throw new Error(`no ${key} in: ${text.slice(0, 160)}`)
  return found[1]
}

/** Where the answer says that the clip is: a path, or a link of the server's; nothing: not yet. */
const place = (text) => (/['"](?:file|url)['"]\s*:\s*['"]([^'"]*)['"]/.exec(text) ?? [])[1]

async function clip(where) {
  const bytes = where.startsWith('http:')
    ? Buffer.from(await (await fetch(where)).arrayBuffer())
    : readFileSync(where)
  if (bytes.subarray(4, 8).toString() !== 'ftyp') throw new Error(`${where} is no mp4`)
  return bytes.length
}

async function timed(step) {
  const began = performance.now()
  const result = await step()
  return [result, (performance.now() - began) / 1000]
}

/**
 * Play it. `connect(timeout, asks)` gives {names, shown, converter, call, leave, canAsk}; call gives
 * the text. With `asks` a client that can ask a person says so, and says yes for them.
 */
export async function play(connect) {
  const cases = { scene, 'gives up': givesUp, consent, 'slow clip': slowClip }
  await cases[process.env.MATRIX_CASE](connect)
  process.exit(0)
}

const ask = async (host, tool, args) => plain(await host.call(tool, args))
const wanted = (seconds) => ({ prompt: PROMPT(seconds), duration: 6 })
const buy = async (host, seconds) =>
  value(await ask(host, 'generate_video', wanted(seconds)), 'task_id')

async function untilSaved(host, id) {
  let [longest, read] = [0, 0]
  const giveUp = performance.now() + 150_000
  for (let calls = 1; performance.now() < giveUp; calls++) {
    const [text, seconds] = await timed(() => ask(host, 'query_task', { task_id: id }))
    longest = Math.max(longest, seconds)
    read += Buffer.byteLength(text)
    if (value(text, 'status') === 'failed') throw new Error(`the clip failed: ${text}`)
    if (place(text)) {
      await clip(place(text))
      return `${calls} calls, ${longest.toFixed(1)} s, ${Math.floor(read / 4)} tokens`
    }
  }
  throw new Error('never saved')
}

async function scene(connect) {
  const host = await open(connect, null)
  const listed = await act('list', async () => {
    const names = await host.names()
    const missing = Object.keys(tools).filter((name) => !names.includes(name))
    if (missing.length) throw new Error(`not listed: ${missing}`)
    return String(names.length)
  })
  if (!listed) process.exit(0)
  await act('schemas', async () => {
    const shown = await host.shown()
    for (const [name, parameters] of Object.entries(tools)) {
      const lost = parameters.filter((parameter) => !shown[name]?.includes(parameter))
      if (lost.length) throw new Error(`${name} lost ${lost}`)
    }
    return `${Object.keys(shown).length} ${host.converter ?? ''}`.trim()
  })
  let id
  const bought = await act('generate', async () => {
    const [made, seconds] = await timed(() => buy(host, 3))
    id = made
    return `${seconds.toFixed(1)} s`
  })
  if (bought) {
    await act('wait', () => untilSaved(host, id))
    await act('download', async () => {
      const where = server.url ? {} : { output_path: 'copies/' }
      const text = await ask(host, 'download_video', { task_id: id, ...where })
      if (value(text, 'status') !== 'saved') throw new Error(`not saved: ${text}`)
      return `${Math.floor((await clip(place(text))) / 1024)} kB`
    })
  }
  await act('error', () => refusals(host))
  await leave(host)
}

async function givesUp(connect) {
  await act('gives up', async () => {
    const host = await open(connect, IMPATIENT)
    const id = await buy(host, SLOW)
    const [first, gone] = await timed(() =>
      host.call('query_task', { task_id: id }).then(
        () => 'answered',
        () => 'gone',
      ),
    )
    if (first === 'answered') return `answered in ${gone.toFixed(1)} s`
    const [, again] = await timed(() => ask(host, 'query_task', { task_id: id }))
    return `${gone.toFixed(1)} s, then answered in ${again.toFixed(1)} s`
  })
}

async function consent(connect) {
  await act('consent', async () => {
    const said = [await consents(await open(connect, null))]
    const asking = await open(connect, null, true)
    if (asking.canAsk) said.push(await consents(asking))
    return said.join(', ')
  })
}

/** A clip above the price at which the person wants to be asked. */
async function consents(host) {
  const [text, failed] = await host.call('generate_video', wanted(1)).then(
    (told) => [plain(told), false],
    (error) => [plain(reason(error)), true],
  )
  if (host.canAsk) {
    value(text, 'task_id')
    return 'asks'
  }
  const code = /confirm=\W*([0-9a-f]{8})/.exec(text)
  if (!code) throw new Error(`no code in: ${text.slice(0, 160)}`)
  value(await ask(host, 'generate_video', { ...wanted(1), confirm: code[1] }), 'task_id')
  return failed ? 'code' : 'code (told as plain text)'
}

async function slowClip(connect) {
  const host = await open(connect, null)
  await act('slow clip', async () => untilSaved(host, await buy(host, SLOW)))
}

async function leave(host) {
  await Promise.race([host.leave(), new Promise((done) => setTimeout(done, 5000))])
}

async function open(connect, timeout, asks = false) {
  try {
    return await connect(timeout, asks)
  } catch (error) {
    if (!(error instanceof CannotSet)) put('list', false, reason(error).slice(0, 200))
    throw error
  }
}

async function refusals(host) {
  const wrong = {
    '6 s or 10 s': { prompt: 'A cat', duration: 7 },
    aspect_ratio: { prompt: 'A cat', aspect_ratio: '16:9' },
    1026: { prompt: 'A cat [sandbox:1026]' },
  }
  const notes = new Set()
  for (const [word, args] of Object.entries(wrong)) {
    let text
    try {
      text = plain(await host.call('generate_video', args))
      notes.add('told as plain text')
    } catch (error) {
      text = plain(reason(error))
    }
    if (word === 'aspect_ratio' && text.includes('charged') && !text.includes(word)) {
      notes.add('the unknown argument was dropped by the client')
      continue
    }
    if (!text.includes(word)) throw new Error(`the reason is lost: ${text.slice(0, 160)}`)
    if (!text.includes('charged')) {
      if (word !== 'aspect_ratio') throw new Error(`the reason is lost: ${text.slice(0, 160)}`)
      notes.add('argument: by the client itself')
    }
  }
  return `3 refused${notes.size ? ` (${[...notes].join('; ')})` : ''}`
}
