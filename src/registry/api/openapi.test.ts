import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiDocument } from './index.ts'
import { type ApiSchema, type DescribedOperation, openApi } from './openapi.ts'
import { OPERATIONS } from './operations.ts'

const document = openApi()
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
)

/** All schemas of a part of the document, those inside others too. */
function schemasIn(part: unknown): ApiSchema[] {
  if (typeof part !== 'object' || part === null) return []
  const inside = Object.values(part).flatMap(schemasIn)
  return 'type' in part || '$ref' in part || 'oneOf' in part || 'anyOf' in part
    ? [part as ApiSchema, ...inside]
    : inside
}

const bodyOf = ({ requestBody }: DescribedOperation) => requestBody?.content?.['application/json']?.schema

test('each operation of the table is in the document once, by its name', async () => {
  const names = operations.map(({ operation }) => operation.operationId)
  assert.deepEqual(names.toSorted(), Object.keys(OPERATIONS).toSorted())
  for (const [name, { method, path }] of Object.entries(OPERATIONS)) {
    assert.equal(document.paths[path]?.[method.toLowerCase()]?.operationId, name)
  }
  assert.deepEqual(await apiDocument(), document)
})

// Source: OpenAPI 3.1.1, sections "Fixed Fields" of the objects that the document has.
test('the document has what OpenAPI 3.1 requires of each of its objects', () => {
  assert.match(document.openapi, /^3\.1\.\d+$/)
  assert.deepEqual(Object.keys(document).toSorted(), ['components', 'info', 'openapi', 'paths', 'security', 'servers'])
  assert.ok(document.info.title && document.info.version)
  for (const { path, method, operation } of operations) {
    const where = `${method} ${path}`
    assert.match(path, /^(?:\/(?:[a-z-]+|\{[a-z]+\}))+$/, where)
    assert.match(method, /^(?:get|post|put|delete)$/, where)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const given = operation.parameters.filter((one) => one.in === 'path')
    assert.deepEqual(
      given.map(({ name }) => name).toSorted(),
      inPath.toSorted(),
      `${where}: all parameters of the path`,
    )
    assert.ok(
      given.every(({ required }) => required),
      `${where}: they are required`,
    )
    const keys = operation.parameters.map((one) => `${one.in} ${one.name}`)
    assert.equal(new Set(keys).size, keys.length, `${where}: parameters are unique`)
    for (const { schema } of operation.parameters) {
      assert.match(String(schema.type ?? 'string'), /^(?:string|integer|number)$/, `${where}: parameters are plain`)
    }
    assert.ok(
      Object.keys(operation.responses).every((status) => /^(?:[1-5]\d\d|default)$/.test(status)),
      where,
    )
    assert.ok(operation.responses['200'] ?? operation.responses['204'], `${where}: a successful answer`)
    for (const { description } of Object.values(operation.responses)) assert.ok(description, where)
    if (method === 'get' || method === 'delete') assert.equal(operation.requestBody, undefined, where)
  }
  assert.deepEqual(
    document.security.flatMap((one) => Object.keys(one)).toSorted(),
    Object.keys(document.components.securitySchemes).toSorted(),
  )
})

test('every schema is one of JSON Schema 2020-12 that OpenAPI 3.1 takes, every reference is there, every body is closed', () => {
  for (const schema of schemasIn(document.paths)) {
    if (schema.$ref !== undefined) {
      const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec(schema.$ref) ?? []
      assert.ok(document.components.schemas[name], schema.$ref)
    } else if (typeof schema.type === 'string') {
      assert.match(schema.type, /^(?:object|array|string|integer|number|boolean)$/)
      if (schema.type === 'array') assert.ok(schema.items)
      for (const name of schema.required ?? []) assert.ok(schema.properties?.[name], name)
    }
    assert.equal(schema['nullable'], undefined, 'a word of OpenAPI 3.0')
  }
  for (const { operation } of operations) {
    const body = bodyOf(operation)
    if (body) assert.equal(body['additionalProperties'], false, operation.operationId)
  }
})

test('who may call an operation is said in words', () => {
  for (const { operation } of operations) assert.match(operation.description, /^For (?:administrators|everybody)/)
})
