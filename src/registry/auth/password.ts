import * as crypto from 'node:crypto'
import { createLimiter } from '#base'

/** Two at a time: each hash takes 19 MiB and some 40 ms, and logins must not push out everything else. */
const limiter = createLimiter(2)

/** OWASP's least for argon2id (19 MiB, two passes) and its equal for scrypt (32 MiB). */
const ARGON = { memory: 19_456, passes: 2, parallelism: 1 }
const SCRYPT = { logN: 15, r: 8, p: 1 }
const TAG_LENGTH = 32

/** argon2id where this Node has it (24.7 and later), else scrypt. A PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.randomBytes(16)
  if (typeof crypto.argon2 === 'function') {
    const tag = await argon2id(password, salt, ARGON)
    return `$argon2id$v=19$m=${ARGON.memory},t=${ARGON.passes},p=${ARGON.parallelism}$${phc(salt)}$${phc(tag)}`
  }
  const tag = await scrypt(password, salt, SCRYPT)
  return `$scrypt$ln=${SCRYPT.logN},r=${SCRYPT.r},p=${SCRYPT.p}$${phc(salt)}$${phc(tag)}`
}

/** Compares in constant time. Without a hash (an unknown user) it does the same work and answers false (A15). */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const parts = (hash ?? (await decoy())).split('$')
  const salt = Buffer.from(parts.at(-2) ?? '', 'base64')
  const expected = Buffer.from(parts.at(-1) ?? '', 'base64')
  const tag = await tagFor(password, salt, parts)
  return crypto.timingSafeEqual(tag, expected) && hash !== undefined
}

let decoyHash: Promise<string> | undefined
function decoy(): Promise<string> {
  decoyHash ??= hashPassword(crypto.randomBytes(16).toString('hex'))
  return decoyHash
}

function tagFor(password: string, salt: Buffer, parts: string[]): Promise<Buffer> {
  if (parts[1] === 'argon2id') {
    const { m, t, p } = parameters(parts[3])
    return argon2id(password, salt, { memory: m!, passes: t!, parallelism: p! })
  }
  const { ln, r, p } = parameters(parts[2])
  return scrypt(password, salt, { logN: ln!, r: r!, p: p! })
}

function parameters(text = ''): Record<string, number> {
  return Object.fromEntries(text.split(',').map((pair) => [pair.split('=')[0], Number(pair.split('=')[1])]))
}

function argon2id(password: string, nonce: Buffer, cost: typeof ARGON): Promise<Buffer> {
  const options = { message: password, nonce, tagLength: TAG_LENGTH, ...cost }
  return limiter(
    () =>
      new Promise((resolve, reject) =>
        crypto.argon2('argon2id', options, (error, tag) => (error ? reject(error) : resolve(tag as Buffer))),
      ),
  )
}

function scrypt(password: string, salt: Buffer, { logN, r, p }: typeof SCRYPT): Promise<Buffer> {
  const options = { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r }
  return limiter(
    () =>
      new Promise((resolve, reject) =>
        crypto.scrypt(password, salt, TAG_LENGTH, options, (error, tag) => (error ? reject(error) : resolve(tag))),
      ),
  )
}

/** PHC strings use base64 without padding. */
const phc = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
