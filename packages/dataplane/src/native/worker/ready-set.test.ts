import { describe, expect, it } from 'vitest'
import { EPOLL_EVENT_BYTES, PacketMemory, POLLIN } from '../../foreign/index.ts'
import { ReadySet } from './ready-set.ts'

const POLLHUP = 0x10

/** @param answers of each wait: events by index, or an error number */
function setOf(answers: (Readonly<Record<number, number>> | number)[]): ReadySet {
  const memory = new PacketMemory(65_536)
  const added: number[] = []
  return new ReadySet(
    memory,
    {
      epollAdd: (_epoll, fd) => added.push(fd),
      epollWait: (_epoll, vector) => {
        const answer = answers.shift()!
        if (typeof answer === 'number') return answer
        const entries = Object.entries(answer)
        for (const [at, [index, events]] of entries.entries()) {
          memory.view.setUint32(vector + EPOLL_EVENT_BYTES * at, events, true)
          memory.writeNumber(vector + EPOLL_EVENT_BYTES * (at + 1) - 8, Number(index))
        }
        return entries.length
      },
    },
    9,
    [11, 12, 13],
  )
}

describe('a set of descriptors', () => {
  it('says of each what it has, and how many of a range have something', () => {
    const set = setOf([{ 0: POLLIN, 2: POLLHUP }])
    expect([0, 1, 2].map((index) => set.eventsOf(index))).toEqual([0, 0, 0])
    set.wait(0)
    expect([0, 1, 2].map((index) => set.eventsOf(index))).toEqual([POLLIN, 0, POLLHUP])
    expect([set.countReady(0, 3), set.countReady(1, 2), set.countReady(1, 1)]).toEqual([2, 1, 0])
  })

  it('forgets what the last call found, also when one is interrupted or runs out of time', () => {
    const set = setOf([{ 0: POLLIN, 1: POLLIN }, { 1: POLLIN }, -4, { 0: POLLIN }, 0])
    for (const expected of [
      [POLLIN, POLLIN, 0],
      [0, POLLIN, 0],
      [0, 0, 0],
      [POLLIN, 0, 0],
      [0, 0, 0],
    ]) {
      set.wait(0)
      expect([0, 1, 2].map((index) => set.eventsOf(index))).toEqual(expected)
      expect(set.countReady(0, 3)).toBe(expected.filter((events) => events !== 0).length)
    }
  })
})
