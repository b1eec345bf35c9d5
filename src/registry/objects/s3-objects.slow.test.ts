import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { S3mini } from 's3mini'
import { type BaleError, type Clock, systemClock } from '#base'
import { type Ceph, startCeph, withoutCeph } from '../../../test/kit/ceph.ts'
import { type CuttingProxy, cuttingProxy, type Fault } from '../../../test/kit/cutting-proxy.ts'
import { proxyServer } from '../../../test/kit/proxy-server.ts'
import { objectStoreContract } from './contract.ts'
import { IN_NO_ROW, NOTHING_WRITTEN, type Progress } from './object-store.ts'
import { createS3Objects, type S3Objects } from './s3-objects.ts'
import type { S3Options } from './s3-settings.ts'

const MEBIBYTE = 1024 * 1024
const PART = 5 * MEBIBYTE
const skip = withoutCeph()

/** Started by the first test that needs it. */
let started: Promise<Ceph> | undefined
const ceph = () => (started ??= startCeph())
after(async () => await (await started)?.[Symbol.asyncDispose]())

async function bucketOptions(): Promise<S3Options> {
  const { endpoint, region, accessKeyId, secretAccessKey, makeBucket } = await ceph()
  return { endpoint, region, accessKeyId, secretAccessKey, bucket: await makeBucket(), partSize: PART }
}

/** Objects and unfinished uploads of a bucket, asked for past the store. */
async function remainsOf({ endpoint, bucket, ...access }: S3Options): Promise<number> {
  const s3 = new S3mini({ ...access, endpoint: `${endpoint}/${bucket}` })
  const uploads = JSON.stringify(await s3.listMultipartUploads()).match(/"UploadId"/g) ?? []
  return (await s3.listObjects())!.length + uploads.length
}

objectStoreContract('s3', {
  partSize: PART,
  skip,
  async create() {
    const options = { ...(await bucketOptions()), prefix: 'team/registry' }
    const opened: S3Objects[] = []
    const reopen = () => {
      const objects = createS3Objects(options)
      opened.push(objects)
      return objects
    }
    return {
      objects: reopen(),
      reopen,
      remains: () => remainsOf(options),
      async [Symbol.asyncDispose]() {
        for (const objects of opened) await objects[Symbol.asyncDispose]()
      },
    }
  },
})

const KEY = '0123456789abcdef0123456789abcdef'
const SECRET = /baletestsecret|wrong-secret/

/** Time that does not pass: pauses between tries are written down. */
function stillClock(): { clock: Clock; pauses: number[] } {
  const pauses: number[] = []
  const sleep = async (milliseconds: number) => {
    pauses.push(milliseconds)
  }
  return { clock: { now: () => Date.now(), sleep }, pauses }
}

interface Troubled extends AsyncDisposable {
  proxy: CuttingProxy
  /** Asks through the proxy. */
  objects: S3Objects
  /** Another process, which asks the server itself. */
  other: S3Objects
  options: S3Options
}

async function troubled(more: Partial<S3Options> = {}): Promise<Troubled> {
  const options = await bucketOptions()
  const proxy = await cuttingProxy(options.endpoint)
  const objects = createS3Objects({ ...options, clock: stillClock().clock, ...more, endpoint: proxy.url })
  const other = createS3Objects(options)
  return {
    proxy,
    objects,
    other,
    options,
    async [Symbol.asyncDispose]() {
      for (const one of [objects, other, proxy]) await one[Symbol.asyncDispose]()
    },
  }
}

const bytesOf = async (stream: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(stream))

async function write(objects: S3Objects, bytes: Uint8Array, from = NOTHING_WRITTEN): Promise<Progress> {
  await using appender = await objects.append(KEY, from, IN_NO_ROW)
  await appender.write(bytes)
  return await appender.sync()
}

const COMPLETION = { method: 'POST', path: /\?uploadId=/ }
const READING = { method: 'GET', path: /[0-9a-f]{32}$/ }
const SLOW_DOWN = { act: 'answer', status: 503, body: '<Error><Code>SlowDown</Code></Error>' } as const

