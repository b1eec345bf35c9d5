import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Section, Turn } from '../row.ts'

const PACKAGES = 'bench/packages:1'

/** An image with what a scanner looks for, of this machine. Nobody has advisories. */
export const inventory: Section = {
  name: 'inventory',
  title: 'Inventories and scans',
  rows: [
    {
      name: 'scanner --version',
      does: 'prints the version: how much of the rows below is start',
      async play({ tool, time }) {
        if (tool.inventory) await time(tool.about)
      },
    },
    {
      name: 'sbom of archive',
      does: 'writes CycloneDX of an archive, of which the store has no layer',
      async play({ bench, tool, round, time }) {
        if (!tool.inventory) return
        const place = storeOf(bench, `empty-${round}`)
        await time(await tool.inventory(await bench.packagesArchive(), sbom(bench)), place)
        rmSync(place.BALE_ROOT, { recursive: true, force: true })
      },
    },
    {
      name: 'sbom of image',
      does: 'writes CycloneDX of a stored image that nobody has looked at; trivy: of its archive',
      bars: [{ ratio: 0.5, of: 'trivy' }],
      async play(turn) {
        const { bench, tool, time } = turn
        if (!tool.inventory) return
        const store = await storeWithPackages(turn)
        const command = await tool.inventory(store ? PACKAGES : await bench.packagesArchive(), sbom(bench))
        if (store) forgetInventories(store)
        await time(command, store)
      },
    },
    {
      name: 'scan',
      does: 'first scan of a stored image',
      bars: [{ megabytes: 250 }],
      async play(turn) {
        const store = await storeWithPackages(turn)
        if (!store) return
        forgetInventories(store)
        await turn.time(scan(turn), store)
      },
    },
    {
      name: 'scan again',
      does: 'the same again',
      bars: [{ seconds: 0.15 }],
      async play(turn) {
        const store = await storeWithPackages(turn)
        if (!store) return
        await turn.must(scan(turn), store)
        for (let count = 0; count < 5; count++) await turn.time(scan(turn), store)
      },
    },
  ],
}

const sbom = ({ directory }: Bench) => join(directory, 'sbom.json')

const scan = ({ tool }: Turn) => [tool.about[0]!, 'scan', '-q', '--offline', PACKAGES]

/** A store beside the one of the other rows, which would not fetch layers that it has already. */
const storeOf = ({ directory }: Bench, name: string) => ({
  BALE_ROOT: join(directory, name),
  BALE_RUN: join(directory, `${name}-run`),
})
type Store = ReturnType<typeof storeOf>

/** Loads the image that has packages, where the tool has a store and scans. */
async function storeWithPackages({ bench, tool, state, must }: Turn): Promise<Store | undefined> {
  if (!tool.inventory || !tool.load) return undefined
  const store = storeOf(bench, 'packages')
  if (!state.packages) await must(tool.load(await bench.packagesArchive()), store)
  state.packages = true
  return store
}

function forgetInventories({ BALE_ROOT }: Store): void {
  rmSync(join(BALE_ROOT, 'trust', 'inventories'), { recursive: true, force: true })
}
