import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { binarySize, humanSize } from '#docker'
import type { Usage } from '#engine'
import { configuredFormat } from '../render/configured-format.ts'
import { type ListFormat, renderList } from '../render/list-format.ts'
import { defineVerb } from '../verb/verb.ts'

type Row = Record<
  'ID' | 'Name' | 'Container' | 'CPUPerc' | 'MemUsage' | 'MemPerc' | 'NetIO' | 'BlockIO' | 'PIDs',
  string
>

const LIST: ListFormat<Row> = {
  headers: {
    ID: 'CONTAINER ID',
    Name: 'NAME',
    Container: 'CONTAINER',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
  table: '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
  rowType: '*formatter.statsContext',
}

export const verb = defineVerb({
  name: 'stats',
  summary: 'Show the resource usage of running containers',
  usage: '[CONTAINER...]',
  options: [
    { flags: '-a, --all', description: 'All containers', refused: 'only running containers use resources' },
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
    { flags: '--no-stream', description: 'Print once and exit' },
    { flags: '--no-trunc', description: 'Do not shorten IDs' },
  ],
  examples: [{ command: 'bale stats --no-stream', explains: 'All running containers, once' }],
  async run({ args, options, engine, io, signal, dockerConfigFile }) {
    const format = options.format || configuredFormat(dockerConfigFile, 'statsFormat')
    let before = await engine.containers.stats(args)
    do {
      await sleep(!options.noStream ? 1000 : 200, undefined, { signal })
      const now = await engine.containers.stats(args)
      const rows = now.map((usage, index) =>
        display(
          usage,
          args[index] ?? usage.id,
          before.find(({ id }) => id === usage.id),
          !options.noTrunc,
        ),
      )
      if (!options.noStream && io.stdout.isTTY) io.stdout.write('\x1b[2J\x1b[H')
      await io.write(renderList(rows, LIST, format))
      before = now
    } while (!options.noStream)
    return 0
  },
})

function display(usage: Usage, asked: string, before: Usage | undefined, truncated: boolean): Row {
  const elapsed = (usage.time - (before?.time ?? usage.time)) * 1e6
  const used = usage.cpuNanoseconds - (before?.cpuNanoseconds ?? usage.cpuNanoseconds)
  const share = elapsed > 0 ? (used / elapsed) * 100 : 0
  return {
    ID: truncated ? usage.id.slice(0, 12) : usage.id,
    Name: usage.name,
    Container: asked,
    CPUPerc: `${Math.min(share, cpus().length * 100).toFixed(2)}%`,
    MemUsage: `${binarySize(usage.memory)} / ${binarySize(usage.memoryLimit)}`,
    MemPerc: `${((usage.memory / usage.memoryLimit) * 100).toFixed(2)}%`,
    NetIO: `${humanSize(usage.networkReceived)} / ${humanSize(usage.networkSent)}`,
    BlockIO: `${humanSize(usage.blockRead)} / ${humanSize(usage.blockWritten)}`,
    PIDs: String(usage.pids),
  }
}