test('a completion whose answer was lost is a success', { skip }, async () => {
  await using under = await troubled()
  const lost = under.proxy.add({ ...COMPLETION, how: { act: 'drop' } })
  const whole = randomBytes(PART + 1000)
  const key = await under.objects.complete(KEY, await write(under.objects, whole))
  assert.equal(lost.struck(), 1)
  assert.ok((await bytesOf(under.other.read(key))).equals(whole))
  assert.equal(await remainsOf(under.options), 1)
})

test('a completion of which no answer arrives fails for now; another process finds it done', { skip }, async () => {
  await using under = await troubled({ retries: 1 })
  const lost = under.proxy.add({ ...COMPLETION, last: 9, how: { act: 'drop' } })
  const whole = randomBytes(PART + 1000)
  const progress = await write(under.objects, whole)
  await assert.rejects(under.objects.complete(KEY, progress), { code: 'UNAVAILABLE' })
  assert.equal(lost.struck(), 2)
  const key = await under.other.complete(KEY, progress)
  assert.ok((await bytesOf(under.other.read(key))).equals(whole))
  assert.equal(await remainsOf(under.options), 1)
})

test('a completion is not believed when its answer has status 200 and an error in it', { skip }, async () => {
  await using under = await troubled()
  const failing = (code: string): Fault => ({
    ...COMPLETION,
    how: { act: 'answer', status: 200, body: `<?xml version="1.0"?>\n  <Error><Code>${code}</Code></Error>` },
  })
  const passing = under.proxy.add(failing('InternalError'))
  const gone = under.proxy.add(failing('NoSuchUpload'))
  const progress = await write(under.objects, randomBytes(PART + 1000))
  await assert.rejects(under.objects.complete(KEY, progress), { code: 'STORE_DAMAGED' })
  assert.deepEqual([passing.struck(), gone.struck()], [1, 1])
  assert.equal(await under.other.size(await under.objects.complete(KEY, progress)), PART + 1000)
})

test('a storm of 503, broken connections and lost answers does not show in what is stored', { skip }, async () => {
  await using under = await troubled({ retries: 30 })
  const storm = under.proxy.add({ last: 20, how: SLOW_DOWN })
  const kinds = [
    { method: 'PUT', path: /partNumber=1/ },
    { method: 'PUT', path: /[0-9a-f]{32}$/ },
    { method: 'POST', path: /\?uploads/ },
    { method: 'DELETE' },
    { method: 'HEAD' },
    READING,
  ]
  const faults = kinds.flatMap((kind) => [
    under.proxy.add({ ...kind, how: { act: 'reset' } }),
    ...(kind.method === 'POST' ? [] : [under.proxy.add({ ...kind, how: { act: 'drop' } })]),
    under.proxy.add({ ...kind, how: { act: 'answer', status: 429 } }),
  ])
  const whole = randomBytes(2 * PART + 1000)
  let progress = await write(under.objects, whole.subarray(0, 1000))
  progress = await write(under.objects, whole.subarray(1000), progress)
  const key = await under.objects.complete(KEY, progress)
  assert.equal(await under.objects.size(key), whole.length)
  assert.ok((await bytesOf(under.objects.read(key))).equals(whole))
  assert.equal(await remainsOf(under.options), 1)
  await under.objects.delete(key)
  assert.equal(await remainsOf(under.options), 0)
  assert.equal(storm.struck(), 20)
  for (const [number, fault] of faults.entries()) assert.equal(fault.struck(), 1, `fault ${number}`)
})

test('what stays unavailable is said so, with the bucket and its address, after pauses that grow', {
  skip,
}, async () => {
  const { clock, pauses } = stillClock()
  await using under = await troubled({ clock, retries: 3 })
  under.proxy.add({ last: 99, how: SLOW_DOWN })
  for (const act of [
    () => under.objects.checkAccess(),
    () => under.objects.size(KEY),
    () => bytesOf(under.objects.read(KEY)),
    () => write(under.objects, Buffer.from('x')),
    () => write(under.objects, randomBytes(PART)),
    () => under.objects.delete(KEY),
    () => Array.fromAsync(under.objects.list()),
  ]) {
    await assert.rejects(act, (error: BaleError) => {
      assert.equal(error.code, 'UNAVAILABLE')
      assert.ok(error.message.includes(under.options.bucket) && error.message.includes(under.proxy.url))
      // The answer to a HEAD has no words.
      assert.match(error.message, /not available: (?:503 SlowDown|status 503)$/)
      assert.doesNotMatch(inspect(error, { depth: 9 }), SECRET)
      return true
    })
  }
  const [first, second, third] = pauses
  assert.ok(first! >= 50 && first! <= 150 && second! >= 100 && second! <= 300 && third! >= 200, String(pauses))
  assert.equal(under.proxy.seen.length, 7 * 4)
})

