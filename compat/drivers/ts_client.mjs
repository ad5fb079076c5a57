// The official TypeScript SDK 2.x: @modelcontextprotocol/client, in the era that the variant names.

import { Refused, load, play, server } from '../scene.mjs'

const { Client, StreamableHTTPClientTransport } = await load('@modelcontextprotocol/client')
const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio')

await play(async (timeout, asks) => {
  const mode = server.variant === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {}
  const can = asks ? { capabilities: { elicitation: {} } } : {}
  const client = new Client({ name: 'matrix-ts-client', version: '1.0.0' }, { ...mode, ...can })
  if (asks) {
    const yes = async () => ({ action: 'accept', content: { buy: true } })
    client.setRequestHandler('elicitation/create', yes)
  }
  await client.connect(
    server.url
      ? new StreamableHTTPClientTransport(new URL(server.url))
      : new StdioClientTransport({ command: server.command, args: server.args, env: server.env }),
  )
  const { tools } = await client.listTools()
  const options = timeout === null ? {} : { timeout: timeout * 1000 }
  return {
    names: async () => tools.map((tool) => tool.name),
    shown: async () =>
      Object.fromEntries(tools.map((tool) => [tool.name, Object.keys(tool.inputSchema.properties)])),
    call: async (name, args) => {
      const result = await client.callTool({ name, arguments: args }, options)
      if (result.isError) throw new Refused(result.content[0].text)
      return result.content[0].text
    },
    leave: () => client.close(),
    canAsk: asks,
  }
})
