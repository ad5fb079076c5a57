// Mastra's MCPClient, which puts the server's name before each tool's.

import { load, play, server } from '../scene.mjs'

const { MCPClient } = await load('@mastra/mcp')
const PREFIX = 'hailuo_'

await play(async (timeout) => {
  const client = new MCPClient({
    id: `matrix-${timeout}-${Date.now()}`,
    ...(timeout === null ? {} : { timeout: timeout * 1000 }),
    servers: {
      hailuo: server.url
        ? { url: new URL(server.url) }
        : { command: server.command, args: server.args, env: server.env },
    },
  })
  const tools = await (client.listTools ?? client.getTools).call(client)
  const own = (name) => name.replace(PREFIX, '')
  return {
    names: async () => Object.keys(tools).map(own),
    shown: async () => {
      const shown = {}
      for (const [name, tool] of Object.entries(tools)) {
        const schema = tool.inputSchema
        const json = schema['~standard']?.jsonSchema?.input({ target: 'draft-07' }) ?? schema
        shown[own(name)] = Object.keys(json.shape ?? json.properties)
      }
      return shown
    },
    converter: 'Mastra tools',
    call: async (name, args) => {
      const answer = await tools[PREFIX + name].execute({ context: args })
      const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
      if (answer?.isError || answer?.error === true) throw new Error(text)
      return text
    },
    leave: () => client.disconnect(),
  }
})
