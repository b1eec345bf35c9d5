import { BaleError } from '#base'

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/

/** Host and port of `127.0.0.1:5000`, `[::1]:5000` or `localhost:5000`; INVALID_ARGUMENT for every other text. */
export function parseListenAddress(text: string): { host: string; port: number } {
  const match = ADDRESS.exec(text)
  const port = Number(match?.[3])
  if (match && port <= 65_535) return { host: (match[1] ?? match[2])!, port }
  throw new BaleError('INVALID_ARGUMENT', `not an address to listen on: ${text}`, {
    hint: 'give address and port, for example 127.0.0.1:5000 or [::1]:5000',
  })
}
