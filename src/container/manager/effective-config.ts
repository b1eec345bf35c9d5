import { hostname } from 'node:os'
import { BaleError, printable } from '#base'
import { parseExposedPorts } from '#docker'
import { signalNumber } from '#host'
import type { Healthcheck } from '#spec'
import type { ContainerOptions, EffectiveConfig, ProcessOptions } from '../model/index.ts'
import { mergeEnvironment } from '../spec/index.ts'

/** Merges the user's options into the image's config by docker's rules. Throws INVALID_ARGUMENT. */
export function effectiveConfig(options: ContainerOptions, id: string): EffectiveConfig {
  const { config: image } = options.image
  const { config: asked } = options
  const command = commandOf(options)
  if (asked.stopSignal) signalNumber(asked.stopSignal)
  if (asked.workingDir && !asked.workingDir.startsWith('/'))
    throw new BaleError(
      'INVALID_ARGUMENT',
      `the working directory '${printable(asked.workingDir)}' is invalid, it needs to be an absolute path`,
    )
  const healthcheck = mergedHealthcheck(image.Healthcheck, asked.healthcheck)
  return {
    Hostname: hostnameOf(options, id),
    Domainname: asked.domainname ?? '',
    User: asked.user ?? image.User ?? '',
    AttachStdin: asked.attachStdin ?? false,
    AttachStdout: asked.attachStdout ?? false,
    AttachStderr: asked.attachStderr ?? false,
    ...exposed(options),
    Tty: asked.tty ?? false,
    OpenStdin: asked.openStdin ?? false,
    StdinOnce: asked.stdinOnce ?? false,
    Env: checkedEnvironment(environmentOf(image.Env ?? [], asked.env ?? [])),
    ...command,
    ...(healthcheck && { Healthcheck: healthcheck }),
    ...volumesOf(options),
    WorkingDir: asked.workingDir ?? image.WorkingDir ?? '',
    Labels: { ...image.Labels, ...asked.labels },
    ...((asked.stopSignal ?? image.StopSignal) && { StopSignal: asked.stopSignal ?? image.StopSignal }),
    ...(asked.stopTimeout !== undefined && { StopTimeout: asked.stopTimeout }),
  }
}

/** Bytes; the kernel's PATH_MAX without the closing NUL. */
const LONGEST_PATH = 4095

function commandOf({ image, config }: ContainerOptions): Pick<EffectiveConfig, 'Entrypoint' | 'Cmd'> {
  // An entrypoint of the user's makes the image's Cmd meaningless: its arguments were for another program.
  const replaced = config.entrypoint !== undefined
  const entrypoint = replaced ? config.entrypoint!.filter((word) => word !== '') : (image.config.Entrypoint ?? [])
  const command = config.command?.length ? config.command : replaced ? [] : (image.config.Cmd ?? [])
  if (entrypoint.length + command.length === 0)
    throw new BaleError('INVALID_ARGUMENT', 'No command specified', {
      next: { act: 'give-command', image: image.reference },
    })
  // runc's answer about a longer one fills a pipe without a reader: it would hang (M13).
  if (Buffer.byteLength(entrypoint[0] ?? command[0]!) > LONGEST_PATH)
    throw new BaleError('INVALID_ARGUMENT', `the name of the command is longer than ${LONGEST_PATH} bytes`)
  return {
    ...(entrypoint.length && { Entrypoint: entrypoint }),
    ...(command.length && { Cmd: command }),
  }
}

function hostnameOf({ config, host }: ContainerOptions, id: string): string {
  const given = config.hostname
  if (given === undefined || given === '')
    return host.network === 'host' || host.utsMode === 'host' ? hostname() : id.slice(0, 12)
  if (given.length <= 63 && /^[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/.test(given)) return given
  throw new BaleError('INVALID_ARGUMENT', `invalid hostname format: ${printable(given)}`)
}

/** The user's variables first, then those of the image that they neither set nor remove: docker's order. */
function environmentOf(image: readonly string[], asked: readonly string[]): string[] {
  const names = new Set(asked.map((entry) => entry.split('=', 1)[0]))
  const kept = image.filter((entry) => !names.has(entry.split('=', 1)[0]))
  return [...mergeEnvironment([], asked), ...kept]
}

function checkedEnvironment(env: string[]): string[] {
  for (const entry of env) {
    if (entry.startsWith('=') || entry.includes('\0'))
      throw new BaleError('INVALID_ARGUMENT', `invalid environment variable: ${printable(entry)}`)
  }
  return env
}

function exposed({ image, config, host }: ContainerOptions): Pick<EffectiveConfig, 'ExposedPorts'> {
  const published = (host.ports ?? []).map((port) => `${port.containerPort}/${port.protocol}`)
  const keys = [
    ...Object.keys(image.config.ExposedPorts ?? {}),
    ...(config.expose ?? []).flatMap((text) => parseExposedPorts(text)),
    ...published,
  ]
  if (keys.length === 0) return {}
  return { ExposedPorts: Object.fromEntries(keys.map((key) => [key.includes('/') ? key : `${key}/tcp`, {}])) }
}

function volumesOf({ image, config }: ContainerOptions): Pick<EffectiveConfig, 'Volumes'> {
  const paths = [...Object.keys(image.config.Volumes ?? {}), ...(config.volumes ?? [])]
  return paths.length ? { Volumes: Object.fromEntries(paths.map((path) => [path, {}])) } : {}
}

/** Nanoseconds. docker's floor: below it an image could keep the machine busy with checks (M13). */
const MILLISECOND = 1_000_000

/** Members replace the image's one by one; `NONE` only switches the check off, and leaves what else it says. */
function mergedHealthcheck(
  image: Healthcheck | undefined,
  asked: ProcessOptions['healthcheck'],
): Healthcheck | undefined {
  if (!image && !asked) return undefined
  const set = Object.entries(asked ?? {}).filter(([name, value]) => name === 'Test' || value)
  const merged: Healthcheck = { ...image, ...Object.fromEntries(set) }
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const)
    if (merged[name] && merged[name] < MILLISECOND)
      throw new BaleError('INVALID_ARGUMENT', `${name} in Healthcheck cannot be less than 1ms`)
  return merged
}
