import type { IncomingMessage } from 'node:http'
import { Refusal } from './failure.ts'

/**
 * Refuses what Node's parser takes but another reader on the way may take for something else (A17): several Host headers
 * (RFC 9112, section 3.2) and HTTP/0.9, which has none. Nothing more is read from such a connection.
 */
export function requireOneReading({ rawHeaders, httpVersionMajor }: IncomingMessage): void {
  if (httpVersionMajor < 1) throw refused('HTTP/1.0 or later is needed')
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (isHost(rawHeaders[at]!)) hosts++
  if (hosts > 1) throw refused('more than one Host header')
}

function isHost(name: string): boolean {
  return name.length === 4 && name.toLowerCase() === 'host'
}

function refused(message: string): Refusal {
  return new Refusal(400, 'UNSUPPORTED', message, { headers: { Connection: 'close' } })
}
