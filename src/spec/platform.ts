import { BaleError, printable, table } from '#base'

/** Source: image-spec image-index.md. Values are normalised (`amd64`, never `x86_64`). */
export interface Platform {
  os: string
  architecture: string
  variant?: string
  'os.version'?: string
  'os.features'?: string[]
}

const COMPONENT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/
const SYSTEMS = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
)

/** Names that other tools use, and what the specification calls them. */
const ARCHITECTURES = table<{ architecture: string; variant?: string }>({
  i386: { architecture: '386' },
  i686: { architecture: '386' },
  ia32: { architecture: '386' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  x64: { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
})

/**
 * Reads `os/architecture[/variant]`, or one of the first two alone when `host` supplies the other.
 * Throws INVALID_PLATFORM.
 */
export function parsePlatform(text: string, host?: Platform): Platform {
  const parts = text.split('/')
  if (parts.length > 3 || parts.some((part) => !COMPONENT.test(part))) throw invalid(text)
  const [first, architecture, variant] = parts as [string, string?, string?]
  if (architecture !== undefined) return normalizePlatform({ os: first, architecture, variant })
  const isSystem = SYSTEMS.has(systemName(first))
  if (!isSystem) return normalizePlatform({ os: host?.os ?? 'linux', architecture: first })
  if (host === undefined) throw invalid(text)
  return normalizePlatform({ os: first, architecture: host.architecture, variant: host.variant })
}

/** One spelling for each platform: lower case, `x86_64` is amd64, arm is v7 by default, arm64 v8 and amd64 v1 are bare. */
export function normalizePlatform(platform: Platform): Platform {
  const known = ARCHITECTURES[platform.architecture.toLowerCase()]
  const architecture = known?.architecture ?? platform.architecture.toLowerCase()
  const variant = variantOf(architecture, platform.variant?.toLowerCase() || known?.variant || '')
  return Object.freeze({
    os: systemName(platform.os),
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(platform['os.version'] ? { 'os.version': platform['os.version'] } : {}),
    ...(platform['os.features']?.length ? { 'os.features': platform['os.features'] } : {}),
  })
}

/** `os/architecture[/variant]`, as flags and documents write it. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}

/** The platform of a machine, from what the caller knows of it. `architecture` may be Node's or uname's word. */
export function hostPlatform(machine: {
  os: string
  architecture: string
  /** `v2`…`v4` for amd64, `v5`…`v8` for arm, `v9` for arm64: what the processor can. */
  level?: string
}): Platform {
  return normalizePlatform({ os: machine.os, architecture: machine.architecture, variant: machine.level })
}

/**
 * Platforms that run on a machine of this platform, best first: older levels of the same architecture, then its 32-bit
 * counterpart. Source: containerd's platforms.Only.
 */
export function platformPreferences(wanted: Platform): Platform[] {
  const { os, architecture, variant } = normalizePlatform(wanted)
  const make = (arch: string, variants: string[]) =>
    variants.map((level) => normalizePlatform({ ...wanted, os, architecture: arch, variant: level }))
  if (architecture === 'amd64') return [...make('amd64', levelsDown(variant, 1)), ...make('386', [''])]
  if (architecture === 'arm') return make('arm', levelsDown(variant, 5))
  if (architecture === 'arm64') return [...make('arm64', arm64Levels(variant)), ...make('arm', ARM_ON_ARM64)]
  return make(architecture, variant === undefined ? [''] : [variant, ''])
}

/** True when the offered platform equals the wanted one; `os.version` is compared only if wanted. */
export function matchPlatform(wanted: Platform, offered: Platform): boolean {
  const left = normalizePlatform(wanted)
  const right = normalizePlatform(offered)
  return (
    formatPlatform(left) === formatPlatform(right) &&
    (left['os.version'] === undefined || left['os.version'] === right['os.version'])
  )
}

/** True for values that may be a component of a platform; index entries come from outside. */
export function isPlatformComponent(text: string): boolean {
  return COMPONENT.test(text)
}

const ARM_ON_ARM64 = ['v8', 'v7', 'v6', 'v5']

function systemName(os: string): string {
  const lower = os.toLowerCase()
  return lower === 'macos' ? 'darwin' : lower
}

function variantOf(architecture: string, variant: string): string {
  if (architecture === 'amd64') return variant === 'v1' ? '' : variant
  if (architecture === 'arm64') return /^(?:v?8(?:\.0)?)$/.test(variant) ? '' : digitsOnly(variant)
  if (architecture === 'arm') return variant === '' ? 'v7' : digitsOnly(variant)
  return variant
}

/** Some tools write `7` for `v7`. */
function digitsOnly(variant: string): string {
  return /^[0-9]/.test(variant) ? `v${variant}` : variant
}

/** `v3` → v3, v2, v1. An unknown variant expands to itself only. */
function levelsDown(variant: string | undefined, lowest: number): string[] {
  const level = variant === undefined ? lowest : Number(/^v(\d)$/.exec(variant)?.[1] ?? Number.NaN)
  if (!(level >= lowest)) return [variant ?? '']
  return Array.from({ length: level - lowest + 1 }, (_, below) => `v${level - below}`)
}

/** v9.x runs v9.x…v9, v8.(x+5)…v8: each v9.n contains v8.(n+5). Source: containerd platforms/compare.go. */
function arm64Levels(variant: string | undefined): string[] {
  const match = /^v([89])(?:\.(\d))?$/.exec(variant ?? 'v8')
  if (!match) return [variant ?? '']
  const minor = Number(match[2] ?? 0)
  const down = (major: number, from: number) =>
    Array.from({ length: from + 1 }, (_, below) => (from === below ? `v${major}` : `v${major}.${from - below}`))
  return match[1] === '8' ? down(8, minor) : [...down(9, minor), ...down(8, Math.min(minor + 5, 9))]
}

function invalid(text: string): BaleError {
  return new BaleError('INVALID_PLATFORM', `invalid platform: "${printable(text, 160)}"`, {
    hint: 'a platform is os/architecture[/variant], for example linux/amd64 or linux/arm/v7',
  })
}
