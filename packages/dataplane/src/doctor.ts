/**
 * Examines what a data plane can have on this machine, and says what is missing and what would help. Sends datagrams to itself over
 * the loopback interface; opens nothing that others see and leaves nothing behind.
 */
import type { Examination } from './findings.ts'

export async function examine(): Promise<Examination> {
  const { examineNative } = await import('./native/examination.ts')
  return examineNative()
}