test('the server says how long to wait; what is too long is left to the caller', { skip }, async () => {
  const { clock, pauses } = stillClock()
  await using under = await troubled({ clock })
  under.proxy.add({ how: { ...SLOW_DOWN, headers: { 'retry-after': '7' } } })
  await under.objects.checkAccess()
  assert.equal(pauses.length, 1)
  assert.ok(pauses[0]! >= 7000 && pauses[0]! < 7200)
  under.proxy.add({ how: { ...SLOW_DOWN, headers: { 'retry-after': '120' } } })
  await assert.rejects(under.objects.checkAccess(), { code: 'UNAVAILABLE' })
  assert.equal(pauses.length, 1)
})

test('a read that breaks off fails, wherever it breaks', { skip }, async () => {
  await using under = await troubled()
  const whole = randomBytes(PART + 1000)
  const key = await under.other.complete(KEY, await write(under.other, whole))
  for (const bytes of [1, 1_000_000, whole.length - 1]) {
    const broken = under.proxy.add({ ...READING, how: { act: 'cut', bytes } })
    const chunks: Uint8Array[] = []
    const read = async () => {
      for await (const chunk of under.objects.read(key)) chunks.push(chunk)
    }
    await assert.rejects(read, { code: 'UNAVAILABLE' })
    assert.equal(broken.struck(), 1)
    assert.ok(Buffer.concat(chunks).length <= bytes)
  }
  assert.ok((await bytesOf(under.objects.read(key))).equals(whole))
})

test('an upload goes on while the gateway is killed and started again', { skip }, async () => {
  await using under = await troubled({ retries: 12, clock: systemClock })
  const { gateway } = await ceph()
  const whole = randomBytes(6 * PART + 1000)
  await using appender = await under.objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
  const half = 3 * PART + 77
  await appender.write(whole.subarray(0, half))
  await gateway.kill()
  const back = gateway.start()
  await appender.write(whole.subarray(half))
  const progress = await appender.sync()
  await back
  const key = await under.other.complete(KEY, progress)
  assert.ok((await bytesOf(under.other.read(key))).equals(whole))
})

test('many slow readers do not keep others from the bucket', { skip }, async () => {
  await using under = await troubled()
  const whole = randomBytes(3 * PART)
  const key = await under.other.complete(KEY, await write(under.other, whole))
  const readers = Array.from({ length: 40 }, () => under.other.read(key)[Symbol.asyncIterator]())
  try {
    const begun = Promise.all(readers.map((reader) => reader.next()))
    const inTime = await Promise.race([begun, sleep(30_000, undefined, { ref: false })])
    assert.ok(inTime?.every(({ done }) => !done))
    assert.equal(await under.other.size(key), whole.length)
  } finally {
    await under.other[Symbol.asyncDispose]()
    await Promise.allSettled(readers.map((reader) => reader.return?.()))
  }
})

test('a tail that was changed behind the back of the registry is damage', { skip }, async () => {
  await using under = await troubled()
  for (const [size, change] of [
    [1000, 'shorter'],
    [PART + 1000, 'shorter'],
    [1000, 'gone'],
    [PART + 1000, 'gone'],
  ] as const) {
    const progress = await write(under.objects, randomBytes(size))
    const { endpoint, bucket, ...access } = under.options
    const tail = (JSON.parse(progress.state!) as { tail: { key: string } }).tail.key
    const s3 = new S3mini({ ...access, endpoint: `${endpoint}/${bucket}` })
    await (change === 'gone' ? s3.deleteObject(tail) : s3.putObject(tail, 'short'))
    await assert.rejects(under.objects.complete(KEY, progress), { code: 'STORE_DAMAGED' })
    await assert.rejects(write(under.objects, Buffer.from('more'), progress), { code: 'STORE_DAMAGED' })
  }
})

