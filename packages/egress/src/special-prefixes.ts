/**
 * Which addresses are nobody's public server: the special-purpose registries of IANA (RFC 6890) and what embeds IPv4 in IPv6.
 *
 * IPv4 is a list of what is refused. IPv6 is the other way round: only global unicast (2000::/3) and NAT64 of a public IPv4
 * address may be reached, so that IPv4-mapped, IPv4-compatible and translated forms, link-local, unique local, multicast and
 * whatever is assigned later need no line of their own.
 */

/** IPv4 prefixes that are never a public server. */
export const refusedIp4: readonly string[] = [
  '0.0.0.0/8', // this network (RFC 791 3.2); Linux takes 0.0.0.0 for itself
  '10.0.0.0/8', // private (RFC 1918)
  '100.64.0.0/10', // shared by carriers (RFC 6598); also the metadata address of one cloud
  '127.0.0.0/8', // loopback (RFC 1122 3.2.1.3)
  '169.254.0.0/16', // link-local (RFC 3927); the metadata address of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments (RFC 6890 2.1)
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.31.196.0/24', // AS112 (RFC 7535)
  '192.52.193.0/24', // AMT (RFC 7450)
  '192.88.99.0/24', // 6to4 relays (RFC 7526)
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112 (RFC 7534)
  '198.18.0.0/15', // benchmarking (RFC 2544); here also what LANs behind devices are shown as
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast (RFC 5771)
  '240.0.0.0/4', // reserved (RFC 1112 4) and broadcast
  '168.63.129.16/32', // a cloud's host, by which its guests reach their metadata
]

/** Global unicast (RFC 4291 2.4): what is outside is refused but for `nat64`. */
export const globalIp6 = '2000::/3'

/** IPv6 prefixes inside of `globalIp6` that are not a public server either. */
export const refusedIp6: readonly string[] = [
  '2001::/23', // protocol assignments (RFC 2928): Teredo, benchmarking, ORCHID
  '2001:db8::/32', // documentation (RFC 3849)
  '2002::/16', // 6to4, which embeds IPv4 (RFC 3056, RFC 7526)
  '2620:4f:8000::/48', // AS112 (RFC 7534)
  '3fff::/20', // documentation (RFC 9637)
]

/** NAT64's well-known prefix (RFC 6052 2.1): the last 32 bits are an IPv4 address, and that one is judged. */
export const nat64 = { prefix: '64:ff9b::', bits: 96 } as const
