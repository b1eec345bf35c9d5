import { compareSemver, parseSemver } from './semver.ts'
import { versionScheme } from './version-scheme.ts'

/** Semantic Versioning 2.0.0 to the letter. Source: The Cargo Book, the `version` field; crate semver, cmp_precedence. */
export const cargo = versionScheme(parseSemver, compareSemver)
