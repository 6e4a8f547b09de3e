/**
 * What has to be undone at the end, in reverse order, each step with a time bound and whether or not the one before failed.
 */

const STEP_TIMEOUT_MS = 25_000

export type Undo = () => Promise<void>

export interface Teardown {
  add(name: string, undo: Undo): void
  /** Undoes everything once. @returns the names of the steps that failed, with the reason */
  run(): Promise<string[]>
}

export function createTeardown(): Teardown {
  const steps: { name: string; undo: Undo }[] = []
  return {
    add(name, undo) {
      steps.push({ name, undo })
    },
    async run() {
      const failures: string[] = []
      for (let step = steps.pop(); step; step = steps.pop()) {
        try {
          await bounded(step.undo())
        } catch (error) {
          failures.push(`${step.name}: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      return failures
    },
  }
}

async function bounded(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${STEP_TIMEOUT_MS / 1000} s`)), STEP_TIMEOUT_MS)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
