/**
 * Figures of a bench: one JSON line each, the median with its spread.
 */
export interface Figure {
  readonly figure: string
  readonly values: readonly number[]
  readonly unit: string
  readonly note?: string
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** @param share 0 to 1; the value below which that share of the runs lies, interpolated. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * share
  const low = sorted[Math.floor(position)] ?? Number.NaN
  const high = sorted[Math.ceil(position)] ?? Number.NaN
  return low + (high - low) * (position - Math.floor(position))
}

/** Prints the median of `values` unless `value` says which other statistic the figure is. */
export function printFigure({ figure, values, unit, note }: Figure, value = median(values)): void {
  const line = {
    figure,
    value: round(value),
    unit,
    min: round(Math.min(...values)),
    max: round(Math.max(...values)),
    runs: values.length,
    ...(note ? { note } : {}),
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
