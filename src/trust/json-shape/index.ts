/**
 * trust/json-shape: JSON from outside, looked at before it is parsed. Promises: what passes takes a bounded amount of memory.
 * Does not: parse, or refuse what is no JSON.
 */
export { checkJsonShape } from './check-json-shape.ts'
