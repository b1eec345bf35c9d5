import { type FileIdentity, IDENTITY_WORDS } from '#host'

/** A file that no build asked for is forgotten. */
const KEPT_DAYS = 14
export const MOST_RECORDS = 400_000

/** A record: the identity, the day since 1970 it was last asked for, the digest. In words of 32 bits. */
const DAY_WORD = IDENTITY_WORDS
const DIGEST_WORD = IDENTITY_WORDS + 1
export const RECORD_WORDS = DIGEST_WORD + 8
/** Device and inode. */
const KEY_WORDS = 4

/** Records one after the other, and where to find each by device and inode. */
export class DigestTable {
  #words: Uint32Array
  #bytes: Buffer
  #count: number
  /** Numbers of records from 1, at the hash of their key or after it; 0 is free. At least half of it is. */
  #slots: Uint32Array

  constructor(words: Uint32Array) {
    this.#words = words
    this.#bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength)
    this.#count = words.length / RECORD_WORDS
    this.#slots = this.#index()
  }

  /** Of exactly this file, unchanged; `day`, since 1970, is noted as that of its last use. */
  find(identity: FileIdentity, day: number): { digest: string; isFirstOfDay: boolean } | undefined {
    const at = this.#recordOf(identity)
    if (at === undefined) return undefined
    for (let word = KEY_WORDS; word < IDENTITY_WORDS; word++)
      if (this.#words[at + word] !== identity[word]) return undefined
    const isFirstOfDay = this.#words[at + DAY_WORD] !== day
    this.#words[at + DAY_WORD] = day
    return { digest: this.#bytes.toString('hex', (at + DIGEST_WORD) * 4, (at + RECORD_WORDS) * 4), isFirstOfDay }
  }

  /** Takes the place of what was known of the same inode. */
  put(identity: FileIdentity, day: number, digest: string): void {
    const at = this.#recordOf(identity) ?? this.#newRecord(identity)
    this.#words.set(identity, at)
    this.#words[at + DAY_WORD] = day
    this.#bytes.write(digest, (at + DIGEST_WORD) * 4, 'hex')
  }

  /** Those asked for lately, the newest when there are too many. */
  kept(today: number): Uint32Array {
    const dayOf = (number: number) => this.#words[number * RECORD_WORDS + DAY_WORD]!
    let numbers = Array.from({ length: this.#count }, (_, number) => number)
    numbers = numbers.filter((number) => dayOf(number) + KEPT_DAYS >= today)
    if (numbers.length > MOST_RECORDS) numbers = numbers.sort((a, b) => dayOf(b) - dayOf(a)).slice(0, MOST_RECORDS)
    const kept = new Uint32Array(numbers.length * RECORD_WORDS)
    for (const [index, number] of numbers.entries())
      kept.set(this.#words.subarray(number * RECORD_WORDS, (number + 1) * RECORD_WORDS), index * RECORD_WORDS)
    return kept
  }

  #recordOf(identity: FileIdentity): number | undefined {
    const number = this.#slots[this.#slotOf(identity, 0)]!
    return number === 0 ? undefined : (number - 1) * RECORD_WORDS
  }

  #newRecord(identity: FileIdentity): number {
    const at = this.#count * RECORD_WORDS
    if (at + RECORD_WORDS > this.#words.length) {
      const larger = new Uint32Array(Math.max(1024, Math.ceil(this.#count * 1.5)) * RECORD_WORDS)
      larger.set(this.#words)
      this.#words = larger
      this.#bytes = Buffer.from(larger.buffer)
    }
    this.#words.set(identity, at)
    this.#count++
    if (this.#count * 2 > this.#slots.length) this.#slots = this.#index()
    else this.#slots[this.#slotOf(this.#words, at)] = this.#count
    return at
  }

  #index(): Uint32Array {
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2((this.#count + 512) * 3)))
    for (let number = 1; number <= this.#count; number++)
      this.#slots[this.#slotOf(this.#words, (number - 1) * RECORD_WORDS)] = number
    return this.#slots
  }

  /** Where the record of a key is, or would be. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1
    const mixed = Math.imul(words[at + 2]! ^ Math.imul(words[at + 3]! ^ words[at + 1]!, 0x85ebca6b), 0x9e3779b1)
    for (let slot = (mixed ^ (mixed >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]!
      if (number === 0 || this.#isKey((number - 1) * RECORD_WORDS, words, at)) return slot
    }
  }

  #isKey(record: number, words: Uint32Array, at: number): boolean {
    for (let word = 0; word < KEY_WORDS; word++) if (this.#words[record + word] !== words[at + word]) return false
    return true
  }
}
