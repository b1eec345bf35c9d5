import { mkdirSync, writeFileSync } from 'node:fs'
import { generator } from './generated-image.ts'

/** Like the installed modules of a large program. */
const FILES = 33_000
const BYTES = 540e6
const FILES_A_DIRECTORY = 12
const TEXT = 8 << 20

/**
 * Writes a build context below `directory` (made when it is missing): 33,000 files in 2,750 directories up to five levels deep, 540 MB,
 * nine in ten below 32 kB and a few of megabytes. `scale` is of the number of files and bytes. The same bytes at every run.
 */
export function writeBuildContext(directory: string, scale = 1): void {
  const random = generator(17)
  const count = Math.round(FILES * scale)
  const weights = Array.from({ length: count }, () => random() ** 8 * 60 + random() * 0.7 + 0.02)
  const sum = weights.reduce((all, one) => all + one, 0)
  const text = Buffer.from(Uint32Array.from({ length: TEXT / 4 }, () => random() * 2 ** 32).buffer)
  let place = directory
  for (const [index, weight] of weights.entries()) {
    if (index % FILES_A_DIRECTORY === 0) {
      place = `${directory}/${directoryName(index / FILES_A_DIRECTORY)}`
      mkdirSync(place, { recursive: true })
    }
    const size = Math.max(1, Math.round((weight / sum) * BYTES * scale))
    const data = Buffer.alloc(size)
    for (let at = 0; at < size; at += TEXT) text.copy(data, at, Math.floor(random() * (TEXT / 2)))
    writeFileSync(`${place}/module-${index}.js`, data)
  }
}

function directoryName(number: number): string {
  const digits = number.toString(5).padStart(6, '0')
  return `package-${digits.slice(0, 2)}/${[...digits.slice(2)].map((digit) => `part-${digit}`).join('/')}`
}
