/** Who is told of every event, in the transaction that gives it its position. A consumer is a line here and nothing else. */
import { ruleConsumer, type RelayConsumer } from '@culvert/db'

export const relayConsumers: readonly RelayConsumer[] = [ruleConsumer]
