/** engine/version: bale's own version. A door of its own, since `--version` loads nothing else. */
import { readFileSync } from 'node:fs'

/** As in its package.json: `0.1.0`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
