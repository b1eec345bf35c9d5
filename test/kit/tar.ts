import { packTar, type TarEntry } from '#format/tar'

/** A tar entry from what matters to a test. */
export function tarEntry(name: string, more: Partial<TarEntry> = {}): TarEntry {
  return {
    name,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 1_700_000_000,
    mtimeNanoseconds: 0,
    size: 0,
    dataSize: 0,
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    ...more,
  }
}

export async function tarOf(entries: readonly (TarEntry | { entry: TarEntry; text: string })[]): Promise<Buffer> {
  async function* parts() {
    for (const one of entries) {
      if (!('entry' in one)) yield { entry: one }
      else {
        const data = Buffer.from(one.text)
        yield { entry: { ...one.entry, size: data.length, dataSize: data.length }, data }
      }
    }
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of packTar(parts())) chunks.push(chunk)
  return Buffer.concat(chunks)
}
