import type { BundleInfo } from '../../src/trust/advisories/bundle/file/bundle-info.ts'
import type { BundleSource, Overlays } from '../../src/trust/advisories/bundle/file/bundle-source.ts'
import { startBundle } from '../../src/trust/advisories/bundle/file/start-bundle.ts'

export interface BundleContent {
  /** RFC 3339. */
  created: string
  sources: Iterable<BundleSource>
  overlays?: Overlays
}

/** A bundle of advisories that are at hand. */
export async function createBundle(path: string, content: BundleContent): Promise<BundleInfo> {
  await using writer = await startBundle(path, content)
  for (const source of content.sources) await writer.add(source)
  return await writer.finish(content)
}
