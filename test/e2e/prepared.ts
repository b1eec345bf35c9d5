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
    await bale.run(['import', '--change', 'CMD ["sh"]', tar, 'busybox:1'])
    return { bale, tar, [Symbol.asyncDispose]: () => bale[Symbol.asyncDispose]() }
  } catch (error) {
    await bale[Symbol.asyncDispose]()
    throw error
  }
}
