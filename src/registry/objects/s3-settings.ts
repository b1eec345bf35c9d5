import { BaleError, type Clock, printable, systemClock } from '#base'
import type { ProxySettings, TlsFiles } from '#transport/http'

/** Where a bucket is, and how it is asked. */
export interface S3Options {
  /** `https://s3.eu-central-1.amazonaws.com`, `http://gateway:7480`: without the bucket. */
  endpoint: string
  region: string
  bucket: string
  /** Stands before every key, with a slash between: `registry`, `team/registry`. None by default. */
  prefix?: string
  accessKeyId: string
  secretAccessKey: string
  /** The bucket stands in the path (the default), or before the name of the host. */
  pathStyle?: boolean
  /** Bytes of the parts of an object: 16 MiB by default, 5 to 512 MiB. An object has at most 10 000 parts. */
  partSize?: number
  /** As the bucket is configured by default. `kms` is the id of a key. */
  serverSideEncryption?: 'AES256' | { kms: string }
  timeouts?: Partial<S3Timeouts>
  /** How often a request that failed for the moment is made again; 4 times by default. */
  retries?: number
  tls?: TlsFiles
  proxy?: ProxySettings
  clock?: Clock
}

/** How long a bucket is waited for, in milliseconds. */
export interface S3Timeouts {
  /** Until a connection stands; 5 s by default. */
  connect: number
  /** Until an answer begins, or while nothing of a body moves; 30 s by default. */
  answer: number
}

/** Options that were checked, with defaults in place of what was not given. */
export interface S3Settings {
  /** Address of the bucket. */
  address: URL
  /** The bucket and where it is, for messages. */
  place: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  /** Ends with a slash, or is empty. */
  prefix: string
  partSize: number
  /** Headers of requests that begin an object. */
  encryption: Record<`x-amz-${string}`, string>
  timeouts: S3Timeouts
  retries: number
  tls: TlsFiles
  proxy: ProxySettings | undefined
  clock: Clock
}

const MEBIBYTE = 1024 * 1024

/** Throws INVALID_ARGUMENT that names the option. */
export function s3Settings(options: S3Options): S3Settings {
  const { bucket, region, accessKeyId, secretAccessKey, partSize = 16 * MEBIBYTE, retries = 4 } = options
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) throw invalid('the name of the bucket', bucket)
  if (!/^[\w-]+$/.test(region)) throw invalid('the region of the bucket', region)
  if (!accessKeyId.trim() || !secretAccessKey.trim()) {
    throw new BaleError('INVALID_ARGUMENT', `the keys for the bucket ${bucket} are missing or empty`)
  }
  // 5 MiB is S3's own bound; of each upload, three parts are in memory.
  if (!Number.isSafeInteger(partSize) || partSize < 5 * MEBIBYTE || partSize > 512 * MEBIBYTE) {
    throw invalid('the part size of the bucket', `${partSize}`, 'it is between 5 and 512 MiB')
  }
  if (!Number.isSafeInteger(retries) || retries < 0) throw invalid('the number of retries', `${retries}`)
  const { endpoint, address } = addressOf(options)
  return {
    address,
    place: `bucket ${bucket} at ${endpoint}`,
    region,
    accessKeyId,
    secretAccessKey,
    prefix: prefixOf(options.prefix ?? ''),
    partSize,
    encryption: encryptionOf(options.serverSideEncryption),
    timeouts: timeoutsOf(options.timeouts ?? {}),
    retries,
    tls: options.tls ?? {},
    proxy: options.proxy,
    clock: options.clock ?? systemClock,
  }
}

function addressOf({ endpoint, bucket, pathStyle = true }: S3Options): { endpoint: string; address: URL } {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    throw invalid('the endpoint of the bucket', endpoint, 'it is an address like https://s3.example.com')
  }
  if (url.username || url.password) {
    throw new BaleError('INVALID_ARGUMENT', 'the endpoint of a bucket is written without a login')
  }
  const plain = url.href.replace(/\/+$/, '')
  if (pathStyle) return { endpoint: plain, address: new URL(`${plain}/${bucket}`) }
  const address = new URL(plain)
  address.hostname = `${bucket}.${url.hostname}`
  // An address of numbers takes no name before it.
  if (address.hostname === url.hostname || url.pathname !== '/') {
    throw invalid('the endpoint of the bucket', endpoint, 'a bucket cannot stand before it; it must stand in the path')
  }
  return { endpoint: plain, address }
}

/** Characters that no server, proxy or signature writes in another way. */
function prefixOf(prefix: string): string {
  const segments = prefix.replace(/^\/|\/$/g, '').split('/')
  if (segments.length === 1 && segments[0] === '') return ''
  if (!segments.every((segment) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(segment))) {
    throw invalid('the prefix in the bucket', prefix, 'it has letters, digits, _, -, and . inside; slashes between')
  }
  return `${segments.join('/')}/`
}

function encryptionOf(encryption: S3Options['serverSideEncryption']): S3Settings['encryption'] {
  if (encryption === undefined) return {}
  if (encryption === 'AES256') return { 'x-amz-server-side-encryption': 'AES256' }
  const { kms } = encryption
  if (!/^[\x21-\x7e]+$/.test(kms)) throw invalid('the id of the key that encrypts', kms)
  return { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': kms }
}

function timeoutsOf({ connect = 5000, answer = 30_000 }: Partial<S3Timeouts>): S3Timeouts {
  for (const milliseconds of [connect, answer]) {
    if (!(milliseconds > 0 && milliseconds < 2 ** 31)) throw invalid('a timeout', `${milliseconds}`)
  }
  return { connect, answer }
}

function invalid(what: string, value: string, hint?: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', `${what} is invalid: ${printable(value, 100)}`, { hint })
}
