/**
 * The analyser of installed Python packages, by the metadata that pip and setuptools leave. Promises: only the header of the
 * metadata counts, whatever the description says. Does not: read requirements or lockfiles, which prove nothing.
 */
export { pythonMetadata } from './python-metadata.ts'
