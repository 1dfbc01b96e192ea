/** What the chunker uses of WebAssembly: TypeScript declares it with the DOM only, which a server leaves out. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => WebAssemblyMemory;
  readonly Module: new (code: Uint8Array) => WebAssemblyModule;
  readonly Instance: new (
    module: WebAssemblyModule,
    imports: { readonly env: { readonly memory: WebAssemblyMemory } },
  ) => { readonly exports: unknown };
};

interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
}

interface WebAssemblyModule {
  readonly __compiled: unique symbol;
}
