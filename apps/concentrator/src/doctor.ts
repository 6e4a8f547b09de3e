/**
 * `npm run doctor`: says what the data plane of a concentrator would use on this machine, why not more, and what would help.
 * `--json` prints the same for programs. Ends with 1 when no data plane can be opened. Needs no setting and no server.
 */
import { examine, type Finding } from '@culvert/dataplane'

const WORDS: Readonly<Record<Finding['state'], string>> = { used: 'ok', missing: '--', broken: '!!' }

const { rung, findings } = await examine()
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify({ rung, findings })}\n` : report())
process.exitCode = rung === null ? 1 : 0

function report(): string {
  const lines = findings.flatMap(({ name, state, detail, remedy }) => [
    `${WORDS[state]}  ${name.padEnd(14)}${detail}`,
    ...(remedy === null ? [] : [`${' '.repeat(18)}${remedy}`]),
  ])
  const verdict = rung === null ? 'No data plane can be opened here.' : `Data plane: the ${rung} one.`
  return `${[...lines, '', verdict].join('\n')}\n`
}
