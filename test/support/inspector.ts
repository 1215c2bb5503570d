import { once } from "node:events";

/** What a process may be asked through Node's inspector: no hook in the program is needed. */
export interface Inspector {
  /** What an expression gives in the process. */
  evaluate<T>(expression: string): Promise<T>;
  /** Bytes in use, garbage not counted: the heap and what it holds outside. */
  usedBytes(): Promise<number>;
  close(): void;
}

/** The address in what Node writes when it starts with `--inspect`. */
const ADDRESS = /Debugger listening on (ws:\/\/\S+)/;

/** Connects to a process that wrote where its inspector listens. */
export async function connectInspector(written: string): Promise<Inspector> {
  const [, address] = ADDRESS.exec(written) ?? [];
  if (address === undefined) throw new Error(`no inspector: ${written}`);
  const socket = new WebSocket(address);
  await once(socket, "open");
  const waiting = new Map<number, (result: unknown) => void>();
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown };
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  const ask = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });

  async function evaluate<T>(expression: string): Promise<T> {
    const answer = await ask("Runtime.evaluate", { expression, returnByValue: true });
    return (answer as { result: { value: T } }).result.value;
  }

  return {
    evaluate,
    async usedBytes() {
      // What is freed by the first may free more.
      for (let i = 0; i < 2; i++) await ask("HeapProfiler.collectGarbage");
      const { heapUsed, external } = await evaluate<NodeJS.MemoryUsage>("process.memoryUsage()");
      return heapUsed + external;
    },
    close: () => socket.close(),
  };
}
