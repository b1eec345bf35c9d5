/**
 * registry/local: a repository of this registry as a place of images, for what the registry does by itself. Promises: what is
 * there, whoever may pull it. Does not: fetch what comes from elsewhere.
 */
export { repositorySource } from './repository-source.ts'
