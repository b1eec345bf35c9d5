import { isBaleError } from '#base'
import type { MetaStore } from './meta/index.ts'
import type { ObjectAppender, ObjectStore } from './objects/index.ts'
import type { Observe } from './operation/index.ts'

type Tell = (error: unknown) => void

/** What is judged in the database and refused by its rules is no failure of it. */
const RULES = ['TAG_IMMUTABLE', 'POLICY_VIOLATED', 'QUOTA_EXCEEDED', 'REPOSITORY_MOVED'] as const

/** The same database, with its failures told. */
export function watchedMeta(meta: MetaStore, observe: Observe): MetaStore {
  const tell = telling('database', observe)
  const methods = Object.entries(meta).map(([name, method]) => [
    name,
    (...args: unknown[]) => told((method as (...args: unknown[]) => Promise<unknown>)(...args), tell),
  ])
  return { ...meta, ...Object.fromEntries(methods), as: (by) => watchedMeta(meta.as(by), observe) }
}

/** The same object store, with its failures told. */
export function watchedObjects(objects: ObjectStore, observe: Observe): ObjectStore {
  const tell = telling('objects', observe)
  return {
    append: async (...args) => watchedAppender(await told(objects.append(...args), tell), tell),
    complete: (...args) => told(objects.complete(...args), tell),
    read: (...args) => toldWhileRead(objects.read(...args), tell),
    size: (...args) => told(objects.size(...args), tell),
    delete: (...args) => told(objects.delete(...args), tell),
    list: () => toldWhileRead(objects.list(), tell),
  }
}

function watchedAppender(appender: ObjectAppender, tell: Tell): ObjectAppender {
  return {
    write: (chunk) => told(appender.write(chunk), tell),
    checkpoint: () => told(appender.checkpoint(), tell),
    sync: () => told(appender.sync(), tell),
    [Symbol.asyncDispose]: () => appender[Symbol.asyncDispose](),
  }
}

function telling(part: 'database' | 'objects', observe: Observe): Tell {
  return (error) => {
    if (RULES.some((code) => isBaleError(error, code))) return
    observe({ kind: 'part-failed', part, code: isBaleError(error) ? error.code : 'OTHER' })
  }
}

async function told<T>(work: Promise<T>, tell: Tell): Promise<T> {
  try {
    return await work
  } catch (error) {
    tell(error)
    throw error
  }
}

async function* toldWhileRead<T>(items: AsyncIterable<T>, tell: Tell): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await told(Promise.resolve(iterator.next()), tell)
      if (next.done) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}
