import { stat } from 'node:fs/promises'
import { BaleError, type Log } from '#base'
import { readBytes } from '#engine'
import type { OptionsOf, VerbOption } from '../flags/verb-option.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { defineVerb } from '../verb/verb.ts'
import { loadRegistry, ROOT_OPTION, registryDirectory } from './registry.ts'

const OPTIONS = [
  ROOT_OPTION,
  {
    flags: '--listen <ADDRESS:PORT>',
    description: 'Address to listen on; port 0 chooses a free port',
    default: '127.0.0.1:5000',
  },
  { flags: '--tls-cert <FILE>', description: 'Certificate chain (PEM)' },
  { flags: '--tls-key <FILE>', description: 'Private key of the certificate (PEM)' },
  { flags: '--anonymous-pull', description: 'Allow pulls without a login' },
  {
    flags: '--min-free <PERCENT>',
    description: 'Refuse uploads when less of the disk is free, so that deleting goes on',
    default: '1',
  },
  {
    flags: '--max-connections <NUMBER>',
    description: 'Connections at once; one address may have a quarter of them',
    default: '4096',
  },
  { flags: '--insecure', description: 'Allow plain HTTP on an address that other machines can reach' },
  {
    flags: '--external-url <URL>',
    description: 'URL that clients use, if it differs from the listening address',
  },
  {
    flags: '--trusted-proxy <ADDRESS>',
    description: 'Address or range of proxies whose X-Forwarded headers are trusted; may be given several times',
    repeat: true,
  },
] as const satisfies readonly VerbOption[]

type Options = OptionsOf<typeof OPTIONS>

export const verb = defineVerb({
  name: 'registry serve',
  summary: 'Serve a registry from a directory',
  arguments: { max: 0 },
  options: OPTIONS,
  examples: [
    {
      command: 'bale registry serve',
      explains: 'On 127.0.0.1:5000, for this machine; no one has access before a user is added',
    },
    {
      command: 'bale registry serve --root /srv/images --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem',
      explains: 'For other machines',
    },
  ],
  async run({ options, engine, io, signal }) {
    const { serveRegistry } = await loadRegistry()
    const directory = registryDirectory(options.root, engine)
    await using served = await serveRegistry({
      directory,
      ...parseListen(options.listen),
      tls: await readTls(options),
      anonymous: options.anonymousPull ? 'pull' : 'none',
      insecure: options.insecure,
      externalUrl: options.externalUrl,
      trustedProxies: options.trustedProxy,
      minFreePercent: wholeNumber('--min-free', options.minFree, 0, 50),
      maxConnections: wholeNumber('--max-connections', options.maxConnections, 4, 1_000_000),
      report: (failure, request) => io.warn(`${new Date().toISOString()} ${request} failed: ${failure.message}`),
      log: engine.config.debug.some((room) => room === 'registry' || room === '*') ? logTo(io) : undefined,
    })
    await io.print(`Serving ${directory} at ${served.url}`)
    if ((await served.registry.users.list()).length === 0) {
      io.warn(`There are no users yet, so no one can push: bale registry user add NAME --root ${directory}`)
    }
    await aborted(signal)
    return 0
  },
})

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (/^\d{1,9}$/.test(text) && number >= least && number <= most) return number
  throw new BaleError('INVALID_ARGUMENT', `${flag} takes a whole number from ${least} to ${most}, not ${text}`)
}

/** `127.0.0.1:5000`, `[::1]:5000` or `localhost:5000`. */
function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match && port <= 65_535) return { host: (match[1] ?? match[2])!, port }
  throw new BaleError('INVALID_ARGUMENT', `not an address to listen on: ${text}`, {
    hint: 'give address and port, for example 127.0.0.1:5000 or [::1]:5000',
  })
}

async function readTls({ tlsCert, tlsKey }: Options): Promise<{ cert: Buffer; key: Buffer } | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new BaleError('INVALID_ARGUMENT', '--tls-cert and --tls-key belong together')
  }
  if (((await stat(tlsKey)).mode & 0o007) !== 0) {
    throw new BaleError('INVALID_ARGUMENT', `everybody on this machine can use the private key ${tlsKey}`, {
      hint: `chmod 600 ${tlsKey}`,
    })
  }
  const [cert, key] = await Promise.all([readBytes(tlsCert), readBytes(tlsKey)])
  return { cert, key }
}

function logTo(io: Terminal): Log {
  return {
    debug: (_room, message, details = {}) =>
      io.warn(`${new Date().toISOString()} ${message} ${JSON.stringify(details)}`),
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
