/**
 * trust/signature/policy: whose signatures images must have, by a file of rules. Promises: all mistakes of a file at once, each
 * with its place; one judgement by digest, with the rule and the reason. Does not: pull, refuse or tell anybody (the
 * caller does).
 */
export {
  type Judgement,
  judgeSignatures,
  requireTrusted,
} from './judge-signatures.ts'
export { type PolicyRule, ruleFor, type SignaturePolicy } from './policy.ts'
export { readSignaturePolicy } from './read-policy-file.ts'
