export type * from './message/model.ts'
export type * from './endpoint/contract.ts'
export { ZERO_SPI } from './message/model.ts'
