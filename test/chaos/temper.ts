/** How receivers behave badly, and what each of them writes down: shared by the receiver and by who reads what it wrote. */

/** One endpoint each; what it does with the first attempts of a delivery. */
export const tempers = ['good', 'failing', 'resetting', 'hanging', 'slow'] as const
export type Temper = (typeof tempers)[number]

/** Where rules call to: it fails now and then. */
export const rulePath = '/rule'

/** One line of JSON for each request. */
export interface Receipt {
  /** `rule` for a call of a rule. */
  readonly temper: Temper | 'rule'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** It answered 2xx; else it failed, hung, or reset the connection. */
  readonly isAccepted: boolean
}
