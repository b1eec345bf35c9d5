import { isBaleError } from '#base'
import type { MetaStore } from './meta/index.ts'
import type { ObjectAppender, ObjectStore } from './objects/index.ts'
import type { Observe, Part, Tracer } from './operation/index.ts'

/** Who is told of failures, and who notes how long everything takes. */
interface Watching {
  observe: Observe | undefined
  tracer: Tracer | undefined
}

/** What is judged in the database and refused by its rules is no failure of it. */
const RULES = ['TAG_IMMUTABLE', 'POLICY_VIOLATED', 'QUOTA_EXCEEDED', 'REPOSITORY_MOVED'] as const

/** The same database, watched. */
export function watchedMeta(meta: MetaStore, watching: Watching): MetaStore {
  const watch = createWatch('database', watching)
  const methods = Object.entries(meta).map(([name, method]) => [
    name,
    (...args: unknown[]) => watch.during(name, () => (method as (...args: unknown[]) => Promise<unknown>)(...args)),
  ])
  return { ...meta, ...Object.fromEntries(methods), as: (by) => watchedMeta(meta.as(by), watching) }
}

/** The same object store, watched. */
export function watchedObjects(objects: ObjectStore, watching: Watching): ObjectStore {
  const watch = createWatch('objects', watching)
  return {
    append: async (...args) => watchedAppender(await watch.during('append', () => objects.append(...args)), watch),
    complete: (...args) => watch.during('complete', () => objects.complete(...args)),
    read: (...args) => watch.whileRead('read', () => objects.read(...args)),
    size: (...args) => watch.during('size', () => objects.size(...args)),
    delete: (...args) => watch.during('delete', () => objects.delete(...args)),
    list: () => watch.whileRead('list', () => objects.list()),
  }
}

/** All its writes are one span: there are too many of them. */
function watchedAppender(appender: ObjectAppender, { told, start, during }: Watch): ObjectAppender {
  const end = start('write')
  return {
    write: (chunk) => told(appender.write(chunk)),
    checkpoint: () => told(appender.checkpoint()),
    sync: () => during('sync', () => appender.sync()),
    async [Symbol.asyncDispose]() {
      end()
      await appender[Symbol.asyncDispose]()
    },
  }
}

type Watch = ReturnType<typeof createWatch>

function createWatch(part: Part, { observe, tracer }: Watching) {
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      if (!RULES.some((code) => isBaleError(error, code))) {
        observe?.({ kind: 'part-failed', part, code: isBaleError(error) ? error.code : 'OTHER' })
      }
      throw error
    }
  }
  const start = (operation: string) => tracer?.start(part, operation) ?? (() => undefined)
  return {
    told,
    start,
    during: <T>(operation: string, work: () => Promise<T>): Promise<T> =>
      told(tracer ? tracer.during(part, operation, work) : work()),
    /** One span from the first item that is wanted to the last. */
    async *whileRead<T>(operation: string, read: () => AsyncIterable<T>): AsyncGenerator<T> {
      const iterator = read()[Symbol.asyncIterator]()
      const end = start(operation)
      try {
        for (;;) {
          const next = await told(Promise.resolve(iterator.next()))
          if (next.done) return
          yield next.value
        }
      } catch (error) {
        end(error)
        throw error
      } finally {
        end()
        await iterator.return?.()
      }
    },
  }
}
