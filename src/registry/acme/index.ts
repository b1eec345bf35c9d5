/**
 * registry/acme: a certificate from an authority (RFC 8555). Promises: one for all processes of a registry, ordered by one of
 * them at a time; keys are sealed in the database; the one that is there stays until there is a newer one. Does not: listen.
 */
export { type AcmeOptions, type ObtainedCertificate, obtainCertificate } from './obtain-certificate.ts'
