import { BaleError, type Log } from '#base'
import type { Engine } from '#engine'
import type { OptionsOf, VerbOption } from '../flags/verb-option.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { defineVerb } from '../verb/verb.ts'
import {
  type Configuration,
  excluded,
  LOCAL_PLACE_OPTIONS,
  loadRegistry,
  registryDirectory,
  type ServedConfiguration,
} from './registry.ts'

const OPTIONS = [
  ...LOCAL_PLACE_OPTIONS,
  {
    flags: '--listen <ADDRESS:PORT>',
    description: 'Address to listen on (127.0.0.1:5000); port 0 chooses a free port',
  },
  { flags: '--tls-cert <FILE>', description: 'Certificate chain (PEM)' },
  { flags: '--tls-key <FILE>', description: 'Private key of the certificate (PEM)' },
  {
    flags: '--tls-client-authorities <FILE>',
    description: 'Refuse clients without a certificate of one of these authorities (PEM)',
  },
  { flags: '--anonymous-pull', description: 'Allow pulls without a login' },
  {
    flags: '--min-free <PERCENT>',
    description: 'Refuse uploads when less of the disk is free (1), so that deleting goes on',
  },
  {
    flags: '--max-connections <NUMBER>',
    description: 'Connections at once (4096); one address may have a quarter of them',
  },
  {
    flags: '--workers <NUMBER>',
    description: 'Processes that answer requests (1), for machines of several cores',
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
  {
    flags: '--request-log <FILE>',
    description: 'Add a line of JSON for each request to this file; stdout for standard output',
  },
  {
    flags: '--metrics <ADDRESS:PORT>',
    description: 'Serve metrics for Prometheus on an address of their own, at /metrics',
  },
  { flags: '--scan', description: 'Look at what is inside images: list their packages' },
  {
    flags: '--advisories <FILE>',
    description: 'Scan, and hold the packages against this bundle of advisories, which may be replaced at any time',
  },
] as const satisfies readonly VerbOption[]

type Options = OptionsOf<typeof OPTIONS>

export const verb = defineVerb({
  name: 'registry serve',
  summary: 'Serve a registry, or a replica of one',
  arguments: { max: 0 },
  options: OPTIONS,
  examples: [
    {
      command: 'bale registry serve',
      explains: 'On 127.0.0.1:5000, for this machine; no one has access before a user is added',
    },
    {
      command: 'bale registry serve --config /etc/bale/registry.yaml',
      explains: 'As the file says; one of several replicas when it names a database and a bucket',
    },
    {
      command: 'bale registry serve --workers 4',
      explains: 'By four processes, which share connections, limits and the directory',
    },
    {
      command: 'bale registry serve --advisories advisories.sqlite',
      explains: 'And says of each image what is known of its packages; bale advisories build and pull make such files',
    },
    {
      command: 'bale registry serve --root /srv/images --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem',
      explains: 'For other machines',
    },
  ],
  async run({ options, engine, io, signal, onHangup }) {
    await using served = await (options.config === undefined
      ? fromFlags(options, engine, io)
      : fromFile(options, engine, io))
    if (served.reloads) onHangup(() => void served.reload())
    const place =
      options.config === undefined ? `--root ${registryDirectory(options.root, engine)}` : `--config ${options.config}`
    await io.print(`Serving ${options.config ?? registryDirectory(options.root, engine)} at ${served.url}`)
    if (served.certified) await tellWhenCertified(io, served.certified)
    if (served.metricsUrl !== undefined) await io.print(`Serving metrics at ${served.metricsUrl}`)
    if (!served.hasUsers) {
      io.warn(`There are no users yet. The first administrator: bale registry user add --admin NAME ${place}`)
    }
    await aborted(signal)
    return 0
  },
})

async function tellWhenCertified(io: Terminal, certified: Promise<void>): Promise<void> {
  io.warn('There is no certificate yet: clients are refused until the authority gives one')
  void certified.then(() => io.print('The certificate has come: clients are served'))
}

/** Of this machine, for its log. */
const report = (io: Terminal) => (failure: Error, request: string) =>
  io.warn(`${new Date().toISOString()} ${request} failed: ${failure.message}`)

async function fromFlags(options: Options, engine: Engine, io: Terminal): Promise<ServedConfiguration> {
  const { parseListenAddress, serveConfigured, serveRegistry } = await loadRegistry()
  const { minFree, maxConnections, workers } = options
  if (workers !== undefined && wholeNumber('--workers', workers, 1, 256) > 1) {
    return await serveConfigured(await configurationOf(options, engine), surroundingsOf(engine, io))
  }
  const { registry, ...served } = await serveRegistry({
    directory: registryDirectory(options.root, engine),
    ...parseListenAddress(options.listen ?? '127.0.0.1:5000'),
    tls: await tlsOf(options),
    anonymous: options.anonymousPull ? 'pull' : 'none',
    insecure: options.insecure,
    externalUrl: options.externalUrl,
    trustedProxies: options.trustedProxy,
    minFreePercent: minFree === undefined ? undefined : wholeNumber('--min-free', minFree, 0, 50),
    maxConnections:
      maxConnections === undefined ? undefined : wholeNumber('--max-connections', maxConnections, 4, 1_000_000),
    metrics: options.metrics === undefined ? undefined : parseListenAddress(options.metrics),
    requestLog: options.requestLog === 'stdout' ? io.stdout : options.requestLog,
    scanning: scanningOf(options),
    report: report(io),
    log: logOf(engine, io),
  })
  return { ...served, hasUsers: (await registry.users.list({ limit: 1 })).length > 0 }
}

/** Flags as the file that says the same: what goes to other processes are plain values. */
async function configurationOf(options: Options, engine: Engine): Promise<Configuration> {
  const { configurationFrom } = await loadRegistry()
  await tlsOf(options)
  const { tlsCert, tlsKey, tlsClientAuthorities, minFree, maxConnections } = options
  const number = (text: string | undefined) => text && Number(text)
  const content = {
    directory: registryDirectory(options.root, engine),
    anonymous: options.anonymousPull && 'pull',
    listen: {
      address: options.listen,
      tls: tlsCert && { certificate: tlsCert, key: tlsKey, 'client-authorities': tlsClientAuthorities },
      insecure: options.insecure,
      'max-connections': number(maxConnections),
      'external-url': options.externalUrl,
      'trusted-proxies': options.trustedProxy,
      workers: number(options.workers),
    },
    uploads: { 'min-free': minFree && `${minFree}%` },
    log: { requests: options.requestLog },
    metrics: options.metrics && { address: options.metrics },
    scanning: scanningOf(options),
  }
  return await configurationFrom(onlyGiven(content), (key) => FLAGS.get(key) ?? key)
}

function scanningOf({ scan, advisories }: Options): { advisories?: string } | undefined {
  if (advisories !== undefined) return { advisories }
  return scan ? {} : undefined
}

const FLAGS: ReadonlyMap<string, string> = new Map([
  ['directory', '--root'],
  ['listen.address', '--listen'],
  ['listen.tls.certificate', '--tls-cert'],
  ['listen.tls.key', '--tls-key'],
  ['listen.tls.client-authorities', '--tls-client-authorities'],
  ['listen.max-connections', '--max-connections'],
  ['listen.external-url', '--external-url'],
  ['listen.trusted-proxies', '--trusted-proxy'],
  ['uploads.min-free', '--min-free'],
  ['log.requests', '--request-log'],
  ['metrics.address', '--metrics'],
  ['scanning.advisories', '--advisories'],
])

/** Without what is undefined or false, which is what a file does not say. */
function onlyGiven(content: object): object {
  const given = Object.entries(content).filter(([, value]) => value !== undefined && value !== false)
  return Object.fromEntries(
    given.map(([key, value]) => [key, typeof value === 'object' && !Array.isArray(value) ? onlyGiven(value) : value]),
  )
}

const surroundingsOf = (engine: Engine, io: Terminal) => ({
  environment: io.environment,
  output: io.stdout,
  report: report(io),
  log: logOf(engine, io),
})

async function fromFile({ config, ...others }: Options, engine: Engine, io: Terminal): Promise<ServedConfiguration> {
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined && value !== false && String(value) !== '') throw excluded(flagOf(name))
  }
  const { readConfiguration, serveConfigured } = await loadRegistry()
  return await serveConfigured(await readConfiguration(config!), surroundingsOf(engine, io))
}

const flagOf = (option: string) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

function logOf(engine: Engine, io: Terminal): Log | undefined {
  return engine.config.debug.some((room) => room === 'registry' || room === '*') ? logTo(io) : undefined
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (/^\d{1,9}$/.test(text) && number >= least && number <= most) return number
  throw new BaleError('INVALID_ARGUMENT', `${flag} takes a whole number from ${least} to ${most}, not ${text}`)
}

/** The files are checked before anything else is opened. */
async function tlsOf({ tlsCert, tlsKey, tlsClientAuthorities }: Options) {
  if (tlsCert === undefined && tlsKey === undefined && tlsClientAuthorities === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) {
    const without = tlsCert === tlsKey ? ', and --tls-client-authorities needs both' : ''
    throw new BaleError('INVALID_ARGUMENT', `--tls-cert and --tls-key belong together${without}`)
  }
  const files = {
    certificate: { path: tlsCert, at: '--tls-cert' },
    key: { path: tlsKey, at: '--tls-key' },
    ...(tlsClientAuthorities !== undefined && {
      clientAuthorities: { path: tlsClientAuthorities, at: '--tls-client-authorities' },
    }),
  }
  const { loadTls } = await loadRegistry()
  await loadTls(files)
  return () => loadTls(files)
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
