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

/** Records are added in pieces of so many, so that none is copied when there are more. */
const PIECE = 8192

/** Records one after the other, and where to find each by device and inode. */
export class DigestTable {
  /** Those of before, then full pieces and one that is being filled. */
  readonly #pieces: { words: Uint32Array; bytes: Buffer }[]
  readonly #before: number
  #count: number
  /** Numbers of records from 1, at the hash of their key or after it; 0 is free. At least half of it is. */
  #slots: Uint32Array
  /** The record that was sought last: its piece, and its first word there. No object is made for each. */
  #piece: { words: Uint32Array; bytes: Buffer }
  #at = 0

  constructor(words: Uint32Array) {
    this.#piece = pieceOf(words)
    this.#pieces = [this.#piece]
    this.#before = words.length / RECORD_WORDS
    this.#count = this.#before
    this.#slots = this.#index()
  }

  /** Of exactly this file, unchanged; `day`, since 1970, is noted as that of its last use. */
  find(identity: FileIdentity, day: number): { digest: string; isFirstOfDay: boolean } | undefined {
    if (!this.#seekKey(identity)) return undefined
    const { words, bytes } = this.#piece
    const at = this.#at
    for (let word = KEY_WORDS; word < IDENTITY_WORDS; word++) if (words[at + word] !== identity[word]) return undefined
    const isFirstOfDay = words[at + DAY_WORD] !== day
    words[at + DAY_WORD] = day
    return { digest: bytes.toString('hex', (at + DIGEST_WORD) * 4, (at + RECORD_WORDS) * 4), isFirstOfDay }
  }

  /** Takes the place of what was known of the same inode. */
  put(identity: FileIdentity, day: number, digest: string): void {
    if (!this.#seekKey(identity)) this.#addRecord(identity)
    const { words, bytes } = this.#piece
    words.set(identity, this.#at)
    words[this.#at + DAY_WORD] = day
    bytes.write(digest, (this.#at + DIGEST_WORD) * 4, 'hex')
  }

  /** The records of those asked for lately, the newest when there are too many. */
  *kept(today: number): Generator<Uint32Array> {
    const { since, spare } = this.#limit(today - KEPT_DAYS)
    let ofFirstDay = 0
    const isKept = (day: number) => day > since || (day === since && ofFirstDay++ < spare)
    for (const { words, count } of this.#filled()) {
      // Side by side they are one.
      let from = 0
      for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
        if (isKept(words[at + DAY_WORD]!)) continue
        if (at > from) yield words.subarray(from, at)
        from = at + RECORD_WORDS
      }
      if (count * RECORD_WORDS > from) yield words.subarray(from, count * RECORD_WORDS)
    }
  }

  /** All newer ones than of the day `since` are kept, and `spare` of that day. */
  #limit(firstDay: number): { since: number; spare: number } {
    if (this.#count <= MOST_RECORDS) return { since: firstDay, spare: MOST_RECORDS }
    const days = Uint32Array.from({ length: this.#count }, (_, number) => {
      this.#seek(number)
      return this.#piece.words[this.#at + DAY_WORD]!
    }).sort()
    const since = Math.max(firstDay, days[days.length - MOST_RECORDS]!)
    const newer = days.length - 1 - days.lastIndexOf(since)
    return { since, spare: MOST_RECORDS - newer }
  }

  *#filled(): Generator<{ words: Uint32Array; count: number }> {
    let left = this.#count
    for (const [index, { words }] of this.#pieces.entries()) {
      const count = index === 0 ? this.#before : Math.min(PIECE, left)
      left -= count
      yield { words, count }
    }
  }

  #seek(number: number): void {
    const added = number - this.#before
    this.#piece = this.#pieces[added < 0 ? 0 : 1 + Math.floor(added / PIECE)]!
    this.#at = (added < 0 ? number : added % PIECE) * RECORD_WORDS
  }

  /** False when there is none. */
  #seekKey(key: FileIdentity): boolean {
    return this.#slots[this.#slotOf(key, 0)] !== 0
  }

  #addRecord(key: FileIdentity): void {
    if ((this.#count - this.#before) % PIECE === 0) this.#pieces.push(pieceOf(new Uint32Array(PIECE * RECORD_WORDS)))
    this.#seek(this.#count++)
    const { words } = this.#piece
    const at = this.#at
    words.set(key, at)
    if (this.#count * 2 > this.#slots.length) this.#slots = this.#index()
    else this.#slots[this.#slotOf(words, at)] = this.#count
    this.#seek(this.#count - 1)
  }

  #index(): Uint32Array {
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2((this.#count + 512) * 3)))
    for (let number = 1; number <= this.#count; number++) {
      this.#seek(number - 1)
      this.#slots[this.#slotOf(this.#piece.words, this.#at)] = number
    }
    return this.#slots
  }

  /** Where the record of a key is, which is then the one sought; or where it would be. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1
    const mixed = Math.imul(words[at + 2]! ^ Math.imul(words[at + 3]! ^ words[at + 1]!, 0x85ebca6b), 0x9e3779b1)
    for (let slot = (mixed ^ (mixed >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]!
      if (number === 0) return slot
      this.#seek(number - 1)
      if (this.#isKey(words, at)) return slot
    }
  }

  #isKey(words: Uint32Array, at: number): boolean {
    const sought = this.#piece.words
    for (let word = 0; word < KEY_WORDS; word++) if (sought[this.#at + word] !== words[at + word]) return false
    return true
  }
}

function pieceOf(words: Uint32Array): { words: Uint32Array; bytes: Buffer } {
  return { words, bytes: Buffer.from(words.buffer, words.byteOffset, words.byteLength) }
}
