import { BaleError, printable } from '#base'
import { csvFields, readBoolean } from '#docker'
import type { BuildImageOptions } from '#engine'
import type { Terminal } from '../terminal/terminal.ts'
import type { BuildFlags } from './build-flags.ts'

type Attestations = NonNullable<BuildImageOptions['attestations']>

/**
 * `--attest type=KIND,…` and its short forms `--sbom` and `--provenance`, whose values are a truth value or settings. Of several
 * of one kind the first counts. Sources: docker/buildx, util/buildflags/attests.go; moby/buildkit, frontend/attestations/parse.go
 * and solver/llbsolver/provenance.go.
 */
export function readAttestations(
  { attest = [], sbom, provenance }: Pick<BuildFlags, 'attest' | 'sbom' | 'provenance'>,
  io: Pick<Terminal, 'warn'>,
): BuildImageOptions['attestations'] {
  const given = [
    ...attest.filter(Boolean).map(readAttest),
    ...(provenance === undefined ? [] : [readShort('provenance', provenance)]),
    ...(sbom === undefined ? [] : [readShort('sbom', sbom)]),
  ]
  const first = new Map<string, Given>()
  for (const one of given) if (!first.has(one.type)) first.set(one.type, one)
  const wanted: Attestations = {}
  for (const { type, disabled, settings } of first.values()) {
    if (disabled) continue
    if (type === 'sbom') wanted.sbom = readSbom(settings, io)
    else wanted.provenance = readProvenance(settings)
  }
  return wanted.sbom || wanted.provenance ? wanted : undefined
}

interface Given {
  type: string
  disabled: boolean
  settings: ReadonlyMap<string, string>
}

function readShort(type: string, text: string): Given {
  const truth = truthOf(text)
  if (truth !== undefined) return { type, disabled: !truth, settings: new Map() }
  return readAttest(`type=${type},${text}`)
}

function readAttest(text: string): Given {
  const settings = new Map<string, string>()
  const known = { type: '', disabled: false }
  for (const field of readFields(text)) {
    const equals = field.indexOf('=')
    if (equals < 0) throw new BaleError('INVALID_ARGUMENT', `invalid value ${printable(field)}`)
    const [name, value] = [field.slice(0, equals), field.slice(equals + 1)]
    const word = name.trim().toLowerCase()
    if (word === 'type') known.type = value
    else if (word === 'disabled') known.disabled = truth(word, value)
    else settings.set(name, value)
  }
  if (known.type === '') throw new BaleError('INVALID_ARGUMENT', 'attestation type not specified')
  if (known.type !== 'sbom' && known.type !== 'provenance') {
    throw new BaleError('UNSUPPORTED', `unknown attestation type ${JSON.stringify(printable(known.type))}`, {
      hint: 'types are sbom and provenance',
    })
  }
  return { ...known, settings }
}

/** Another program that lists packages is an image that docker runs. */
function readSbom(settings: Given['settings'], io: Pick<Terminal, 'warn'>): true {
  for (const name of settings.keys()) if (name !== 'generator') throw unknownSetting('sbom', name, ['generator'])
  const generator = settings.get('generator')
  if (generator)
    io.warn(`WARNING: the generator ${printable(generator)} is not run; bale lists the packages of the image itself`)
  return true
}

const SETTINGS = ['mode', 'version', 'builder-id', 'reproducible', 'inline-only', 'filename']

function readProvenance(settings: Given['settings']): NonNullable<Attestations['provenance']> {
  for (const name of settings.keys()) if (!SETTINGS.includes(name)) throw unknownSetting('provenance', name, SETTINGS)
  const truthIn = (name: string) => truth(name, settings.get(name) ?? 'false')
  return {
    mode: oneOf('mode', settings.get('mode'), MODES, 'max'),
    version: oneOf('version', settings.get('version'), VERSIONS, 'v0.2'),
    builderId: settings.get('builder-id'),
    reproducible: truthIn('reproducible'),
    inlineOnly: truthIn('inline-only'),
    fileName: fileNameIn(settings.get('filename')),
  }
}

const MODES = { max: 'max', full: 'max', min: 'min' } as const
const VERSIONS = { 'v0.2': 'v0.2', v1: 'v1' } as const

function oneOf<Words extends Readonly<Record<string, unknown>>>(
  name: string,
  value: string | undefined,
  words: Words,
  otherwise: Words[keyof Words],
): Words[keyof Words] {
  if (value === undefined) return otherwise
  if (Object.hasOwn(words, value)) return words[value] as Words[keyof Words]
  throw new BaleError('INVALID_ARGUMENT', `provenance: invalid ${name} ${JSON.stringify(printable(value))}`, {
    hint: `it is one of ${Object.keys(words).join(', ')}`,
  })
}

/** The last part of a path, as with BuildKit: the file is in the root of what is written. */
function fileNameIn(path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  const name = path.replace(/\/+$/, '').split('/').at(-1)!
  if (name !== '' && name !== '.' && name !== '..') return name
  throw new BaleError('INVALID_ARGUMENT', `provenance: invalid filename ${JSON.stringify(printable(path))}`)
}

function truth(name: string, text: string): boolean {
  const value = truthOf(text)
  if (value !== undefined) return value
  throw new BaleError('INVALID_ARGUMENT', `invalid value ${printable(`${name}=${text}`)}: neither true nor false`)
}

function truthOf(text: string): boolean | undefined {
  try {
    return readBoolean(text)
  } catch {
    return undefined
  }
}

function readFields(text: string): string[] {
  try {
    return csvFields(text)
  } catch (cause) {
    throw new BaleError('INVALID_ARGUMENT', `invalid value ${printable(text)}: ${(cause as Error).message}`, { cause })
  }
}

function unknownSetting(type: string, name: string, known: readonly string[]): BaleError {
  return new BaleError('UNSUPPORTED', `${type}: the setting ${printable(name)} is not supported`, {
    hint: `settings are ${known.join(', ')}`,
  })
}
