/** A network namespace for tests with a dial address, a device address and a device process in it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const DIAL_ADDRESS = '10.127.0.1'
export const DEVICE_ADDRESS = '10.128.0.2'

export class TestNamespace {
  readonly name: string
  readonly #devices: ChildProcess[] = []

  constructor(name: string) {
    this.name = name
  }

  make(): void {
    ip('netns', 'add', this.name)
    ip('-n', this.name, 'link', 'set', 'lo', 'up')
    for (const address of [DIAL_ADDRESS, DEVICE_ADDRESS])
      ip('-n', this.name, 'address', 'add', `${address}/32`, 'dev', 'lo')
  }

  /** @returns the device's port */
  async startDevice(): Promise<number> {
    const entry = fileURLToPath(new URL('./device-process.ts', import.meta.url))
    const child = spawn('ip', ['netns', 'exec', this.name, process.execPath, entry, DEVICE_ADDRESS], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#devices.push(child)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    return Number(line.toString())
  }

  async remove(): Promise<void> {
    for (const device of this.#devices.splice(0)) {
      device.kill('SIGKILL')
      await once(device, 'close')
    }
    ip('netns', 'delete', this.name)
  }
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] })
}