test('keys that the server refuses are DENIED, with the bucket and its address and without the secret', {
  skip,
}, async () => {
  const options = await bucketOptions()
  for (const wrong of [{ secretAccessKey: 'wrong-secret' }, { accessKeyId: 'nobody' }]) {
    await using objects = createS3Objects({ ...options, ...wrong })
    for (const act of [
      () => objects.checkAccess(),
      () => objects.size(KEY),
      () => bytesOf(objects.read(KEY)),
      () => write(objects, Buffer.from('x')),
      () => write(objects, randomBytes(PART)),
      () => objects.delete(KEY),
    ]) {
      await assert.rejects(act, (error: BaleError) => {
        assert.equal(error.code, 'DENIED')
        assert.ok(error.message.includes(`bucket ${options.bucket} at ${options.endpoint}`), error.message)
        assert.match(error.hint!, /access key/)
        assert.doesNotMatch(inspect(error, { depth: 9 }), SECRET)
        return true
      })
    }
  }
})

test('a bucket that does not exist is a failure, not a lack of objects', { skip }, async () => {
  await using objects = createS3Objects({ ...(await bucketOptions()), bucket: 'no-such-bucket' })
  for (const act of [
    () => objects.checkAccess(),
    () => objects.size(KEY),
    () => bytesOf(objects.read(KEY)),
    () => write(objects, Buffer.from('x')),
    () => Array.fromAsync(objects.list()),
  ]) {
    await assert.rejects(act, { code: 'INVALID_ARGUMENT', message: /there is no bucket no-such-bucket at http/ })
  }
})

test('whoever has a presigned address gets the object, until its time is over', { skip }, async () => {
  await using under = await troubled()
  const whole = randomBytes(PART + 1000)
  const key = await under.objects.complete(KEY, await write(under.objects, whole))
  const address = await under.other.presign(key, 60)
  const answer = await fetch(address)
  assert.ok(Buffer.from(await answer.arrayBuffer()).equals(whole))
  const part = await fetch(address, { headers: { range: 'bytes=10-19' } })
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(10, 20)))
  assert.equal((await fetch(address.replace(key, KEY.replace('0', 'f')))).status, 403)
  const brief = await under.other.presign(key, 1)
  await sleep(2100)
  assert.equal((await fetch(brief)).status, 403)
  await assert.rejects(under.other.presign('../x', 60), TypeError)
})

test('stores of one bucket with different prefixes do not see each other, nor what is not theirs', {
  skip,
}, async () => {
  const options = await bucketOptions()
  await using one = createS3Objects({ ...options, prefix: 'team/one' })
  await using two = createS3Objects({ ...options, prefix: '/team/two/' })
  await using all = createS3Objects(options)
  const { endpoint, bucket, ...access } = options
  const s3 = new S3mini({ ...access, endpoint: `${endpoint}/${bucket}` })
  for (const name of ['team/one/readme.txt', `team/one/x/${KEY}`, `team/one/${KEY}.bak`]) await s3.putObject(name, 'x')
  const key = await one.complete(KEY, await write(one, Buffer.from('of one')))
  assert.deepEqual(
    (await Array.fromAsync(one.list())).map((listed) => listed.key),
    [key],
  )
  assert.deepEqual(await Array.fromAsync(two.list()), [])
  assert.deepEqual(await Array.fromAsync(all.list()), [])
  assert.equal(await two.size(key), undefined)
  await two.delete(key)
  assert.equal(await one.size(key), 6)
  assert.equal(await s3.objectExists(`team/one/${key}`), true)
})

test('a bucket may stand before the name of the host, and a proxy between', { skip }, async () => {
  const { endpoint, dnsName } = await ceph()
  await using proxy = await proxyServer(new URL(endpoint).host)
  const options = { ...(await bucketOptions()), endpoint: `http://${dnsName}`, pathStyle: false }
  await using objects = createS3Objects({ ...options, proxy: { http: `http://${proxy.host}` } })
  const whole = randomBytes(PART + 1000)
  const key = await objects.complete(KEY, await write(objects, whole))
  assert.ok((await bytesOf(objects.read(key))).equals(whole))
  assert.equal((await Array.fromAsync(objects.list())).length, 1)
  assert.ok(proxy.seen.every(({ target }) => target.startsWith(`http://${options.bucket}.${dnsName}/`)))
  assert.match(await objects.presign(key, 9), new RegExp(`^http://${options.bucket}\\.${dnsName}/${key}\\?`))
})
