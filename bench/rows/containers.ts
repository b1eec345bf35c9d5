import { join } from 'node:path'
import type { Section, Turn } from '../row.ts'
import { builtImage } from './built-image.ts'

const FILLED = 'bench/filled:1'

export const containers: Section = {
  name: 'containers',
  title: 'Containers',
  rows: [
    {
      name: 'run',
      does: '`run --rm IMAGE true`, with the default network',
      bars: [{ ratio: 0.55, of: 'podman' }],
      image: 'present',
      async play({ bench, tool, time, must }) {
        if (!tool.run) return
        const command = tool.run(['--rm', bench.image, 'true'])
        await must(command)
        for (let count = 0; count < 5; count++) await time(command)
      },
    },
    {
      name: 'exec true',
      does: '`exec CONTAINER true`',
      bars: [{ ratio: 0.8, of: 'podman' }],
      image: 'present',
      async play({ bench, tool, time, must }) {
        if (!tool.run || !tool.exec) return
        const id = await must(tool.run(['-d', '--network', 'none', bench.image, 'sleep', '36000']))
        await using running = new AsyncDisposableStack()
        running.defer(async () => void (await must(tool.removeContainer!(id))))
        await must(tool.exec([id, 'true']))
        for (let count = 0; count < 5; count++) await time(tool.exec([id, 'true']))
      },
    },
    {
      name: 'first output',
      does: '`run IMAGE echo` of an image that must be pulled first, until it has printed and ended',
      bars: [],
      image: 'absent',
      async play({ bench, tool, state, time }) {
        if (!tool.run) return
        await time(tool.run([...plainRegistry(tool.name), '--rm', bench.image, 'busybox', 'echo', 'hello']))
        state.image = 'present'
      },
    },
    {
      name: 'commit',
      does: '`commit` of a container that has copied 8,500 files of 170 MB',
      bars: [{ ratio: 0.5, of: 'best' }],
      image: 'present',
      async play({ bench, tool, time, must }) {
        if (!tool.run || !tool.commit) return
        await using container = await ended(tool, must, [bench.image, 'busybox', 'cp', '-r', '/opt/base', '/copy'])
        await time(tool.commit(container.name, FILLED))
        await must(tool.remove!(FILLED))
      },
    },
    {
      name: 'export',
      does: '`export` of a container of the built image: 1.5 GB in 83,000 files',
      bars: [{ ratio: 0.35, of: 'best' }],
      image: 'present',
      async play(turn) {
        const { bench, tool, time, must } = turn
        if (!tool.run || !tool.export || !tool.build) return
        await builtImage(turn)
        await using container = await ended(tool, must, ['bench/built:1', 'true'])
        const file = join(bench.directory, 'exported.tar')
        await time(tool.export(container.name, file))
        await must(['rm', file])
      },
    },
  ],
}

/** podman alone must be told that the registry has no certificate, others know that this machine's own needs none. */
const plainRegistry = (tool: string) => (tool === 'podman' ? ['--tls-verify=false'] : [])

/** A container whose program has ended; removed with the object. */
async function ended(
  tool: Turn['tool'],
  must: Turn['must'],
  command: string[],
): Promise<{ name: string } & AsyncDisposable> {
  const name = 'bench-ended'
  await must(tool.run!(['--name', name, '--network', 'none', ...command]))
  return {
    name,
    async [Symbol.asyncDispose]() {
      await must(tool.removeContainer!(name))
    },
  }
}
