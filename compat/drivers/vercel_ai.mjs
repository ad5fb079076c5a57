// The Vercel AI SDK's MCP client and the tools it makes.

import { CannotSet, Refused, load, play, server } from '../scene.mjs'

const { createMCPClient, experimental_createMCPClient } = await load('@ai-sdk/mcp')
const { Experimental_StdioMCPTransport, StdioMCPTransport } = await load('@ai-sdk/mcp/mcp-stdio')
const { asSchema } = await load('ai')

await play(async (timeout) => {
  const Stdio = StdioMCPTransport ?? Experimental_StdioMCPTransport
  const client = await (createMCPClient ?? experimental_createMCPClient)({
    transport: server.url
      ? { type: 'http', url: server.url }
      : new Stdio({ command: server.command, args: server.args, env: server.env }),
  })
  const tools = await client.tools()
  return {
    names: async () => Object.keys(tools),
    shown: async () => {
      const shown = {}
      for (const [name, tool] of Object.entries(tools)) {
        shown[name] = Object.keys((await asSchema(tool.inputSchema).jsonSchema).properties)
      }
      return shown
    },
    converter: 'AI SDK schemas',
    call: async (name, args) => {
      const abortSignal = timeout === null ? undefined : AbortSignal.timeout(timeout * 1000)
      const answer = await tools[name].execute(args, { toolCallId: '1', messages: [], abortSignal })
      const text = JSON.stringify(answer)
      if (answer.isError) throw new Refused(text)
      return text
    },
    leave: () => client.close(),
  }
})
