import { dirname, resolve } from 'node:path'
import { readBytes } from '#host/file'
import type { SignaturePolicy } from './policy.ts'
import { type PolicyFiles, parseSignaturePolicy } from './read-policy.ts'

/** Far more than a thousand rules take; a parser of YAML is slow with what was made to be slow. */
const LIMIT = 1 << 20
const FILE_LIMIT = 4 << 20

/**
 * Reads a policy (YAML, of which JSON is a part) with the keys, certificates and roots that it names; their paths begin
 * at the policy's directory. INVALID_ARGUMENT lists all that is wrong, a line for each: `policy.yaml:3:5: rules[0].images: …`.
 */
export async function readSignaturePolicy(path: string): Promise<SignaturePolicy> {
  const directory = dirname(resolve(path))
  const files: PolicyFiles = (name) => readBytes(resolve(directory, name), { limit: FILE_LIMIT })
  return parseSignaturePolicy(await readBytes(path, { limit: LIMIT }), path, files)
}
