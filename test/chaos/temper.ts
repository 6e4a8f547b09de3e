/** How receivers behave badly, and what each of them writes down: shared by the receiver and by who reads what it wrote. */

/** One endpoint each; what it does with the first attempts of a delivery. */
export const tempers = ['good', 'failing', 'resetting', 'hanging', 'slow'] as const
export type Temper = (typeof tempers)[number]

/** One line of JSON for each request. */
export interface Receipt {
  readonly temper: Temper
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** It answered 2xx; else it failed, hung, or reset the connection. */
  readonly isAccepted: boolean
}
