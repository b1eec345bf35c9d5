import { printable } from '#base'
import type { ScannedImage } from '#engine'
import { localRfc3339 } from './local-time.ts'
import { scanText } from './scan-text.ts'

/** What a registry knows of an image besides the result of its scan. Times are milliseconds since 1970. */
interface ReportedImage {
  state: 'none' | 'waiting' | 'running' | 'scanned' | 'failed'
  failure?: string
  queuedAt?: number
  release?: { outcome: 'allowed' | 'wait' | 'blocked'; reasons: string[] }
  said?: { kind: 'quarantined' | 'released'; reason: string; author: string; at: number }
}

/** What was found in an image of a registry, or why nothing was yet. */
export function reportText(name: string, image: ReportedImage, scanned: ScannedImage | undefined): string {
  const notes = [...saidLines(image), ...gateLines(image), ...stateLines(image, scanned !== undefined)]
  if (!scanned) return notes.map((line, at) => (at === 0 ? `${printable(name)}: ${line}` : line)).join('\n')
  return [scanText(scanned), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')
}

function saidLines({ said }: ReportedImage): string[] {
  if (!said) return []
  const state = said.kind === 'quarantined' ? 'in quarantine' : 'released, whatever gates say'
  return [`${state}: ${printable(said.reason)} (${said.author}, ${localRfc3339(said.at)})`]
}

/** What a person said overrides gates. */
function gateLines({ said, release }: ReportedImage): string[] {
  if (said || !release) return []
  const reasons = release.reasons.map((reason) => printable(reason, 1000)).join('; ')
  if (release.outcome !== 'allowed')
    return [`gate: ${reasons}${release.outcome === 'wait' ? ' (pulls wait for that)' : ''}`]
  return [`gate: pulls are allowed${reasons && `; warning: ${reasons}`}`]
}

function stateLines({ state, failure, queuedAt = 0 }: ReportedImage, hasResult: boolean): string[] {
  const last = failure === undefined ? '' : `; it failed: ${printable(failure, 500)}`
  switch (state) {
    case 'none':
      return ['not scanned: not an image, or never queued']
    case 'waiting':
      return [`waiting for ${hasResult ? 'another' : 'its'} scan since ${localRfc3339(queuedAt)}${last}`]
    case 'running':
      return [`being scanned${hasResult ? ' again' : ''}${last}`]
    case 'failed':
      return [`its ${hasResult ? 'last ' : ''}scan failed: ${printable(failure ?? 'nobody knows why', 500)}`]
    case 'scanned':
      return hasResult ? [] : ['scanned, but not compared with advisories yet']
  }
}
