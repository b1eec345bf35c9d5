import { startResultFile } from '#host/file'
import { generateKeys } from '#trust/signature'

/** A pair of keys. */
export interface GenerateKeysOptions {
  kind?: 'ecdsa' | 'ed25519'
  /** Encrypts the private key, as cosign does it. */
  password?: string
}

/** Writes `NAME.key` (mode 0600) and `NAME.pub`. CONFLICT, with nothing written, when one of them is there. */
export async function generateKeyFiles(
  name: string,
  { kind = 'ecdsa', password }: GenerateKeysOptions = {},
): Promise<{ privateKey: string; publicKey: string }> {
  const [privateKey, publicKey] = [`${name}.key`, `${name}.pub`]
  await using privateFile = await startResultFile(privateKey, { mustBeNew: true, mode: 0o600 })
  await using publicFile = await startResultFile(publicKey, { mustBeNew: true })
  const keys = await generateKeys(kind === 'ecdsa' ? 'ecdsa-p256' : kind, password)
  await privateFile.write(keys.privateKey)
  await publicFile.write(keys.publicKey)
  return { privateKey, publicKey }
}
