import { describe, expect, it } from 'vitest'
import { NodeWatch } from './node-watch.ts'

const node = (id: string, heartbeat: string) => ({ kind: 'gateway', id, heartbeat }) as const

describe('NodeWatch', () => {
  it('calls a node dead once its heartbeat has not moved for the whole time', () => {
    const watch = new NodeWatch(30_000)
    const silent = node('gw-1', 'a')
    for (let nowMs = 0; nowMs < 30_000; nowMs += 5_000) {
      expect(watch.observe([silent, node('gw-2', String(nowMs))], nowMs)).toEqual([])
    }
    expect(watch.observe([silent, node('gw-2', 'b')], 30_000)).toEqual([silent])
  })

  it('starts anew when it could not watch for a while, however old the heartbeat is', () => {
    const watch = new NodeWatch(30_000)
    expect(watch.observe([node('gw-1', 'a')], 0)).toEqual([])
    expect(watch.observe([node('gw-1', 'a')], 3_600_000)).toEqual([])
    expect(watch.observe([node('gw-1', 'a')], 3_610_000)).toEqual([])
  })

  it('starts anew when it was told to forget, and when a node went and came', () => {
    const watch = new NodeWatch(10)
    watch.observe([node('gw-1', 'a')], 0)
    watch.forget()
    expect(watch.observe([node('gw-1', 'a')], 4)).toEqual([])
    expect(watch.observe([], 8)).toEqual([])
    expect(watch.observe([node('gw-1', 'a')], 12)).toEqual([])
    expect(watch.observe([node('gw-1', 'a')], 17)).toEqual([])
    expect(watch.observe([node('gw-1', 'a')], 22)).toHaveLength(1)
  })

  it('keeps a gateway and a concentrator of the same name apart', () => {
    const watch = new NodeWatch(10)
    const nodes = [node('n', 'a'), { kind: 'concentrator', id: 'n', heartbeat: 'b' } as const]
    watch.observe(nodes, 0)
    watch.observe([node('n', 'c'), nodes[1]!], 5)
    expect(watch.observe([node('n', 'c'), nodes[1]!], 10)).toEqual([nodes[1]])
  })
})
