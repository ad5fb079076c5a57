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

/** Play it. `connect(timeout)` gives {names, shown, converter, call, leave}; call gives the text. */
export async function play(connect) {
  let host = await open(connect, null)
  const ask = async (tool, args) => plain(await host.call(tool, args))
  const buy = async (seconds, take) =>
    value(await ask('generate_video', { prompt: PROMPT(seconds), duration: 6, take }), 'task_id')

  async function untilSaved(id) {
    let longest = 0
    const giveUp = performance.now() + 150_000
    for (let calls = 1; performance.now() < giveUp; calls++) {
      const [text, seconds] = await timed(() => ask('query_task', { task_id: id }))
      longest = Math.max(longest, seconds)
      if (value(text, 'status') === 'failed') throw new Error(`the clip failed: ${text}`)
      if (place(text)) {
        await clip(place(text))
        return `${calls} calls, ${longest.toFixed(1)} s`
      }
    }
    throw new Error('never saved')
  }

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
    const [made, seconds] = await timed(() => buy(3, 1))
    id = made
    return `${seconds.toFixed(1)} s`
  })
  if (bought) {
    await act('wait', () => untilSaved(id))
    await act('download', async () => {
      const where = server.url ? {} : { output_path: 'copies/' }
      const text = await ask('download_video', { task_id: id, ...where })
      if (value(text, 'status') !== 'saved') throw new Error(`not saved: ${text}`)
      return `${Math.floor((await clip(place(text))) / 1024)} kB`
    })
  }
  await act('error', () => refusals(host))
  await host.leave()
  if (process.env.MATRIX_SLOW !== '1') process.exit(0)

  id = undefined
  await act('gives up', async () => {
    host = await open(connect, IMPATIENT)
    id = await buy(SLOW, 2)
    const [first, gone] = await timed(() =>
      host.call('query_task', { task_id: id }).then(
        () => 'answered',
        () => 'gone',
      ),
    )
    if (first === 'answered') return `answered in ${gone.toFixed(1)} s`
    const [, again] = await timed(() => ask('query_task', { task_id: id }))
    return `${gone.toFixed(1)} s, then answered in ${again.toFixed(1)} s`
  })
  await host.leave().catch(() => {})
  host = await open(connect, null)
  await act('slow clip', async () => untilSaved(id ?? (await buy(SLOW, 2))))
  await Promise.race([host.leave(), new Promise((done) => setTimeout(done, 5000))])
  process.exit(0)
}

async function open(connect, timeout) {
  try {
    return await connect(timeout)
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
