/** Numbers of Linux (x64 and arm64) that several files say. */
export const EPERM = 1
export const EINTR = 4
export const EAGAIN = 11
export const EBUSY = 16
export const EINVAL = 22
export const ENOTTY = 25
export const EMSGSIZE = 90
export const EADDRINUSE = 98
export const ENOBUFS = 105

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = 0x800
export const SOCK_CLOEXEC = 0x80000
export const MSG_DONTWAIT = 0x40

export const POLLIN = 1
export const POLLOUT = 4
/** POLLERR, POLLHUP, POLLNVAL. */
export const POLL_FAILED: number = 0x08 | 0x10 | 0x20

export const EFD_NONBLOCK_CLOEXEC = 0x80800
export const EPOLL_CLOEXEC = 0x80000
export const EPOLL_CTL_ADD = 1
/** Packed on x64 only. */
export const EPOLL_EVENT_BYTES: number = process.arch === 'x64' ? 12 : 16

export const SOL_SOCKET = 1
export const SO_TYPE = 3
export const SO_SNDBUF = 7
export const SO_ATTACH_FILTER = 26
export const SO_ATTACH_REUSEPORT_CBPF = 51

/** libc has no function for bpf(2). */
export const SYS_BPF: number = process.arch === 'arm64' ? 280 : 321
export const BPF_PROG_LOAD = 5

export const TUNSETIFF = 0x400454ca
export const TUNSETPERSIST = 0x400454cb
export const TUNSETOFFLOAD = 0x400454d0
export const TUNSETSTEERINGEBPF = 0x800454e0
/** struct ifreq. */
export const IFREQ_BYTES = 40
