/** The part of the WebAssembly API used here; TypeScript declares it only together with the browser's library. */

interface MemoryDescriptor {
  readonly initial: number
  readonly maximum: number
  readonly shared: boolean
}

export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}

interface WebAssemblyApi {
  readonly Memory: new (descriptor: MemoryDescriptor) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, WasmMemory>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> }
}

const api = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly

export const WasmMemory = api.Memory
export const WasmModule = api.Module
export const WasmInstance = api.Instance
