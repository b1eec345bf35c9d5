import { compareSemver, parseSemver, type SemanticVersion } from './semver.ts'
import { versionScheme } from './version-scheme.ts'

const SHORT = /^\d+(?:\.\d+)?$/
const TOOLCHAIN = /^go(\d+)\.(\d+)(?:\.(\d+))?(?:(beta|rc)(\d+))?(?:[- ].*)?$/

/**
 * Versions of modules, with or without `v`, and of the toolchain, `go1.21rc2`, which stands in binaries. `v1` and `v1.2` are
 * v1.0.0 and v1.2.0. Pseudo-versions are ordered as they are written; `+incompatible` counts for nothing, like all build
 * metadata. Source: Go Modules Reference, "Versions"; golang.org/x/mod/semver; "Go Toolchains", go.dev/doc/toolchain.
 */
export const go = versionScheme(parse, compareSemver)

function parse(text: string): SemanticVersion | undefined {
  if (text.startsWith('go')) return parseToolchain(text)
  const plain = text.startsWith('v') ? text.slice(1) : text
  return parseSemver(SHORT.test(plain) ? [...plain.split('.'), '0', '0'].slice(0, 3).join('.') : plain)
}

/** go1.21rc2 is 1.21.0-rc.2. What follows a hyphen or a space names a vendor's build or an experiment. */
function parseToolchain(text: string): SemanticVersion | undefined {
  const match = TOOLCHAIN.exec(text)
  if (!match) return undefined
  const [, major, minor, patch = '0', phase, count] = match
  return { numbers: [major!, minor!, patch], prerelease: phase === undefined ? [] : [phase, count!] }
}
