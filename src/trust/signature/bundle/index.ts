/**
 * trust/signature/bundle: Sigstore bundles over in-toto statements, as cosign 3 writes them. Promises: written without any
 * service; checked offline, against keys or a trusted root that the user gives; one signature, one statement, one
 * digest. Does not: fetch a trusted root, read bundles over bare bytes.
 */
export { makeBundle } from './make-bundle.ts'
export { makeStatement } from './statement.ts'
export { readTrustRoot } from './trust-root.ts'
export { ATTESTATION_LIMIT, SIGNATURE_LIMIT, STATEMENT_LIMIT, verifyBundle, verifyEnvelope } from './verify-bundle.ts'
