import { join } from 'node:path'
import { BaleError, printable } from '#base'
import type { Rows } from '#store/rows'
import { announce, type RecordKind } from './record-kind.ts'

export interface VolumeRecord<D = unknown> {
  name: string
  created: number
  document: D
}

export type Volumes = {
  add(record: VolumeRecord): Promise<void>
  find(name: string): Promise<VolumeRecord | undefined>
  list(): Promise<VolumeRecord[]>
  update(name: string, change: (record: VolumeRecord) => VolumeRecord): Promise<VolumeRecord | undefined>
  remove(name: string): Promise<boolean>
  /** `<root>/volumes/<name>/_data`. Throws INVALID_ARGUMENT for a name that is not a plain one. */
  directory(name: string): string
}

/** docker's names of volumes. Nothing else becomes a path. */
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

export function createVolumes(rows: Rows, kind?: RecordKind<VolumeRecord>): Volumes {
  const { database, layout } = rows
  type Row = { name: string; created: number; document: string }
  const read = (row: Row): VolumeRecord => ({ ...row, document: JSON.parse(row.document) as unknown })
  const get = (name: string) => database.get<Row>('SELECT * FROM volumes WHERE name = ?', name)
  const write = (sql: string, { name, created, document }: VolumeRecord) =>
    database.run(sql, name, created, JSON.stringify(document))
  return {
    async add(record) {
      this.directory(record.name)
      database.transaction(() => {
        if (write('INSERT OR IGNORE INTO volumes VALUES (?, ?, ?)', record) === 0) {
          throw new BaleError('CONFLICT', `a volume named ${record.name} already exists`)
        }
        announce(rows, kind, undefined, record)
      })
    },
    async find(name: string) {
      const row = get(name)
      return row && read(row)
    },
    list: async () => database.all<Row>('SELECT * FROM volumes ORDER BY name').map(read),
    update: async (name: string, change: (record: VolumeRecord) => VolumeRecord) =>
      database.transaction(() => {
        const row = get(name)
        if (!row) return undefined
        const before = read(row)
        const changed = { ...change(before), name }
        write('INSERT OR REPLACE INTO volumes VALUES (?, ?, ?)', changed)
        announce(rows, kind, before, changed)
        return changed
      }),
    remove: async (name) =>
      database.transaction(() => {
        const row = database.get<Row>('DELETE FROM volumes WHERE name = ? RETURNING *', name)
        if (row) announce(rows, kind, read(row), undefined)
        return row !== undefined
      }),
    directory(name) {
      if (!VOLUME_NAME.test(name)) {
        throw new BaleError('INVALID_ARGUMENT', `"${printable(name)}" is not a volume name`, {
          hint: 'a volume name has letters, digits, dots, dashes and underscores, and begins with a letter or digit',
        })
      }
      return join(layout.volumes, name, '_data')
    },
  }
}
