import { BaleError } from '#base'

/** One block of a PEM text. */
export interface PemBlock {
  /** `PUBLIC KEY`. */
  label: string
  /** The block with its first and last line. */
  text: string
  /** What its base64 stands for. Without meaning where the block has headers. */
  bytes: Buffer
}

/** Far more than any key or chain of certificates takes. */
const LIMIT = 256 << 10
const [BEGIN, DASHES] = ['-----BEGIN ', '-----']

/**
 * The blocks of a PEM text (RFC 7468); what stands around them is a remark. Throws INVALID_ARGUMENT for a block without
 * an end and for a text that is too long.
 */
export function pemBlocks(text: string, what: string): PemBlock[] {
  if (text.length > LIMIT) throw new BaleError('INVALID_ARGUMENT', `${what} is too long for a key or certificates`)
  const blocks: PemBlock[] = []
  for (let start = text.indexOf(BEGIN); start >= 0; ) {
    const named = text.indexOf(DASHES, start + BEGIN.length)
    const label = text.slice(start + BEGIN.length, Math.max(named, start))
    const last = `-----END ${label}-----`
    const end = named < 0 ? -1 : text.indexOf(last, named)
    if (end < 0) throw new BaleError('INVALID_ARGUMENT', `${what} is cut short: a PEM block has no end`)
    blocks.push({
      label,
      text: `${text.slice(start, end + last.length)}\n`,
      bytes: Buffer.from(text.slice(named + DASHES.length, end), 'base64'),
    })
    start = text.indexOf(BEGIN, end + last.length)
  }
  return blocks
}

/** The one block of a PEM text that matters: `openssl ecparam` writes the curve in front of the key. */
export function theBlock(text: string, what: string): PemBlock {
  const [block, ...more] = pemBlocks(text, what).filter(({ label }) => label !== 'EC PARAMETERS')
  if (block === undefined) {
    throw new BaleError('INVALID_ARGUMENT', `${what} is not a PEM file`, {
      hint: 'a PEM file has a line -----BEGIN PUBLIC KEY-----, or the like for a private key',
    })
  }
  if (more.length === 0) return block
  throw new BaleError('INVALID_ARGUMENT', `${what} holds ${more.length + 1} keys or certificates; one key is expected`)
}
