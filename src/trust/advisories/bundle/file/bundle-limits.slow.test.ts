import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import { openBundle } from './open-bundle.ts'
import { APPLICATION_ID, SCHEMA_VERSION, TABLES } from './schema.ts'

const BODY = '{"aliases":[],"ranges":[],"state":"fixed","summary":"'
/** What an advisory says, of another length in each row. */
const body = (text: string) => `'${BODY}' || n || ${text} || '"}'`
const zeros = (bytes: number) => `hex(zeroblob(${bytes / 2}))`

for (const [title, rows, columns] of [
  ['ids in one row', 1, `${body("''")}, (SELECT json_group_array(json('{"id":""}')) FROM numbers)`],
  ['rows', 200_001, `${body("''")}, '[]'`],
  ['bytes', 65, `${body(zeros(4 * 2 ** 20 - 100))}, '[]'`],
] as const) {
  test(`a hostile file with more advisories of a package than are read is refused: ${title}`, async () => {
    await using directory = await temporaryDirectory('bale-bundle')
    const path = join(directory.path, 'bundle.sqlite')
    const file = new DatabaseSync(path)
    file.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; ${TABLES};
      INSERT INTO meta VALUES ('created', '2026-01-02T03:04:05Z'), ('version', 'sha256:${'0'.repeat(64)}');
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 200001)
      INSERT INTO advisories SELECT 'npm', 'a', 'osv', ${columns} FROM numbers WHERE n <= ${rows}`)
    file.close()
    using bundle = openBundle(path)
    for (const act of [() => bundle.find('npm', 'a'), () => bundle.check()])
      assert.throws(act, { code: 'INVALID_ARCHIVE', message: /too many advisories of a/ })
  })
}
