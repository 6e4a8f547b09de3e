/** What the concentrator of a simulation says to the question `attach`: the usual grant, with changes. */
import type { Answer, AttachGrant, Question } from '@culvert/ikev2'
import { grantEverything } from './pair.ts'

export function granting(change: Partial<AttachGrant>): (question: Question) => Answer {
  return (question) => {
    const answer = grantEverything(question)
    if (answer.kind !== 'attach' || answer.grant === null) return answer
    return { kind: 'attach', grant: { ...answer.grant, ...change } }
  }
}
