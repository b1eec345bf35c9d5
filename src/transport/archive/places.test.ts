import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { imagePlaceContract } from '../../image/contract.ts'
import { createLayoutTarget, openLayout } from '../layout/index.ts'
import { createArchiveTarget } from './archive-target.ts'
import { type ImageArchive, openArchive } from './open-archive.ts'

const names: [string, string] = ['docker.io/library/one:1', 'localhost:5000/team/two:latest']

for (const format of ['docker', 'oci'] as const)
  imagePlaceContract(`archive (${format})`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'bale-archive-'))
    const path = join(directory, 'images.tar')
    const target = await createArchiveTarget(path, { format })
    const opened: ImageArchive[] = []
    return {
      target,
      names,
      async openSource() {
        const archive = await openArchive(path)
        opened.push(archive)
        return archive
      },
      async [Symbol.asyncDispose]() {
        for (const archive of opened) await archive[Symbol.asyncDispose]()
        await target[Symbol.asyncDispose]()
        await rm(directory, { recursive: true, force: true })
      },
    }
  })

imagePlaceContract('layout', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bale-layout-'))
  return {
    target: await createLayoutTarget(join(directory, 'layout')),
    names: ['1.0', 'docker.io/library/two:latest'],
    openSource: () => openLayout(join(directory, 'layout')),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
})
