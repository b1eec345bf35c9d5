import type { X509Certificate } from 'node:crypto'

/** What a certificate may be used for, as far as `X509Certificate` of Node does not tell. Source: RFC 5280, 4.2.1. */
export interface Uses {
  /** Undefined without the extension. */
  keyUsage?: { digitalSignature: boolean; keyCertSign: boolean; other: boolean; critical: boolean }
  /** How many authorities may stand between this one and the certificate that signs. */
  pathLength?: number
}

interface Element {
  tag: number
  content: Buffer
}

const BOOLEAN = 0x01
const INTEGER = 0x02
const EXTENSIONS = 0xa3
const KEY_USAGE = '551d0f'
const BASIC_CONSTRAINTS = '551d13'

/** Reads the extensions from the certificate's DER. OpenSSL has parsed it, but not what is inside them: RangeError. */
export function usesOf({ raw }: X509Certificate): Uses {
  const [certificate] = elementsOf(raw)
  const [signed] = elementsOf(certificate!.content)
  const list = elementsOf(signed!.content).find(({ tag }) => tag === EXTENSIONS)
  const extensions = list ? elementsOf(elementsOf(list.content)[0]!.content) : []
  const uses: Uses = {}
  for (const { content } of extensions) {
    const [id, ...rest] = elementsOf(content)
    const name = id!.content.toString('hex')
    const value = () => elementsOf(rest.at(-1)!.content)[0]!.content
    if (name === KEY_USAGE) uses.keyUsage = keyUsageOf(value(), rest[0]!.tag === BOOLEAN)
    if (name === BASIC_CONSTRAINTS) uses.pathLength = pathLengthOf(value())
  }
  return uses
}

/** A bit string: the number of unused bits, then the bits. Bit 0 is digitalSignature, 5 keyCertSign, 1 nonRepudiation. */
function keyUsageOf(bits: Buffer, critical: boolean): Uses['keyUsage'] {
  const first = bits[1] ?? 0
  const other = (first & 0b0011_1011) !== 0 || (bits[2] ?? 0) !== 0
  return { digitalSignature: (first & 0x80) !== 0, keyCertSign: (first & 0x04) !== 0, other, critical }
}

function pathLengthOf(constraints: Buffer): number | undefined {
  const length = elementsOf(constraints).find(({ tag }) => tag === INTEGER)
  return length && Number.parseInt(length.content.toString('hex'), 16)
}

/** The elements of DER that stand one after the other. */
function elementsOf(der: Buffer): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < der.length; ) {
    const short = der[at + 1] ?? 0
    const bytes = short < 0x80 ? 0 : short & 0x7f
    if (bytes > 4) throw new RangeError('a length in DER has more than four bytes')
    const start = at + 2 + bytes
    const length = bytes === 0 ? short : der.readUIntBE(at + 2, bytes)
    if (start + length > der.length) throw new RangeError('an element of DER is cut short')
    elements.push({ tag: der[at]!, content: der.subarray(start, start + length) })
    at = start + length
  }
  return elements
}
