// The OpenAI Agents SDK for JavaScript, its tools in strict mode.

import { load, play, server } from '../scene.mjs'

const { Agent, MCPServerStdio, MCPServerStreamableHttp, RunContext, getAllMcpTools } =
  await load('@openai/agents')

await play(async (timeout) => {
  const limit = timeout === null ? {} : { timeout: timeout * 1000, clientSessionTimeoutSeconds: timeout }
  const mcp = server.url
    ? new MCPServerStreamableHttp({ url: server.url, ...limit })
    : new MCPServerStdio({
        command: server.command,
        args: server.args,
        env: server.env,
        ...limit,
      })
  await mcp.connect()
  const runContext = new RunContext({})
  const tools = await getAllMcpTools({
    mcpServers: [mcp],
    convertSchemasToStrict: true,
    runContext,
    agent: new Agent({ name: 'tester' }),
    errorFunction: null,
  })
  const named = Object.fromEntries(tools.map((tool) => [tool.name, tool]))
  return {
    names: async () => Object.keys(named),
    shown: async () => {
      const loose = tools.filter((tool) => !tool.strict).map((tool) => tool.name)
      if (loose.length) throw new Error(`not strict: ${loose}`)
      return Object.fromEntries(
        tools.map((tool) => [tool.name, Object.keys(tool.parameters.properties)]),
      )
    },
    converter: 'strict',
    call: async (name, args) => {
      const answer = await named[name].invoke(runContext, JSON.stringify(args))
      return typeof answer === 'string' ? answer : JSON.stringify(answer)
    },
    leave: () => mcp.close(),
  }
})
