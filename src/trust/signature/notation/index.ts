/**
 * trust/signature/notation: signatures of the Notary Project in JWS. Promises: the algorithm follows from the certificate, never
 * from the signature; a certificate that has expired is refused. Does not: write them; read COSE, time stamps (RFC 3161),
 * plugins, or lists of revoked certificates.
 */
export { readCertificates } from './read-certificates.ts'
export { verifyNotation } from './verify-notation.ts'
