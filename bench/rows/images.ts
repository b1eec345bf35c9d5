import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Section } from '../row.ts'
import { BUILT, forgetBuild, unpushedImage } from './built-image.ts'

const MEMORY = { megabytes: 220 }

export const images: Section = {
  name: 'storage',
  title: 'Images on their way',
  rows: [
    {
      name: 'pull',
      does: 'pulls three gzip layers from a registry on this machine',
      bars: [{ ratio: 0.25, of: 'best' }, MEMORY],
      image: 'absent',
      yardstick: { name: 'gunzip | mkfs.erofs of the layers, neither fetched nor verified', script: erofsDiffer },
      async play({ bench, tool, state, time }) {
        if (!tool.pull) return
        await time(tool.pull(bench.image))
        state.image = 'present'
      },
    },
    {
      name: 'save',
      does: 'writes the pulled image to an archive',
      bars: [{ ratio: 0.3, of: 'podman' }, MEMORY],
      image: 'present',
      async play({ bench, tool, time }) {
        if (!tool.save) return
        const file = join(bench.directory, 'saved.tar')
        // podman refuses to write over an archive.
        rmSync(file, { force: true })
        await time(tool.save(bench.image, file))
        rmSync(file)
      },
    },
    ...(['gzip', 'zstd'] as const).map((compression) => ({
      name: `push ${compression}`,
      does: `pushes the built image, of which the registry lacks the layer of 540 MB; ${compression}`,
      bars: [{ ratio: 0.2, of: 'best' }, MEMORY],
      image: 'present' as const,
      async play(turn: Parameters<Section['rows'][number]['play']>[0]) {
        const { bench, tool, round, time, must } = turn
        const target = `${bench.repository}:${tool.name}-${compression}-${round}`
        if (!tool.build || !tool.push?.(BUILT, target, compression)) return
        await unpushedImage(turn)
        await must([tool.about[0]!, 'tag', BUILT, target])
        await time(tool.push(BUILT, target, compression)!)
        await must([tool.about[0]!, 'rmi', target])
      },
    })),
    {
      name: 'system check',
      does: 'verifies all that the store has',
      image: 'present',
      async play({ tool, time }) {
        if (tool.check) await time(tool.check())
      },
    },
    {
      name: 'rmi',
      does: 'removes the pulled image',
      bars: [{ ratio: 0.2, of: 'podman' }],
      image: 'present',
      async play(turn) {
        const { bench, tool, state, time } = turn
        if (!tool.remove) return
        // What was built on the image would keep its layers.
        await forgetBuild(turn)
        await time(tool.remove(bench.image))
        state.image = 'absent'
      },
    },
    {
      name: 'load',
      does: 'loads a docker archive of three plain layers',
      bars: [{ ratio: 0.2, of: 'best' }, MEMORY],
      image: 'absent',
      async play({ bench, tool, time, must }) {
        if (!tool.load) return
        await time(tool.load(bench.archive))
        await must(tool.remove!(tool.loadedName!('bench/loaded:1')))
      },
    },
  ],
}

/** What containerd's EROFS differ does with a layer, by the same program and options. Debian 12's does not read tars. */
function erofsDiffer({ directory, layout, layers }: Bench): string | { missing: string } {
  const said = execFileSync('/bin/sh', ['-c', 'mkfs.erofs -V 2>&1 || true'], { encoding: 'utf8' })
  const version = said.match(/mkfs\.erofs \D*(\d[\d.]*)/)?.[1]
  if (version === undefined) return { missing: 'the Debian package erofs-utils is not installed' }
  if (Number.parseFloat(version) < 1.8)
    return { missing: `erofs-utils ${version} is too old to read the tar of a layer; 1.8 does` }
  const image = join(directory, 'differ.erofs')
  return layers
    .map(({ descriptor }) => `${layout}/blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`)
    .map((blob) => `gzip -dc ${blob} | mkfs.erofs --tar=f --aufs --quiet -Enoinline_data ${image}; rm ${image}`)
    .join('\n')
}
