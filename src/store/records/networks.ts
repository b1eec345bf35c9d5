import { BaleError } from '#base'
import type { Rows } from '#store/rows'
import { findByIdOrName } from './find-record.ts'
import { announce, type RecordKind } from './record-kind.ts'

export interface NetworkRecord<D = unknown> {
  id: string
  name: string
  created: number
  document: D
}

export type Networks = {
  add(record: NetworkRecord): Promise<void>
  find(idOrName: string): Promise<NetworkRecord | undefined>
  list(): Promise<NetworkRecord[]>
  update(id: string, change: (record: NetworkRecord) => NetworkRecord): Promise<NetworkRecord | undefined>
  remove(id: string): Promise<boolean>
}

/** CONFLICT in docker's words. */
export function networkNameTaken(name: string): BaleError {
  return new BaleError('CONFLICT', `network with name ${name} already exists`)
}

export function createNetworks(rows: Rows, kind?: RecordKind<NetworkRecord>): Networks {
  const { database } = rows
  type Row = { id: string; name: string; created: number; document: string }
  const read = (row: Row): NetworkRecord => ({ ...row, document: JSON.parse(row.document) as unknown })
  const write = (sql: string, { id, name, created, document }: NetworkRecord) =>
    database.run(sql, id, name, created, JSON.stringify(document))
  return {
    async add(record) {
      database.transaction(() => {
        if (write('INSERT OR IGNORE INTO networks VALUES (?, ?, ?, ?)', record) === 0) {
          throw networkNameTaken(record.name)
        }
        announce(rows, kind, undefined, record)
      })
    },
    async find(idOrName: string) {
      const row = findByIdOrName<Row>(rows, 'networks', idOrName)
      return row && read(row)
    },
    list: async () => database.all<Row>('SELECT * FROM networks ORDER BY name').map(read),
    update: async (id: string, change: (record: NetworkRecord) => NetworkRecord) =>
      database.transaction(() => {
        const row = database.get<Row>('SELECT * FROM networks WHERE id = ?', id)
        if (!row) return undefined
        const before = read(row)
        const changed = { ...change(before), id }
        write('UPDATE networks SET id = ?1, name = ?2, created = ?3, document = ?4 WHERE id = ?1', changed)
        announce(rows, kind, before, changed)
        return changed
      }),
    remove: async (id) =>
      database.transaction(() => {
        database.run('DELETE FROM addresses WHERE network = ?', id)
        const row = database.get<Row>('DELETE FROM networks WHERE id = ? RETURNING *', id)
        if (row) announce(rows, kind, read(row), undefined)
        return row !== undefined
      }),
  }
}
