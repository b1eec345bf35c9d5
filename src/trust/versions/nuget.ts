import { compareSemver, PRERELEASE_AND_BUILD, parsePrerelease, type SemanticVersion } from './semver.ts'
import { versionScheme } from './version-scheme.ts'

const VERSION = new RegExp(`^(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?(?:\\.(\\d+))?${PRERELEASE_AND_BUILD}`)

/**
 * One to four numbers, leading zeros allowed; prereleases are compared without regard to case. Source: "Package versioning",
 * learn.microsoft.com/nuget; NuGetVersion and VersionComparer of NuGet.Versioning. Numeric identifiers from 2^31 on are
 * numbers here, as Semantic Versioning has it, and words in NuGet.
 */
export const nuget = versionScheme(parse, compareSemver)

function parse(text: string): SemanticVersion | undefined {
  const match = VERSION.exec(text)
  if (!match) return undefined
  const prerelease = parsePrerelease(match[5]?.toLowerCase())
  return prerelease && { numbers: match.slice(1, 5).map((number = '0') => number), prerelease }
}
