import { writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { execute } from '../test/kit/bale.ts'
import type { Timing } from './timed.ts'
import type { Tool } from './tools.ts'

/** The reads that bench/read-in-container.mjs knows. */
const READS = ['find', 'grep -r', 'stdio', 'random']
const WARM_ROUNDS = 5

/**
 * Times each read in a running container, cold (page cache dropped) and warm. The programs are the host's own, mounted
 * into the container, and the clock runs inside it: neither the start of the container nor that of the program counts,
 * only the tree that is read.
 */
export async function reads(tool: Tool, image: string): Promise<[string, Timing][]> {
  const results: [string, Timing][] = []
  const volumes = [
    '/usr:/usr:ro',
    `${dirname(process.execPath)}:/mnt/node:ro`,
    `${resolve(import.meta.dirname)}:/mnt/bench:ro`,
  ]
  const id = await output(
    tool,
    tool.run!(['-d', '--network', 'none', ...volumes.flatMap((volume) => ['-v', volume]), image, 'sleep', '3600']),
  )
  try {
    for (const read of READS) {
      const once = async (): Promise<Timing> => ({
        seconds: Number(
          await output(tool, tool.exec!([id, '/mnt/node/node', '/mnt/bench/read-in-container.mjs', read])),
        ),
        peakMegabytes: 0,
      })
      await execute('/bin/sync', [])
      writeFileSync('/proc/sys/vm/drop_caches', '3')
      results.push([`${read} cold`, await once()])
      for (let round = 0; round < WARM_ROUNDS; round++) results.push([`${read} warm`, await once()])
    }
  } finally {
    await output(tool, tool.removeContainer!(id))
  }
  return results
}

async function output(tool: Tool, command: string[]): Promise<string> {
  const outcome = await execute(command[0]!, command.slice(1), { env: tool.env, timeout: 300_000 })
  if (outcome.code !== 0)
    throw new Error(`${command.join(' ')} failed (${outcome.code}): ${outcome.stderr.slice(-800)}`)
  return outcome.stdout.trim()
}
