import { expect, it } from 'vitest'
import { createTicketVault, LONGEST_TICKET_MS } from './ticket-vault.ts'

const NOON = 20_000 * 86_400_000 + 43_200_000
const HOUR = 3_600_000
const content = Uint8Array.of(1, 2, 3, 4)

function vaults(): { set(nowMs: number): void; one: ReturnType<typeof createTicketVault>; other: typeof one } {
  let nowMs = NOON
  const clock = (): number => nowMs
  const one = createTicketVault('key of the installation', clock)
  return { set: (value) => (nowMs = value), one, other: createTicketVault('key of the installation', clock) }
}

it('opens on any concentrator what another one sealed', () => {
  const { one, other } = vaults()
  const ticket = one.seal(content, HOUR) ?? new Uint8Array()
  expect(other.open(ticket)).toEqual(content)
  expect(createTicketVault('another key', () => NOON).open(ticket)).toBeNull()
})

it('never seals the same content to the same octets, and shows none of it', () => {
  const { one } = vaults()
  const tickets = [one.seal(content, HOUR), one.seal(content, HOUR)].map((ticket) =>
    Buffer.from(ticket ?? []).toString('hex'),
  )
  expect(new Set(tickets).size).toBe(2)
  expect(tickets.join()).not.toContain('01020304')
})

it('opens nothing after its expiry, also across midnight', () => {
  const { set, one } = vaults()
  const ticket = one.seal(content, 20 * HOUR) ?? new Uint8Array()
  set(NOON + 20 * HOUR - 1)
  expect(one.open(ticket)).toEqual(content)
  set(NOON + 20 * HOUR)
  expect(one.open(ticket)).toBeNull()
})

it('gives no ticket a longer life than a day', () => {
  const { set, one } = vaults()
  const ticket = one.seal(content, 30 * LONGEST_TICKET_MS) ?? new Uint8Array()
  set(NOON + LONGEST_TICKET_MS)
  expect(one.open(ticket)).toBeNull()
})

it('refuses a ticket with any octet changed, cut or added', () => {
  const { one } = vaults()
  const ticket = one.seal(content, HOUR) ?? new Uint8Array()
  for (let index = 0; index < ticket.length; index += 1) {
    const forged = ticket.slice()
    forged[index] = (forged[index] ?? 0) ^ 1
    expect(one.open(forged)).toBeNull()
    expect(one.open(ticket.subarray(0, index))).toBeNull()
  }
  expect(one.open(Uint8Array.of(...ticket, 0))).toBeNull()
})
