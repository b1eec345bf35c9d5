import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestBale, testBale } from '../kit/bale.ts'
import { busyboxMissing, busyboxTar } from '../kit/busybox.ts'

/** Why end-to-end tests cannot run here, or false: they mount and start containers. */
export const cannotRun: string | false =
  process.getuid?.() === 0 ? (busyboxMissing() ?? false) : 'needs root: layers are mounted and containers started'

export interface Prepared extends AsyncDisposable {
  readonly bale: TestBale
  /** A tar of the small root file system. */
  readonly tar: string
}

/** A bale with the small image `busybox:1` in its store. */
export async function prepared(): Promise<Prepared> {
  const bale = await testBale()
  try {
    const tar = busyboxTar(bale.directory)
    const isFirst = pattern === undefined
    pattern ??= importAndKeep(bale, tar)
    const kept = await pattern
    if (!isFirst) copy(kept, join(bale.directory, 'root'))
    return { bale, tar, [Symbol.asyncDispose]: () => bale[Symbol.asyncDispose]() }
  } catch (error) {
    await bale[Symbol.asyncDispose]()
    throw error
  }
}

/** The first store that this process prepared, as it was then: the others begin as copies of it. */
let pattern: Promise<string> | undefined

async function importAndKeep(bale: TestBale, tar: string): Promise<string> {
  await bale.run(['import', '--change', 'CMD ["sh"]', tar, 'busybox:1'])
  const directory = mkdtempSync(join(tmpdir(), 'bale-prepared-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  copy(join(bale.directory, 'root'), join(directory, 'root'))
  return join(directory, 'root')
}

function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', '--reflink=auto', from, to])
}
