import { writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { execute } from '../test/kit/bale.ts'
import type { Timing } from './timed.ts'
import type { Tool } from './tools.ts'

/** The reads that bench/read-in-container.mjs knows. */
const READS = ['find', 'grep -r', 'stdio', 'random']
const WARM_ROUNDS = 5

/**
 * Times each read in a running container of each tool, cold (page cache dropped) and warm, in turns, so that what else the
 * machine does meets all of them. The programs are the host's own, mounted into the container, and the clock runs inside
 * it: neither the start of the container nor that of the program counts, only the tree that is read.
 */
export async function timeReads(
  tools: readonly Tool[],
  image: string,
  report: (what: string, tool: Tool, timing: Timing) => void,
): Promise<void> {
  await using running = new AsyncDisposableStack()
  const containers: { tool: Tool; id: string }[] = []
  for (const tool of tools) {
    const id = await output(tool, tool.run!(['-d', '--network', 'none', ...VOLUMES, image, 'sleep', '36000']))
    running.defer(async () => void (await output(tool, tool.removeContainer!(id))))
    containers.push({ tool, id })
  }
  const once = async ({ tool, id }: (typeof containers)[number], read: string): Promise<Timing> => ({
    seconds: Number(await output(tool, tool.exec!([id, '/mnt/node/node', '/mnt/bench/read-in-container.mjs', read]))),
    peakMegabytes: 0,
  })
  for (const read of READS) {
    for (const container of containers) {
      await execute('/bin/sync', [])
      writeFileSync('/proc/sys/vm/drop_caches', '3')
      report(`${read} cold`, container.tool, await once(container, read))
    }
    // What was cold for one made the others' pages go.
    for (const container of containers) await once(container, read)
    for (let round = 0; round < WARM_ROUNDS; round++) {
      for (const container of containers) report(`${read} warm`, container.tool, await once(container, read))
    }
  }
}

const VOLUMES = [
  '/usr:/usr:ro',
  `${dirname(process.execPath)}:/mnt/node:ro`,
  `${resolve(import.meta.dirname)}:/mnt/bench:ro`,
].flatMap((volume) => ['-v', volume])

async function output(tool: Tool, command: string[]): Promise<string> {
  const outcome = await execute(command[0]!, command.slice(1), { env: tool.env, timeout: 300_000 })
  if (outcome.code !== 0)
    throw new Error(`${command.join(' ')} failed (${outcome.code}): ${outcome.stderr.slice(-800)}`)
  return outcome.stdout.trim()
}
