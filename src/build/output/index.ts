/** output: the result of a build somewhere else than in the store. */
export { writeDirectory } from './write-directory.ts'
