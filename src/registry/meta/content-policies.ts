/** What may be in repositories, judged in the transaction that would store it. */
import { type Chain, decide } from '../decide/index.ts'
import { type Chains, chainsOf, parseBase } from './base-images.ts'
import { type Sql, text } from './sql.ts'
import { readPolicies } from './tag-policies.ts'

/** Throws POLICY_VIOLATED when a policy does not admit a manifest to the repository. */
export async function judgeContent(
  sql: Sql,
  repository: string,
  manifest: { bytes: Uint8Array; mediaType: string },
): Promise<void> {
  const policies = await readPolicies(sql, repository)
  const known = new Map<number, Promise<Chains>>()
  const knownOf = (policy: number) => {
    const chains = known.get(policy) ?? knownChains(sql, policy)
    known.set(policy, chains)
    return chains
  }
  /** A tag is what it points to now. What is gone is what it was when the policy was made. */
  const chains = async (policy: number, base: string): Promise<readonly Chain[]> => {
    const now = 'tag' in parseBase(base) ? await chainsOf(sql, base) : []
    return now.length > 0 ? now : ((await knownOf(policy))[base] ?? [])
  }
  const refusal = await decide('anyone', 'store', { repository, manifest, policies, chains })
  if (refusal) throw refusal
}

async function knownChains(sql: Sql, id: number): Promise<Chains> {
  const row = await sql.get('SELECT rule FROM tag_policies WHERE id = ?', id)
  return row ? (JSON.parse(text(row['rule'])) as { chains: Chains }).chains : {}
}
