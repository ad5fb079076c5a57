// The official TypeScript SDK 1.x: @modelcontextprotocol/sdk.

import { Refused, load, play, server } from '../scene.mjs'

const { Client } = await load('@modelcontextprotocol/sdk/client')
const { ElicitRequestSchema } = await load('@modelcontextprotocol/sdk/types.js')
const { StdioClientTransport } = await load('@modelcontextprotocol/sdk/client/stdio.js')
const { StreamableHTTPClientTransport } = await load(
  '@modelcontextprotocol/sdk/client/streamableHttp.js',
)

await play(async (timeout, asks) => {
  const can = asks ? { capabilities: { elicitation: {} } } : {}
  const client = new Client({ name: 'matrix-ts-sdk', version: '1.0.0' }, can)
  if (asks) {
    const yes = async () => ({ action: 'accept', content: { buy: true } })
    client.setRequestHandler(ElicitRequestSchema, yes)
  }
  await client.connect(
    server.url
      ? new StreamableHTTPClientTransport(new URL(server.url))
      : new StdioClientTransport({ command: server.command, args: server.args, env: server.env }),
  )
  const { tools } = await client.listTools()
  const options = timeout === null ? undefined : { timeout: timeout * 1000 }
  return {
    names: async () => tools.map((tool) => tool.name),
    shown: async () =>
      Object.fromEntries(tools.map((tool) => [tool.name, Object.keys(tool.inputSchema.properties)])),
    call: async (name, args) => {
      const result = await client.callTool({ name, arguments: args }, undefined, options)
      if (result.isError) throw new Refused(result.content[0].text)
      return result.content[0].text
    },
    leave: () => client.close(),
    canAsk: asks,
  }
})
