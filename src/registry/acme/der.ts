/** DER, as much as certificates and requests for them need. Source: ITU-T X.690. */
function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.byteLength), content])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff])
}

export const sequence = (...parts: readonly Uint8Array[]) => element(0x30, ...parts)
export const set = (...parts: readonly Uint8Array[]) => element(0x31, ...parts)
export const octets = (content: Uint8Array) => element(0x04, content)
export const utf8 = (text: string) => element(0x0c, Buffer.from(text))
export const yes = () => element(0x01, Buffer.from([0xff]))
/** Whole bytes. */
export const bits = (content: Uint8Array) => element(0x03, Buffer.from([0]), content)
/** A positive number below 128, or bytes of which the first is. */
export const integer = (value: number | Uint8Array) =>
  element(0x02, typeof value === 'number' ? Buffer.from([value]) : value)
/** `[number]` around elements. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]) => element(0xa0 | number, ...parts)
/** `[number]` in the place of the tag of a text. */
export const implicit = (number: number, text: string) => element(0x80 | number, Buffer.from(text))

/** For years before 2050. */
export const utcTime = (milliseconds: number) =>
  element(0x17, Buffer.from(`${new Date(milliseconds).toISOString().replaceAll(/\D/g, '').slice(2, 14)}Z`))

/** `2.5.29.17` */
export function objectId(dotted: string): Buffer {
  const [first, second, ...others] = dotted.split('.').map(Number) as [number, number, ...number[]]
  return element(0x06, Buffer.from([first * 40 + second, ...others.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}
