/**
 * registry/replication: images that follow rules from here to other registries, and from them to here. Promises: what a rule wants is
 * replicated byte for byte, whoever dies, once a registry can be asked again; what is there is not sent again; a tag is set last; what
 * comes here is judged as a push would be. Does not: note what changes (meta does, with the change), or decide who may ask for it.
 */

export { checkedRules, type ReplicationSettings } from './replication-settings.ts'
export { createReplicator } from './replicator.ts'
