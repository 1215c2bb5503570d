import { readFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import type { Client, Interceptor, StreamResponse, Transport } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import { AdminService } from "../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { ReleaseService } from "../../gen/ts/realmwire/v1/release_service_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { toRealmwireError } from "../ts/errors.ts";
import { UsageError } from "./errors.ts";

/** How long a call with one answer may take, unless it says otherwise, in milliseconds. */
const CALL_TIMEOUT_MS = 30_000;

/** A connection to a server. Every call rejects with a `RealmwireError`. */
export interface Connection {
  readonly admin: Client<typeof AdminService>;
  readonly account: Client<typeof AccountService>;
  readonly release: Client<typeof ReleaseService>;
  readonly world: Client<typeof WorldService>;
  /** Sent with every call from now on. */
  token: string;
  /** Ends all calls, so that the program can end. */
  close(): void;
}

/** Creates a connection, which opens with the first call. `caFile` holds certificates to trust besides the usual ones. */
export function createConnection(options: {
  readonly url: string;
  readonly caFile: string;
}): Connection {
  const { url, caFile } = options;
  const tls = caFile === "" ? {} : { ca: readCertificates(caFile) };
  const sessionManager = new Http2SessionManager(url, {}, tls);
  const addToken: Interceptor = (next) => (request) => {
    if (connection.token !== "") request.header.set("authorization", `Bearer ${connection.token}`);
    return next(request);
  };
  const transport = withClearErrors(
    createConnectTransport({
      ...{ baseUrl: url, httpVersion: "2", sessionManager },
      interceptors: [addToken],
    }),
    url,
  );
  const connection: Connection = {
    admin: createClient(AdminService, transport),
    account: createClient(AccountService, transport),
    release: createClient(ReleaseService, transport),
    world: createClient(WorldService, transport),
    token: "",
    close: () => sessionManager.abort(),
  };
  return connection;
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--ca ${file}: ${(error as Error).message}`);
  }
}

function withClearErrors(inner: Transport, url: string): Transport {
  const rethrow = (error: unknown): never => {
    throw toRealmwireError(error, url);
  };
  return {
    unary: (method, signal, timeoutMs = CALL_TIMEOUT_MS, ...rest) =>
      inner.unary(method, signal, timeoutMs, ...rest).catch(rethrow),
    stream: (...args) =>
      inner.stream(...args).then((response) => readClearly(response, rethrow), rethrow),
  };
}

function readClearly<R extends StreamResponse>(response: R, rethrow: (error: unknown) => never): R {
  async function* messages(): AsyncIterable<unknown> {
    try {
      yield* response.message;
    } catch (error) {
      rethrow(error);
    }
  }
  return { ...response, message: messages() };
}
