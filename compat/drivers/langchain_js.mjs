// LangChain.js's MCP adapters.

import { load, play, server } from '../scene.mjs'

const { MultiServerMCPClient } = await load('@langchain/mcp-adapters')
const { convertToOpenAITool } = await load('@langchain/core/utils/function_calling')

await play(async (timeout) => {
  const limit = timeout === null ? {} : { defaultToolTimeout: timeout * 1000 }
  const client = new MultiServerMCPClient({
    mcpServers: {
      hailuo: server.url
        ? { transport: 'http', url: server.url, ...limit }
        : {
            transport: 'stdio',
            command: server.command,
            args: server.args,
            env: server.env,
            ...limit,
          },
    },
  })
  const tools = await client.getTools()
  const named = Object.fromEntries(tools.map((tool) => [tool.name, tool]))
  return {
    names: async () => Object.keys(named),
    shown: async () =>
      Object.fromEntries(
        tools.map((tool) => [
          tool.name,
          Object.keys(convertToOpenAITool(tool).function.parameters.properties),
        ]),
      ),
    converter: 'OpenAI tools',
    call: async (name, args) => {
      const answer = await named[name].invoke(args)
      return typeof answer === 'string' ? answer : JSON.stringify(answer)
    },
    leave: () => client.close(),
  }
})
