/** Which proposal tiers anybody at all may use. */
import { defaultProposalTiers, type ProposalTier } from '@culvert/lifecycle'
import type { Pool } from 'pg'

/**
 * Tiers in which anybody at all may come, for the command `acceptTiers`: a node whose fleet never allowed `compat` refuses it in
 * IKE_SA_INIT already. One probe of an index for each tier; read it at start and every few seconds.
 */
export async function readTiersInUse(pool: Pool): Promise<readonly ProposalTier[]> {
  const { rows } = await pool.query<{ tier: ProposalTier }>({
    name: 'concentrator_tiers_in_use',
    text: `SELECT tier FROM unnest(ARRAY['modern', 'standard', 'compat']) WITH ORDINALITY AS t(tier, place)
       WHERE (tier = ANY($1) AND EXISTS (SELECT 1 FROM organizations WHERE proposal_tiers IS NULL))
         OR EXISTS (SELECT 1 FROM organizations WHERE proposal_tiers @> ARRAY[tier])
         OR EXISTS (SELECT 1 FROM networks WHERE proposal_tiers @> ARRAY[tier])
         OR EXISTS (SELECT 1 FROM devices WHERE proposal_tiers @> ARRAY[tier] AND deleted_at IS NULL)
       ORDER BY place`,
    values: [defaultProposalTiers],
  })
  return rows.map((row) => row.tier)
}
