import { createHttp1Reader, createPost, createPostHead } from "../load/http1.ts";
import { openSocket } from "../load/socket.ts";

const SERVICE = "/realmwire.v1.WorldService";

/** A connection that makes calls, one after the other. */
export interface Caller {
  /** Makes one call; rejects when it is not answered by 200. */
  ask(request: Uint8Array): Promise<Buffer>;
  close(): void;
}

/** Opens a connection for one call of the world, in Connect over HTTP/1.1. `token`: empty for none. */
export async function openCaller(port: number, call: string, token: string): Promise<Caller> {
  let waiting: PromiseWithResolvers<Buffer> | undefined;
  let parts: Buffer[] = [];
  let status = 0;
  const fail = (reason: string) => waiting?.reject(new Error(`${call}: ${reason}`));
  const read = createHttp1Reader({
    onHead: (code) => (status = code),
    onBody: (part) => void parts.push(part),
    onEnd() {
      const answer = Buffer.concat(parts);
      parts = [];
      if (status === 200) waiting?.resolve(answer);
      else fail(`answered by ${status}: ${answer.toString()}`);
    },
  });
  const socket = await openSocket(port, { onData: read, onEnd: fail });
  const head = createPostHead(`${SERVICE}/${call}`, {
    "content-type": "application/proto",
    "connect-protocol-version": "1",
    ...(token && { authorization: `Bearer ${token}` }),
  });
  return {
    ask(request) {
      waiting = Promise.withResolvers();
      socket.write(createPost(head, request));
      return waiting.promise;
    },
    close() {
      waiting = undefined;
      socket.destroy();
    },
  };
}
