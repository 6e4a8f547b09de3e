/**
 * A data plane on several sockets: what comes in is told with the local address it came to, what goes out leaves from the address
 * that was asked for.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { composeSpi } from '@culvert/esp'
import type { Path, SocketAddress, TrafficSelector } from '@culvert/ikev2'
import { AES_GCM, Program } from '../test/forwarding-lab.ts'
import { configureTun, ensureNamespace, openDataPlane, removeNamespace } from './index.ts'

const BIND = ['127.0.0.1', '127.0.0.2', '::1'].map((address) => ({ address, port: 0 }))
const INNER = '10.77.0.1'
const FAR = '10.77.0.2'
const MESSAGE = new Uint8Array(40).fill(7)
const octets = (text: string): Uint8Array => Uint8Array.from(text.split('.'), Number)
const selector = (text: string): TrafficSelector => ({
  type: 7,
  protocol: 0,
  startPort: 0,
  endPort: 0xffff,
  startAddress: octets(text),
  endAddress: octets(text),
})

interface Peer {
  readonly socket: Socket
  readonly address: SocketAddress
  readonly heard: { readonly bytes: Uint8Array; readonly from: SocketAddress }[]
}

async function openPeer(address: string): Promise<Peer> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  const heard: Peer['heard'] = []
  socket.on('message', (bytes, from) => heard.push({ bytes, from: { address: from.address, port: from.port } }))
  return { socket, address: { address, port: socket.address().port }, heard }
}

describe.each(['native', 'portable'] as const)('%s data plane on several sockets', (rung) => {
  const namespace = `cvs${rung[0]}-${process.pid}`
  afterAll(() => removeNamespace(namespace))
  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 30_000, interval: 20 })

  it('hears on each and answers from the one that was asked for, also after a move', async () => {
    await ensureNamespace(namespace)
    const paths: Path[] = []
    const failures: Error[] = []
    const plane = await openDataPlane(
      {
        rung,
        bind: BIND,
        tun: { name: 'culvert0', namespace, mtuBytes: 1400 },
        role: { kind: 'device' },
        incarnation: 1,
        nodeSlot: 1,
        maxSas: 4,
        replayWindowPackets: 64,
      },
      {
        onIke: (_bytes, path) => paths.push(path),
        onInboundTraffic: () => {},
        onPeerMoved: () => {},
        onSoftLimit: () => {},
        onHardLimit: () => {},
        onFailure: (error) => failures.push(error),
      },
    )
    expect(plane.locals.map(({ address }) => address)).toEqual(BIND.map(({ address }) => address))
    expect(plane.local).toEqual(plane.locals[0])
    const peers = [await openPeer('127.0.0.1'), await openPeer('::1')] as const
    const [peer4, peer6] = peers

    const withMarker = Buffer.concat([new Uint8Array(4), MESSAGE])
    for (const [index, local] of plane.locals.entries()) {
      const peer = isIPv6(local.address) ? peer6 : peer4
      peer.socket.send(withMarker, local.port, local.address)
      await until(() => expect(paths).toHaveLength(index + 1))
      expect(paths.at(-1)).toEqual({ local, remote: peer.address })
      plane.sendIke(MESSAGE, peer.address, local)
      await until(() => expect(peer.heard.at(-1)?.from).toEqual(local))
      expect(peer.heard.at(-1)?.bytes).toEqual(withMarker)
      plane.sendKeepalive(peer.address, local)
      await until(() => expect(peer.heard.at(-1)).toEqual({ bytes: Buffer.of(0xff), from: local }))
    }

    const spiIn = composeSpi(1, 1, 1)
    const { encr, integ, keyBytes } = AES_GCM
    const [inboundKey, outboundKey] = [new Uint8Array(keyBytes).fill(1), new Uint8Array(keyBytes).fill(2)]
    const none = new Uint8Array(0)
    await plane.install(
      {
        spiIn,
        spiOut: composeSpi(2, 2, 2),
        udpEncap: true,
        peerBehindNat: false,
        mode: 'tunnel',
        outbound: true,
        replaces: null,
        keys: { encr, integ, esn: false, inboundKey, outboundKey, inboundIntegKey: none, outboundIntegKey: none },
        path: { local: plane.locals[1]!, remote: peer4.address },
        tsLocal: [selector(INNER)],
        tsRemote: [selector(FAR)],
      },
      null,
    )
    const [addresses, routes] = [[`${INNER}/32`], [`${FAR}/32`]]
    await configureTun({ namespace, name: 'culvert0', mtuBytes: 1400, addresses, routes })
    const leavesFrom = async (peer: Peer, local: SocketAddress): Promise<void> => {
      const program = new Program(namespace, 'ping', [FAR, '56', '1'])
      await until(() => expect([peer.heard.at(-1)?.from, peer.heard.at(-1)?.bytes.length]).toEqual([local, 120]))
      await program.end()
    }
    await leavesFrom(peer4, plane.locals[1]!)
    plane.move(spiIn, { local: plane.locals[2]!, remote: peer6.address }, { peerBehindNat: false, isConfirmed: true })
    await leavesFrom(peer6, plane.locals[2]!)

    expect(failures).toEqual([])
    for (const { socket } of peers) socket.close()
    await plane.close()
  })
})
