import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { createRealmwire } from "../ts/index.ts";
import type { Realmwire, Storage } from "../ts/index.ts";

/** A client of a server, and the connection under it. */
export interface Connection {
  readonly client: Realmwire;
  /** Ends all calls and closes the connection, so that the program can end. */
  close(): void;
}

/** Creates a client that speaks Connect over one HTTP/2 connection. It connects with the first call. */
export function createConnection(baseUrl: string, storage: Storage): Connection {
  const sessionManager = new Http2SessionManager(baseUrl);
  const client = createRealmwire({
    baseUrl,
    storage,
    createTransport: (options) =>
      createConnectTransport({ ...options, httpVersion: "2", sessionManager }),
  });
  return {
    client,
    close() {
      client.close();
      sessionManager.abort();
    },
  };
}
