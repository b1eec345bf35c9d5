/**
 * registry/login: who logs in beyond the registry's own passwords. Promises: a directory or issuer is spoken to as it is
 * configured, and no name, token or key of a caller says otherwise; what does not answer is UNAVAILABLE, never a refusal.
 */
export type { GroupRule } from './group-rules.ts'
export { createLdapSource, type LdapOptions } from './ldap-source.ts'
export { createProvider, type ProviderOptions } from './provider.ts'
export { createWorkloads, type WorkloadRule } from './workloads.ts'
