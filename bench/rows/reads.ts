import { writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { execute } from '../../test/kit/bale.ts'
import type { Row, Section, Turn } from '../row.ts'

/** The reads that bench/read-in-container.mjs knows, and how cold ones compare. */
const READS: Readonly<{ [read: string]: Pick<Row, 'does' | 'bars'> }> = {
  find: { does: 'directories and inodes of 50,000 files', bars: [{ ratio: 0.6, of: 'best' }] },
  grep: { does: 'contents of 34,000 small files' },
  stdio: { does: 'lines through C stdio' },
  random: { does: '4 KiB anywhere in the 500 largest files, 10,000 times' },
}
const WARM_SAMPLES = 5
const BENCH = resolve(import.meta.dirname, '..')

/**
 * The programs are the host's own, mounted into a running container, and the clock runs inside it: neither the start of the
 * container nor that of the program counts, only the tree that is read.
 */
export const reads: Section = {
  name: 'reads',
  title: 'Reads in a container',
  rows: Object.entries(READS).flatMap(([read, { does, bars = [] }]) => [
    {
      name: `${read} cold`,
      does: `${does}; in a container that was just started with an empty page cache`,
      bars,
      image: 'present',
      async play(turn) {
        await execute('/bin/sync', [])
        writeFileSync('/proc/sys/vm/drop_caches', '3')
        await inContainer(turn, read, async (seconds) => turn.add({ seconds: await seconds() }))
      },
    },
    {
      name: `${read} warm`,
      does: `${does}; read before`,
      bars: [{ ratio: 1.1, of: 'podman' }],
      image: 'present',
      async play(turn) {
        await inContainer(turn, read, async (seconds) => {
          await seconds()
          for (let count = 0; count < WARM_SAMPLES; count++) turn.add({ seconds: await seconds() })
        })
      },
    },
  ]),
}

const VOLUMES = ['/usr:/usr:ro', `${dirname(process.execPath)}:/mnt/node:ro`, `${BENCH}:/mnt/bench:ro`].flatMap(
  (volume) => ['-v', volume],
)

async function inContainer(
  { bench, tool, must }: Turn,
  read: string,
  act: (seconds: () => Promise<number>) => Promise<void>,
): Promise<void> {
  if (!tool.run || !tool.exec) return
  const id = await must(tool.run(['-d', '--network', 'none', ...VOLUMES, bench.image, 'sleep', '36000']))
  await using running = new AsyncDisposableStack()
  running.defer(async () => void (await must(tool.removeContainer!(id))))
  const command = tool.exec([id, '/mnt/node/node', '/mnt/bench/read-in-container.mjs', read])
  await act(async () => Number(await must(command)))
}
